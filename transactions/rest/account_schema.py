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
    "Claims",
    create=command(
        "createClaim",
        "Claim what an account owes",
        """Takes what the account can spare at once, and the rest of whatever comes in later, until all of
        it is collected; to `destination`, if there is one. An account can owe more than it has; its balance
        stays what it is.""",
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
        leads_to=["getClaim", "waiveClaim"],
        parameters=[IDEMPOTENCY_KEY],
        examples=[
            sent("a chargeback", {name: CLAIM[name] for name in ("id", "amount", "reason", "reference")}),
            answered("opened", CLAIM, 201),
        ],
    ),
    list=operation(
        "listClaims",
        "List claims",
        """Claims, newest first, open and closed: of an account or a user, of a status, in favour of a
        destination, or with exactly this reference.""",
        200,
        account_serializers.ClaimSerializer,
        *ON_LISTS,
    ),
    retrieve=operation(
        "getClaim",
        "Get a claim",
        """One claim: how much of it was collected, and how much is left.""",
        200,
        account_serializers.ClaimSerializer,
        "not_found",
    ),
    waive=operation(
        "waiveClaim",
        "Waive a claim",
        """Gives up what is left of it. What was collected stays collected. Of one that is waived already it
        is answered as it is.""",
        200,
        account_serializers.ClaimSerializer,
        *ON_BODIES,
        "not_found",
        "token_bound",
        "claim_not_open",
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


def changing_status(
    name: str,
    summary: str,
    description: str,
    status: str,
    *refusals: str,
    example: str,
    reason: str,
    sequence: int = 2,
) -> Operation:
    """What is said of giving an account this status: what else refuses it, and an example with its reason,
    and with the number of the event that tells it."""
    changed = {**ACCOUNT, "status": status, "status_reason": reason, "event_sequence": sequence}
    return operation(
        name,
        summary,
        description,
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
    "Accounts",
    partial_update=operation(
        "updateAccount",
        "Change an account",
        """Replaces the whole metadata. What is so already is answered as it is. With `If-Match` it is
        changed only if nobody has changed it meanwhile.""",
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
        "setAccountLimits",
        "Set limits",
        """Sets how far below zero the balance may go, and what one withdrawal, or those of a UTC day, may
        take. A limit that is not sent stays as it is; null takes it away.""",
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
    freeze=changing_status(
        "freezeAccount",
        "Freeze an account",
        """Money comes in and none goes out, and no hold is placed, until it is unfrozen. Of a frozen
        account it is answered as it is.""",
        "FROZEN",
        "account_closed",
        example="a chargeback",
        reason="chargeback 12",
    ),
    unfreeze=changing_status(
        "unfreezeAccount",
        "Unfreeze an account",
        """Money goes out again. Of an account that is not frozen it is answered as it is.""",
        "ACTIVE",
        "account_closed",
        example="settled",
        reason="chargeback 12 settled",
        sequence=3,
    ),
    close=changing_status(
        "closeAccount",
        "Close an account",
        """Nothing comes in or goes out any more, for ever. The account must be empty, without holds and
        without open claims. Of a closed account it is answered as it is.""",
        "CLOSED",
        "account_not_empty",
        "account_owes",
        example="the user left",
        reason="the user left",
    ),
)
describe_balances = describe(
    "Balances",
    of_account=operation(
        "getAccountBalance",
        "Get the balance of an account",
        """What the account has now, or had at a moment by what was effective then (`at`), or was known to
        have by what was recorded by then (`known_at`), or both.""",
        200,
        serializers.BalanceSerializer,
        *ON_MOMENTS,
        "not_found",
        examples=examples.READ_BALANCE,
    ),
    of_user=operation(
        "getUserBalance",
        "Get the balance of a user",
        """As of an account, of the user's `main` account or of the one that `account` names; `currency` is
        needed only where the user has accounts of that name in several.""",
        200,
        serializers.BalanceSerializer,
        *ON_MOMENTS,
        "currency_required",
        "not_found",
        examples=examples.READ_BALANCE,
    ),
    statement=operation(
        "getStatement",
        "Get the statement of an account",
        """All that moved from the first day to the last, both inclusive, by when it was effective, with the
        balances before, after and along it. As a table for who asks with `Accept: text/csv`.""",
        200,
        serializers.StatementSerializer,
        "required",
        "datetime_invalid",
        "timezone_invalid",
        "invalid_parameter",
        "not_found",
        also={(200, "text/csv"): OpenApiTypes.STR},
    ),
)
