"""The examples of the OpenAPI document: the story of `accounts.rest.examples` goes on."""

from drf_spectacular.utils import OpenApiExample

from accounts.rest.examples import ACCOUNT_ID, HOLD_ID, PETYA, SAVINGS_ID

DEPOSIT = "01910000-0000-7000-8000-00000000d001"
ASKED = {
    "id": DEPOSIT,
    "user": PETYA,
    "type": "DEPOSIT",
    "amount": "100.00",
    "effective_at": "2023-01-04T00:00:00Z",
    "reference": "invoice 7",
}
POSTED: dict[str, object] = {
    "id": DEPOSIT,
    "account": ACCOUNT_ID,
    "user": PETYA,
    "type": "DEPOSIT",
    "amount": "100.00",
    "currency": "USD",
    "status": "POSTED",
    "decline_reason": None,
    "decline_details": None,
    "version": 1,
    "balance_after": "100.00",
    "effective_at": "2023-01-04T00:00:00.000000Z",
    "recorded_at": "2026-01-01T12:00:00.000000Z",
    "late": False,
    "reference": "invoice 7",
    "metadata": {},
    "transfer": None,
    "reverses": None,
    "reversed_by": None,
    "hold": None,
    "request_id": "7d0c8f6e-3a0b-4f7e-9d52-0a4d2f1f9a11",
}
CREATE_TRANSACTION = [
    OpenApiExample("a deposit", request_only=True, value=ASKED),
    OpenApiExample("posted", response_only=True, status_codes=["201"], value=POSTED),
    OpenApiExample(
        "a withdrawal of too much",
        request_only=True,
        value={
            "id": "01910000-0000-7000-8000-00000000d002",
            "user": PETYA,
            "type": "WITHDRAW",
            "amount": "250.00",
        },
    ),
    OpenApiExample(
        "declined",
        response_only=True,
        status_codes=["402"],
        media_type="application/problem+json",
        value={
            "type": "urn:ledger:problem:insufficient_funds",
            "title": "Payment Required",
            "status": 402,
            "detail": "The account has less available than the withdrawal requires.",
            "code": "insufficient_funds",
            "request_id": "0b9f1f0e-5a53-44c7-8b8c-0d5c5c2c4f10",
            "id": "01910000-0000-7000-8000-00000000d002",
            "available": "100.00",
            "required": "250.00",
        },
    ),
]
READ_TRANSACTION = [OpenApiExample("posted", response_only=True, status_codes=["200"], value=POSTED)]
READ_BALANCE = [
    OpenApiExample(
        "now",
        response_only=True,
        status_codes=["200"],
        value={
            "user": PETYA,
            "account": ACCOUNT_ID,
            "currency": "USD",
            "balance": "100.00",
            "held": "0.00",
            "available": "100.00",
            "version": 1,
            "at": "2026-01-01T12:00:00.000000Z",
            "known_at": "2026-01-01T12:00:00.000000Z",
        },
    )
]
NOW = "2026-01-01T12:00:00.000000Z"


def make_row(id: str, type: str, amount: str, balance_after: str, **changes: object) -> dict[str, object]:
    """A transaction that follows the deposit, effective when it was recorded."""
    row = {**POSTED, "id": id, "type": type, "amount": amount, "balance_after": balance_after}
    return {**row, "version": 2, "reference": "", "effective_at": NOW, "recorded_at": NOW, **changes}


def created(value: object, status: str = "201") -> OpenApiExample:
    return OpenApiExample("posted", response_only=True, status_codes=[status], value=value)


REVERSAL = "01910000-0000-7000-8000-00000000d003"
REVERSE = [
    OpenApiExample("paid twice", request_only=True, value={"id": REVERSAL, "reason": "paid twice"}),
    created(
        make_row(REVERSAL, "WITHDRAW", "100.00", "0.00", metadata={"reason": "paid twice"}, reverses=DEPOSIT)
    ),
]
TRANSFER = "01910000-0000-7000-8000-00000000d004"
CREATE_TRANSFER = [
    OpenApiExample(
        "to savings",
        request_only=True,
        value={"id": TRANSFER, "source": ACCOUNT_ID, "destination": SAVINGS_ID, "amount": "30.00"},
    ),
    created(
        {
            "id": TRANSFER,
            "source": make_row(TRANSFER, "WITHDRAW", "30.00", "70.00", transfer=TRANSFER),
            "destination": make_row(
                "bf79998a-dd42-8cf1-b689-686e59c753a9",
                "DEPOSIT",
                "30.00",
                "30.00",
                account=SAVINGS_ID,
                version=1,
                transfer=TRANSFER,
            ),
        }
    ),
]
CAPTURE_ID = "01910000-0000-7000-8000-00000000d005"
CAPTURE = [
    OpenApiExample("a click", request_only=True, value={"id": CAPTURE_ID, "amount": "0.50", "final": False}),
    created(make_row(CAPTURE_ID, "WITHDRAW", "0.50", "99.50", metadata={"final": "false"}, hold=HOLD_ID)),
]
SALE, FEE = "01910000-0000-7000-8000-00000000d006", "01910000-0000-7000-8000-00000000d007"
BATCH = [
    OpenApiExample(
        "a sale and its fee",
        request_only=True,
        value={
            "atomic": True,
            "transactions": [
                {"id": SALE, "account": ACCOUNT_ID, "type": "DEPOSIT", "amount": "20.00"},
                {"id": FEE, "account": ACCOUNT_ID, "type": "WITHDRAW", "amount": "1.00"},
            ],
        },
    ),
    created(
        {
            "results": [
                {"status": 201, "transaction": make_row(SALE, "DEPOSIT", "20.00", "120.00")},
                {"status": 201, "transaction": make_row(FEE, "WITHDRAW", "1.00", "119.00", version=3)},
            ]
        },
        status="200",
    ),
]
