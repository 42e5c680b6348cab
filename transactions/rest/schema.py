"""What the OpenAPI document says of the operations that move, hold and read money."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer

from rest.schema import (
    IDEMPOTENCY_KEY,
    ON_AMOUNTS,
    ON_BODIES,
    ON_IDENTITY,
    ON_LISTS,
    Operation,
    answered,
    describe,
    operation,
)
from transactions import errors
from transactions.rest import examples, serializers
from transactions.rest.lists.filters import BY_METADATA

ON_COMMANDS = (*ON_BODIES, *ON_IDENTITY, "not_found", "token_bound", "request_in_progress")
ON_EFFECT = ("effective_at_in_future", "effective_at_too_early", "datetime_invalid", "datetime_precision")
DRY_RUN = 200
ON_MOMENTS = ("datetime_invalid", "datetime_precision", "datetime_ambiguous", "timezone_invalid")


def command(status: int, serializer: Any, *codes: str, **options: Any) -> Operation:
    """A command of money: what is said of any operation, and the answer to a dry run of it."""
    dry_run = serializers.DryRunSerializer
    if status != DRY_RUN:
        return operation(status, serializer, *codes, "invalid_parameter", also={DRY_RUN: dry_run}, **options)
    either = PolymorphicProxySerializer(
        f"{serializer.__name__.removesuffix('Serializer')}OrDryRun",
        [serializer, dry_run],
        resource_type_field_name=None,
    )
    return operation(status, either, *codes, "invalid_parameter", **options)


OF_REVERSALS = (errors.ALREADY_REVERSED, errors.REVERSAL_TOO_LARGE, errors.REVERSAL_TOO_SMALL)
# What only reversals, captures and groups are declined for is left out.
DECLINES_OF_ONE = [
    code
    for code in errors.DECLINES
    if code not in (*OF_REVERSALS, errors.HOLD_NOT_OPEN, errors.TRANSFER_DECLINED, errors.BATCH_DECLINED)
]

describe_transactions = describe(
    create=command(
        201,
        serializers.PostedTransactionSerializer,
        *ON_COMMANDS,
        "conflicting_fields",
        *ON_AMOUNTS,
        *ON_EFFECT,
        "currency_required",
        "currency_mismatch",
        *DECLINES_OF_ONE,
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.CREATE_TRANSACTION,
    ),
    list=operation(200, serializers.TransactionSerializer, *ON_LISTS, parameters=[BY_METADATA]),
    retrieve=operation(
        200, serializers.TransactionSerializer, "not_found", examples=[answered("posted", examples.POSTED)]
    ),
    reverse=command(
        201,
        PolymorphicProxySerializer(
            "Reversal",
            [serializers.PostedTransactionSerializer, serializers.TransferSerializer],
            resource_type_field_name=None,
        ),
        *ON_COMMANDS,
        *ON_AMOUNTS,
        *ON_EFFECT,
        "not_reversible",
        *OF_REVERSALS,
        *DECLINES_OF_ONE,
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.REVERSE,
    ),
)
describe_transfers = describe(
    create=command(
        201,
        serializers.TransferSerializer,
        *ON_COMMANDS,
        *ON_AMOUNTS,
        *ON_EFFECT,
        "conflicting_fields",
        "same_account",
        "currency_required",
        "currency_mismatch",
        "amounts_differ",
        *DECLINES_OF_ONE,
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.CREATE_TRANSFER,
    ),
    retrieve=operation(
        200, serializers.SeenTransferSerializer, "not_found", operation_id="transfers_retrieve"
    ),
)
describe_batches = describe(
    create=command(
        200,
        serializers.DecidedBatchSerializer,
        *ON_COMMANDS,
        *ON_AMOUNTS,
        *ON_EFFECT,
        "batch_too_large",
        "duplicate_id",
        "item_unknown",
        "conflicting_fields",
        "currency_required",
        "currency_mismatch",
        "amounts_differ",
        "same_account",
        "not_reversible",
        "hold_not_open",
        "sequence_mismatch",
        "expires_at_invalid",
        "too_many_claims",
        "batch_declined",
        operation_id="batches_create",
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.BATCH,
    ),
    retrieve=operation(200, serializers.BatchSerializer, "not_found", operation_id="batches_retrieve"),
    reverse=command(
        200,
        serializers.DecidedBatchSerializer,
        *ON_COMMANDS,
        "not_reversible",
        "batch_declined",
        operation_id="batches_reverse",
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.REVERSE_BATCH,
    ),
)
