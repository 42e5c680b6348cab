"""What the OpenAPI document says of the operations on users and accounts.

Its examples are one story, which a test replays against a server.
"""

from accounts.rest import serializers
from rest.schema import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    ON_AMOUNTS,
    ON_BODIES,
    ON_CHANGES,
    ON_IDENTITY,
    ON_LISTS,
    answered,
    describe,
    etag_of,
    operation,
    sent,
)

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
    "owed": "0.00",
    "credit_limit": "0.00",
    "withdraw_max": None,
    "withdraw_day_max": None,
    "version": 0,
    "event_sequence": 1,
    "metadata": {},
    "created_at": "2026-01-01T12:00:00.000000Z",
}
USER = {
    "id": PETYA,
    "external_id": "crm-17",
    "name": "petya",
    "metadata": {"tier": "gold"},
    "created_at": "2026-01-01T12:00:00.000000Z",
    "erased_at": None,
    "accounts": [ACCOUNT],
}
CLAIM: dict[str, object] = {
    "id": "01910000-0000-7000-8000-00000000f001",
    "account": ACCOUNT_ID,
    "amount": "30.00",
    "collected": "0.00",
    "remaining": "30.00",
    "status": "OPEN",
    "decline_reason": None,
    "decline_details": None,
    "reason": "chargeback 12",
    "reference": "dispute 7",
    "destination": None,
    "reverses": None,
    "waived_reason": None,
    "batch": None,
    "created_at": "2026-01-01T12:00:00.000000Z",
    "closed_at": None,
}
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
    "batch": None,
    "created_at": "2026-01-01T12:00:00.000000Z",
    "closed_at": None,
}
THRESHOLD_ID = "01910000-0000-7000-8000-00000000b001"
THRESHOLD: dict[str, object] = {
    "id": THRESHOLD_ID,
    "account": ACCOUNT_ID,
    "of": "available",
    "amount": "10.00",
    "below": True,
    "since": "2026-01-01T12:00:00.000000Z",
    "created_at": "2026-01-01T12:00:00.000000Z",
}

describe_users = describe(
    create=operation(
        201,
        serializers.UserSerializer,
        *ON_BODIES,
        *ON_IDENTITY,
        "currency_unknown",
        "currency_closed",
        "external_id_taken",
        "user_erased",
        parameters=[IDEMPOTENCY_KEY, etag_of(201)],
        examples=[
            sent(
                "a user",
                {"id": PETYA, "name": "petya", "external_id": "crm-17", "metadata": {"tier": "gold"}},
            ),
            answered("created", USER, 201),
        ],
    ),
    list=operation(200, serializers.UserSerializer, *ON_LISTS, description="Users, newest first."),
    retrieve=operation(200, serializers.UserSerializer, "not_found", parameters=[etag_of()]),
    partial_update=operation(
        200,
        serializers.UserSerializer,
        *ON_BODIES,
        *ON_CHANGES,
        "not_found",
        "user_erased",
        parameters=[IF_MATCH, etag_of()],
        examples=[
            sent("another name", {"name": "Petya P."}),
            answered("changed", {**USER, "name": "Petya P."}),
        ],
    ),
)
describe_accounts = describe(
    create=operation(
        201,
        serializers.AccountSerializer,
        *ON_BODIES,
        "currency_unknown",
        "currency_closed",
        "not_found",
        "user_erased",
        parameters=[etag_of(201)],
        examples=[
            sent("savings", {"user": PETYA, "currency": "USD", "name": "savings"}),
            answered("opened", {**ACCOUNT, "id": SAVINGS_ID, "name": "savings"}, 201),
        ],
    ),
    list=operation(200, serializers.AccountSerializer, *ON_LISTS, description="Accounts, newest first."),
    retrieve=operation(200, serializers.AccountSerializer, "not_found", parameters=[etag_of()]),
)
describe_me = describe(
    retrieve=operation(
        200,
        serializers.MeSerializer,
        operation_id="me_retrieve",
        description="Whose token it is, what it may, and until when. Every valid token may ask.",
    ),
)
describe_thresholds = describe(
    create=operation(
        201,
        serializers.ThresholdSerializer,
        *ON_BODIES,
        *(code for code in ON_AMOUNTS if code != "amount_not_positive"),
        "invalid_choice",
        "not_found",
        "token_bound",
        "account_closed",
        "sequence_mismatch",
        "limit_reached",
        operation_id="accounts_thresholds_create",
        examples=[
            sent("stop the campaign", {"amount": "10.00", "of": "available"}),
            answered("set", THRESHOLD, 201),
        ],
    ),
    list=operation(
        200,
        serializers.ThresholdSerializer,
        *ON_LISTS,
        "not_found",
        operation_id="accounts_thresholds_list",
        description="The thresholds of an account, newest first.",
    ),
    destroy=operation(204, None, "not_found", "token_bound"),
)
