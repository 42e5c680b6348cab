"""The examples of the OpenAPI document: the story of `accounts.rest.schema` goes on."""

from typing import Any

from accounts.rest.schema import ACCOUNT_ID, CLAIM, HOLD, HOLD_ID, PETYA, SAVINGS_ID, THRESHOLD_ID
from events.rest.schema import SUBSCRIPTION_ID
from rest.schema import answered, sent

DEPOSIT = "01910000-0000-7000-8000-00000000d001"
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
    "batch": None,
    "reverses": None,
    "reversed": "0.00",
    "reversed_by": [],
    "hold": None,
    "final": None,
    "claim": None,
    "request_id": "7d0c8f6e-3a0b-4f7e-9d52-0a4d2f1f9a11",
}
CREATE_TRANSACTION = [
    sent(
        "a deposit",
        {
            "id": DEPOSIT,
            "user": PETYA,
            "type": "DEPOSIT",
            "amount": "100.00",
            "effective_at": "2023-01-04T00:00:00Z",
            "reference": "invoice 7",
        },
    ),
    answered("posted", POSTED, 201),
    sent(
        "a withdrawal of too much",
        {
            "id": "01910000-0000-7000-8000-00000000d002",
            "user": PETYA,
            "type": "WITHDRAW",
            "amount": "250.00",
        },
    ),
    answered(
        "declined",
        {
            "type": "/errors/insufficient_funds",
            "title": "Payment Required",
            "status": 402,
            "detail": "The account has less available than the withdrawal requires.",
            "code": "insufficient_funds",
            "request_id": "0b9f1f0e-5a53-44c7-8b8c-0d5c5c2c4f10",
            "id": "01910000-0000-7000-8000-00000000d002",
            "available": "100.00",
            "required": "250.00",
        },
        402,
        media_type="application/problem+json",
    ),
]
READ_BALANCE = [
    answered(
        "now",
        {
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


REVERSAL = "01910000-0000-7000-8000-00000000d003"
REVERSE = [
    sent("paid twice", {"id": REVERSAL, "reason": "paid twice"}),
    answered(
        "posted",
        make_row(REVERSAL, "WITHDRAW", "100.00", "0.00", metadata={"reason": "paid twice"}, reverses=DEPOSIT),
        201,
    ),
]
TRANSFER = "01910000-0000-7000-8000-00000000d004"
CREATE_TRANSFER = [
    sent("to savings", {"id": TRANSFER, "source": ACCOUNT_ID, "destination": SAVINGS_ID, "amount": "30.00"}),
    answered(
        "posted",
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
        },
        201,
    ),
]
CAPTURE_ID = "01910000-0000-7000-8000-00000000d005"
CAPTURE = [
    sent("a click", {"id": CAPTURE_ID, "amount": "0.50", "final": False}),
    answered(
        "posted",
        make_row(CAPTURE_ID, "WITHDRAW", "0.50", "99.50", hold=HOLD_ID, final=False),
        201,
    ),
]
BATCH_ID, SECOND_HOLD = "01910000-0000-7000-8000-00000000d006", "01910000-0000-7000-8000-00000000d007"
PAID = "01910000-0000-7000-8000-00000000d008"
BATCH = [
    sent(
        "money set aside, and part of it moved on",
        {
            "id": BATCH_ID,
            "atomic": True,
            "reference": "order 7",
            "commands": [
                {"command": "hold", "id": SECOND_HOLD, "account": ACCOUNT_ID, "amount": "20.00"},
                {"command": "capture", "id": PAID, "hold": "#0", "amount": "20.00"},
            ],
        },
    ),
    answered(
        "posted",
        {
            "id": BATCH_ID,
            "atomic": True,
            "results": [
                {
                    "status": 201,
                    "hold": {
                        **HOLD,
                        "id": SECOND_HOLD,
                        "amount": "20.00",
                        "remaining": "20.00",
                        "reference": "",
                        "batch": BATCH_ID,
                        "created_at": NOW,
                    },
                },
                {
                    "status": 201,
                    "transaction": make_row(
                        PAID, "WITHDRAW", "20.00", "80.00", batch=BATCH_ID, hold=SECOND_HOLD, final=True
                    ),
                },
            ],
        },
    ),
]
UNDONE = "01910000-0000-7000-8000-00000000d009"
REVERSE_BATCH = [
    sent("the order was cancelled", {"id": UNDONE, "reason": "cancelled"}),
    answered(
        "posted",
        {
            "id": UNDONE,
            "atomic": True,
            "results": [
                {
                    "status": 200,
                    "hold": {
                        **HOLD,
                        "id": SECOND_HOLD,
                        "amount": "20.00",
                        "captured": "20.00",
                        "remaining": "0.00",
                        "status": "CAPTURED",
                        "reference": "",
                        "batch": BATCH_ID,
                        "created_at": NOW,
                        "closed_at": NOW,
                    },
                },
                {
                    "status": 201,
                    "transaction": make_row(
                        "6641bbe2-c106-80ca-9282-cc28ea5bf6ed",
                        "DEPOSIT",
                        "20.00",
                        "100.00",
                        version=3,
                        batch=UNDONE,
                        metadata={"reason": "cancelled"},
                        reverses=PAID,
                    ),
                },
            ],
        },
    ),
]
# What stands in addresses, by the first word of their paths, and in queries that ask for it: there after
# `seed_demo`.
IN_PATHS = {
    "users": PETYA,
    "accounts": ACCOUNT_ID,
    "thresholds": THRESHOLD_ID,
    "transactions": DEPOSIT,
    "batches": BATCH_ID,
    "transfers": TRANSFER,
    "holds": HOLD_ID,
    "claims": CLAIM["id"],
    "subscriptions": SUBSCRIPTION_ID,
}
IN_QUERIES = {"from": "2023-01-01", "to": "2023-01-31"}


def name_in_addresses(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: examples of what must be said to try an operation out."""
    for path, item in result["paths"].items():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["example"] = IN_PATHS[path.split("/")[3]]
                elif parameter.get("required") and parameter["in"] == "query":
                    parameter["example"] = IN_QUERIES[parameter["name"]]
    return result
