"""What the OpenAPI document says of holds."""

from drf_spectacular.utils import PolymorphicProxySerializer

from accounts.errors import ACCOUNT_FROZEN, INSUFFICIENT_FUNDS, LIMIT_EXCEEDED
from accounts.errors import DECLINES as DECLINES_OF_HOLDS
from accounts.rest import serializers as account_serializers
from accounts.rest.schema import HOLD
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
from transactions import errors
from transactions.rest import examples, serializers
from transactions.rest.schema import DECLINES_OF_ONE, ON_COMMANDS, command

CHANGED = {**HOLD, "amount": "25.00", "remaining": "25.00", "expires_at": "2998-01-03T17:00:00.000000Z"}

describe_holds = describe(
    "Holds",
    create=command(
        "createHold",
        "Place a hold",
        """Sets funds of an account aside: they stay in its balance and are not available to anything else,
        until they are captured or released, or the hold expires.""",
        201,
        account_serializers.HoldSerializer,
        *ON_BODIES,
        *ON_IDENTITY,
        *ON_AMOUNTS,
        "expires_at_invalid",
        "not_found",
        "token_bound",
        "conflicting_fields",
        "currency_required",
        "currency_mismatch",
        *(code for code in DECLINES_OF_HOLDS if code != errors.BATCH_DECLINED),
        leads_to=["getHold", "updateHold", "captureHold", "releaseHold"],
        parameters=[IDEMPOTENCY_KEY, etag_of(201)],
        examples=[
            sent("a budget", {name: HOLD[name] for name in ("id", "account", "amount", "reference")}),
            answered("placed", HOLD, 201),
        ],
    ),
    list=operation(
        "listHolds",
        "List holds",
        """Holds, newest first, of an account or a user, of a status or of a batch, where that is asked for.
        One whose time is over is found as expired.""",
        200,
        account_serializers.HoldSerializer,
        *ON_LISTS,
    ),
    retrieve=operation(
        "getHold",
        "Get a hold",
        """One hold: how much of it was captured, and how much is left. The `ETag` is of what `PATCH` can
        change, the amount and the end.""",
        200,
        account_serializers.HoldSerializer,
        "not_found",
        parameters=[etag_of()],
    ),
    partial_update=command(
        "updateHold",
        "Change a hold",
        """Gives an open hold another amount, all of it with what was captured, or another end. What is so
        already is answered as it is. A larger one must be covered, else it is declined with 402 and stays
        as it was.""",
        200,
        account_serializers.HoldSerializer,
        *ON_BODIES,
        *ON_AMOUNTS,
        *ON_CHANGES,
        "expires_at_invalid",
        "not_found",
        "token_bound",
        "hold_not_open",
        "amount_captured",
        "sequence_mismatch",
        INSUFFICIENT_FUNDS,
        ACCOUNT_FROZEN,
        LIMIT_EXCEEDED,
        parameters=[IF_MATCH, etag_of()],
        examples=[
            sent("a larger budget, until Friday", {"amount": "25.00", "expires_at": CHANGED["expires_at"]}),
            answered("changed", CHANGED),
        ],
    ),
    release=command(
        "releaseHold",
        "Release a hold",
        """Gives back what is left of a hold. What was captured stays captured. Of one that is released
        already it is answered as it is. The body may be left away.""",
        200,
        account_serializers.HoldSerializer,
        "not_found",
        "token_bound",
        "hold_not_open",
        "sequence_mismatch",
        examples=[
            answered(
                "done",
                {
                    **HOLD,
                    "remaining": "0.00",
                    "status": "RELEASED",
                    "closed_at": "2026-01-01T12:00:00.000000Z",
                },
            )
        ],
    ),
    capture=command(
        "captureHold",
        "Capture a hold",
        """Takes money that was set aside: without an amount all that is left. The rest is given back,
        unless `final` is false. With a `destination` it is a transfer to another account, with
        `destinations` several at once.""",
        201,
        PolymorphicProxySerializer(
            "Capture",
            [
                serializers.TransactionSerializer,
                serializers.TransferSerializer,
                serializers.SplitCaptureSerializer,
            ],
            resource_type_field_name=None,
        ),
        *ON_COMMANDS,
        *ON_AMOUNTS,
        "conflicting_fields",
        "currency_required",
        "currency_mismatch",
        "same_account",
        errors.HOLD_NOT_OPEN,
        *DECLINES_OF_ONE,
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.CAPTURE,
    ),
)
