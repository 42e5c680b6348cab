"""The examples of the OpenAPI document: one story, which a test replays against a server."""

from drf_spectacular.utils import OpenApiExample

PETYA = "01910000-0000-7000-8000-000000000001"
ACCOUNT_ID = "01910000-0000-7000-8000-00000000a001"
SAVINGS_ID = "01910000-0000-7000-8000-00000000a002"
ACCOUNT: dict[str, object] = {
    "id": ACCOUNT_ID,
    "user": PETYA,
    "name": "main",
    "currency": "USD",
    "status": "ACTIVE",
    "status_reason": "",
    "balance": "0.00",
    "held": "0.00",
    "available": "0.00",
    "credit_limit": "0.00",
    "withdraw_max": None,
    "withdraw_day_max": None,
    "version": 0,
    "metadata": {},
    "created_at": "2026-01-01T12:00:00.000000Z",
}
USER = {
    "id": PETYA,
    "external_id": "crm-17",
    "name": "petya",
    "metadata": {"tier": "gold"},
    "created_at": "2026-01-01T12:00:00.000000Z",
    "accounts": [ACCOUNT],
}
CREATE_USER = [
    OpenApiExample(
        "a user",
        request_only=True,
        value={"id": PETYA, "name": "petya", "external_id": "crm-17", "metadata": {"tier": "gold"}},
    ),
    OpenApiExample("created", response_only=True, status_codes=["201"], value=USER),
]
CHANGE_USER = [
    OpenApiExample("another name", request_only=True, value={"name": "Petya P."}),
    OpenApiExample("changed", response_only=True, status_codes=["200"], value={**USER, "name": "Petya P."}),
]
CREATE_ACCOUNT = [
    OpenApiExample("savings", request_only=True, value={"user": PETYA, "currency": "USD", "name": "savings"}),
    OpenApiExample(
        "opened",
        response_only=True,
        status_codes=["201"],
        value={**ACCOUNT, "id": SAVINGS_ID, "name": "savings"},
    ),
]
CHANGE_ACCOUNT = [
    OpenApiExample("a note", request_only=True, value={"metadata": {"purpose": "ads"}}),
    OpenApiExample(
        "changed",
        response_only=True,
        status_codes=["200"],
        value={**ACCOUNT, "metadata": {"purpose": "ads"}},
    ),
]


def done(value: object) -> OpenApiExample:
    return OpenApiExample("done", response_only=True, status_codes=["200"], value=value)


SET_LIMITS = [
    OpenApiExample("a credit line", request_only=True, value={"credit_limit": "50.00"}),
    done({**ACCOUNT, "available": "50.00", "credit_limit": "50.00"}),
]
FREEZE = [
    OpenApiExample("a chargeback", request_only=True, value={"reason": "chargeback 12"}),
    done({**ACCOUNT, "status": "FROZEN", "status_reason": "chargeback 12"}),
]
UNFREEZE = [
    OpenApiExample("settled", request_only=True, value={"reason": "chargeback 12 settled"}),
    done({**ACCOUNT, "status_reason": "chargeback 12 settled"}),
]
CLOSE = [
    OpenApiExample("the user left", request_only=True, value={"reason": "the user left"}),
    done({**ACCOUNT, "status": "CLOSED", "status_reason": "the user left"}),
]
HOLD_ID = "01910000-0000-7000-8000-00000000e001"
HOLD: dict[str, object] = {
    "id": HOLD_ID,
    "account": ACCOUNT_ID,
    "amount": "20.00",
    "captured": "0.00",
    "remaining": "20.00",
    "status": "OPEN",
    "decline_reason": None,
    "decline_details": None,
    "expires_at": None,
    "reference": "campaign 9",
    "metadata": {},
    "created_at": "2026-01-01T12:00:00.000000Z",
    "closed_at": None,
}
PLACE_HOLD = [
    OpenApiExample(
        "a budget",
        request_only=True,
        value={name: HOLD[name] for name in ("id", "account", "amount", "reference")},
    ),
    OpenApiExample("placed", response_only=True, status_codes=["201"], value=HOLD),
]
RELEASE_HOLD = [
    done({**HOLD, "remaining": "0.00", "status": "RELEASED", "closed_at": "2026-01-01T12:00:00.000000Z"})
]
