"""What the OpenAPI document says of what is done to an account: its holds, claims, rules and balances."""

from drf_spectacular.types import OpenApiTypes

from accounts.errors import DECLINES_OF_CLAIMS
from accounts.rest import serializers as account_serializers
from accounts.rest.schema import ACCOUNT, CLAIM
from rest.schema import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    ON_AMOUNTS,
    ON_BODIES,
    ON_CHANGES,
    ON_IDENTITY,
    ON_LISTS,
    Operation,
    answered,
    describe,
    etag_of,
    operation,
    sent,
)
from transactions import errors
from transactions.rest import examples, serializers
from transactions.rest.schema import ON_MOMENTS, command

describe_claims = describe(
    create=command(
        201,
        account_serializers.ClaimSerializer,
        *ON_BODIES,
        *ON_IDENTITY,
        *ON_AMOUNTS,
        "not_found",
        "token_bound",
        "same_account",
        "currency_mismatch",
        *(code for code in DECLINES_OF_CLAIMS if code != errors.BATCH_DECLINED),
        operation_id="accounts_claims_create",
        parameters=[IDEMPOTENCY_KEY],
        examples=[
            sent("a chargeback", {name: CLAIM[name] for name in ("id", "amount", "reason", "reference")}),
            answered("opened", CLAIM, 201),
        ],
    ),
    list=operation(200, account_serializers.ClaimSerializer, *ON_LISTS, description="Claims, newest first."),
    retrieve=operation(200, account_serializers.ClaimSerializer, "not_found", description="One claim."),
    waive=operation(
        200,
        account_serializers.ClaimSerializer,
        *ON_BODIES,
        "not_found",
        "token_bound",
        "claim_not_open",
        operation_id="claims_waive",
        examples=[
            sent("it was paid in cash", {"reason": "paid in cash"}),
            answered(
                "waived",
                {
                    **CLAIM,
                    "remaining": "0.00",
                    "status": "WAIVED",
                    "waived_reason": "paid in cash",
                    "closed_at": "2026-01-01T12:00:00.000000Z",
                },
            ),
        ],
    ),
)


def changing_status(status: str, *refusals: str, example: str, reason: str, sequence: int = 2) -> Operation:
    """What is said of giving an account this status: what else refuses it, and an example with its reason,
    and with the number of the event that tells it."""
    changed = {**ACCOUNT, "status": status, "status_reason": reason, "event_sequence": sequence}
    return operation(
        200,
        account_serializers.AccountSerializer,
        *ON_BODIES,
        "not_found",
        "token_bound",
        "sequence_mismatch",
        *refusals,
        examples=[sent(example, {"reason": reason}), answered("done", changed)],
    )


describe_rules = describe(
    partial_update=operation(
        200,
        account_serializers.AccountSerializer,
        *ON_BODIES,
        *ON_CHANGES,
        "not_found",
        "token_bound",
        parameters=[IF_MATCH, etag_of()],
        examples=[
            sent("a note", {"metadata": {"purpose": "ads"}}),
            answered("changed", {**ACCOUNT, "metadata": {"purpose": "ads"}, "event_sequence": 2}),
        ],
    ),
    limits=operation(
        200,
        account_serializers.AccountSerializer,
        *ON_BODIES,
        *ON_AMOUNTS,
        "not_found",
        "token_bound",
        "account_closed",
        "sequence_mismatch",
        "credit_limit_in_use",
        examples=[
            sent("a credit line", {"credit_limit": "50.00"}),
            answered("done", {**ACCOUNT, "available": "50.00", "credit_limit": "50.00", "event_sequence": 2}),
        ],
    ),
    freeze=changing_status("FROZEN", "account_closed", example="a chargeback", reason="chargeback 12"),
    unfreeze=changing_status(
        "ACTIVE", "account_closed", example="settled", reason="chargeback 12 settled", sequence=3
    ),
    close=changing_status(
        "CLOSED", "account_not_empty", "account_owes", example="the user left", reason="the user left"
    ),
)
describe_balances = describe(
    of_account=operation(
        200,
        serializers.BalanceSerializer,
        *ON_MOMENTS,
        "not_found",
        operation_id="accounts_balance_retrieve",
        examples=examples.READ_BALANCE,
    ),
    of_user=operation(
        200,
        serializers.BalanceSerializer,
        *ON_MOMENTS,
        "currency_required",
        "not_found",
        operation_id="users_balance_retrieve",
        examples=examples.READ_BALANCE,
    ),
    statement=operation(
        200,
        serializers.StatementSerializer,
        "required",
        "datetime_invalid",
        "timezone_invalid",
        "invalid_parameter",
        "not_found",
        also={(200, "text/csv"): OpenApiTypes.STR},
        operation_id="accounts_statement_retrieve",
    ),
)
