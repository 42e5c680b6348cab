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
    create=command(
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
        parameters=[IDEMPOTENCY_KEY, etag_of(201)],
        examples=[
            sent("a budget", {name: HOLD[name] for name in ("id", "account", "amount", "reference")}),
            answered("placed", HOLD, 201),
        ],
    ),
    list=operation(200, account_serializers.HoldSerializer, *ON_LISTS, description="Holds, newest first."),
    retrieve=operation(
        200, account_serializers.HoldSerializer, "not_found", description="One hold.", parameters=[etag_of()]
    ),
    partial_update=command(
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
        operation_id="holds_capture",
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.CAPTURE,
    ),
)
