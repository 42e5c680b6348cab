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
    "Users",
    create=operation(
        "createUser",
        "Create a user",
        """Creates an account holder, with an account called `main`. Send an `id`, an `Idempotency-Key` or
        your own `external_id`: repeated, it answers 201 with the user as it is now. Names need not be
        unique.""",
        201,
        serializers.UserSerializer,
        *ON_BODIES,
        *ON_IDENTITY,
        "currency_unknown",
        "currency_closed",
        "external_id_taken",
        "user_erased",
        leads_to=["getUser", "updateUser", "getUserBalance"],
        parameters=[IDEMPOTENCY_KEY, etag_of(201)],
        examples=[
            sent(
                "a user",
                {"id": PETYA, "name": "petya", "external_id": "crm-17", "metadata": {"tier": "gold"}},
            ),
            answered("created", USER, 201),
        ],
    ),
    list=operation(
        "listUsers",
        "List users",
        """Account holders with their accounts, newest first, all of them or those with exactly this name or
        external id. Without the permission to see all, only yourself.""",
        200,
        serializers.UserSerializer,
        *ON_LISTS,
    ),
    retrieve=operation(
        "getUser",
        "Get a user",
        """One account holder with all their accounts and what these have now. The `ETag` is of what `PATCH`
        can change, the name and the metadata.""",
        200,
        serializers.UserSerializer,
        "not_found",
        parameters=[etag_of()],
    ),
    partial_update=operation(
        "updateUser",
        "Change a user",
        """Changes the name, or replaces the whole metadata. What is so already is answered as it is. With
        `If-Match` it is changed only if nobody has changed it meanwhile.""",
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
    "Accounts",
    create=operation(
        "createAccount",
        "Open an account",
        """Opens another account for a user. User, currency and name together identify it: repeated, it
        answers 201 with the same account, whatever its metadata is by then.""",
        201,
        serializers.AccountSerializer,
        *ON_BODIES,
        "currency_unknown",
        "currency_closed",
        "not_found",
        "user_erased",
        leads_to=["getAccount", "getAccountBalance", "listThresholds"],
        parameters=[etag_of(201)],
        examples=[
            sent("savings", {"user": PETYA, "currency": "USD", "name": "savings"}),
            answered("opened", {**ACCOUNT, "id": SAVINGS_ID, "name": "savings"}, 201),
        ],
    ),
    list=operation(
        "listAccounts",
        "List accounts",
        """Accounts with what they have now, newest first; of one user, in one currency, of one status or
        with exactly this name, where that is asked for.""",
        200,
        serializers.AccountSerializer,
        *ON_LISTS,
    ),
    retrieve=operation(
        "getAccount",
        "Get an account",
        """One account: its rules, and what it has now. The `ETag` is of what `PATCH` can change, and not of
        balances, which are always in use.""",
        200,
        serializers.AccountSerializer,
        "not_found",
        parameters=[etag_of()],
    ),
)
describe_me = describe(
    "Token",
    retrieve=operation(
        "getMe",
        "Get the token that asks",
        """Whose token it is, what it may and is bound to, and until when. Every valid token may ask: it is
        the way to try one, and to see in time that it ends.""",
        200,
        serializers.MeSerializer,
    ),
)
describe_thresholds = describe(
    "Thresholds",
    create=operation(
        "createThreshold",
        "Set a threshold",
        """Names an amount of the balance, or of what is available: whenever a request leaves the account on
        its other side, an event tells it. Account, amount and `of` identify it: repeated, it is the same
        one. At most 20 of an account.""",
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
        leads_to=["deleteThreshold"],
        examples=[
            sent("stop the campaign", {"amount": "10.00", "of": "available"}),
            answered("set", THRESHOLD, 201),
        ],
    ),
    list=operation(
        "listThresholds",
        "List the thresholds of an account",
        """Its thresholds, newest first, each with the side on which the account is now and since when.""",
        200,
        serializers.ThresholdSerializer,
        *ON_LISTS,
        "not_found",
    ),
    destroy=operation(
        "deleteThreshold",
        "Remove a threshold",
        """Nobody is told of this amount any more. Its removal is told by an event.""",
        204,
        None,
        "not_found",
        "token_bound",
    ),
)
