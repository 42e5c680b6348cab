"""What the OpenAPI document says of the operations that move, hold and read money."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer

from accounts.rest import serializers as account_serializers
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

ON_COMMANDS = (*ON_BODIES, *ON_IDENTITY, "not_found", "token_bound", "request_in_progress")
ON_EFFECT = ("effective_at_in_future", "effective_at_too_early", "datetime_invalid", "datetime_precision")
DRY_RUN = 200
ON_MOMENTS = ("datetime_invalid", "datetime_precision", "datetime_ambiguous", "timezone_invalid")


def command(
    name: str, summary: str, description: str, status: int, serializer: Any, *codes: str, **options: Any
) -> Operation:
    """A command of money: what is said of any operation, and the answer to a dry run of it."""
    dry_run = serializers.DryRunSerializer
    codes = (*codes, "invalid_parameter")
    if status != DRY_RUN:
        also = {DRY_RUN: dry_run}
        return operation(name, summary, description, status, serializer, *codes, also=also, **options)
    either = PolymorphicProxySerializer(
        f"{serializer.__name__.removesuffix('Serializer')}OrDryRun",
        [serializer, dry_run],
        resource_type_field_name=None,
    )
    return operation(name, summary, description, status, either, *codes, **options)


OF_REVERSALS = (errors.ALREADY_REVERSED, errors.REVERSAL_TOO_LARGE, errors.REVERSAL_TOO_SMALL)
# What only reversals, captures and groups are declined for is left out.
DECLINES_OF_ONE = [
    code
    for code in errors.DECLINES
    if code not in (*OF_REVERSALS, errors.HOLD_NOT_OPEN, errors.TRANSFER_DECLINED, errors.BATCH_DECLINED)
]

describe_transactions = describe(
    "Transactions",
    create=command(
        "createTransaction",
        "Deposit or withdraw",
        """Posts a deposit or a withdrawal on an account, or on the main account of a user, exactly once. A
        withdrawal that is not covered is declined with 402: that too is recorded under its id and answered
        again. With an `effective_at` in the past it counts from then on.""",
        201,
        serializers.PostedTransactionSerializer,
        *ON_COMMANDS,
        "conflicting_fields",
        *ON_AMOUNTS,
        *ON_EFFECT,
        "currency_required",
        "currency_mismatch",
        *DECLINES_OF_ONE,
        leads_to=["getTransaction", "reverseTransaction"],
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.CREATE_TRANSACTION,
    ),
    list=operation(
        "listTransactions",
        "List transactions",
        """Transactions, posted and declined, newest first by `recorded_at`. `…_after` is later than the
        moment, `…_before` up to and including it; a date is the end of its day.""",
        200,
        serializers.TransactionSerializer,
        *ON_LISTS,
    ),
    retrieve=operation(
        "getTransaction",
        "Get a transaction",
        """One transaction, posted or declined, as it was decided, and what was taken back of it since.""",
        200,
        serializers.TransactionSerializer,
        "not_found",
        examples=[answered("posted", examples.POSTED)],
    ),
    reverse=command(
        "reverseTransaction",
        "Reverse a transaction",
        """Takes back all that is left of a transaction, or the `amount` that is sent; of a transfer both
        legs, whichever was named. With `claim`, what is not there any more is owed: then the answer is the
        claim.""",
        201,
        PolymorphicProxySerializer(
            "Reversal",
            [
                serializers.PostedTransactionSerializer,
                serializers.TransferSerializer,
                account_serializers.ClaimSerializer,
            ],
            resource_type_field_name=None,
        ),
        *ON_COMMANDS,
        *ON_AMOUNTS,
        *ON_EFFECT,
        "not_reversible",
        "not_claimable",
        "too_many_claims",
        *OF_REVERSALS,
        *DECLINES_OF_ONE,
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.REVERSE,
    ),
)
describe_transfers = describe(
    "Transfers",
    create=command(
        "createTransfer",
        "Transfer money",
        """Moves money from one account to another, exactly once: a withdrawal and a deposit, posted
        together or not at all. Between two currencies send both amounts. Declined, it is answered with the
        reason of the leg that is to blame.""",
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
        leads_to=["getTransfer", "reverseTransaction"],
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.CREATE_TRANSFER,
    ),
    retrieve=operation(
        "getTransfer",
        "Get a transfer",
        """Both legs, posted or declined. Of the leg on somebody else's account its holder's counterpart
        sees what was moved, when, and on which account.""",
        200,
        serializers.SeenTransferSerializer,
        "not_found",
    ),
)
describe_batches = describe(
    "Batches",
    create=command(
        "createBatch",
        "Post a list of commands",
        """Decides up to 1,000 commands of any kinds in their order, in one commit. With `atomic` all are
        posted, or none and the answer is 422 `batch_declined`; else each stands for itself, and the answer
        is 200 with a result for each. A capture or a release may name the hold that an earlier item places:
        `#0` is the first.""",
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
        problems={422: serializers.BatchDeclinedProblemSerializer},
        leads_to=["getBatch", "reverseBatch"],
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.BATCH,
    ),
    retrieve=operation(
        "getBatch",
        "Get a batch",
        """A list of commands, and all that was made of it: transactions, holds and claims.""",
        200,
        serializers.BatchSerializer,
        "not_found",
    ),
    reverse=command(
        "reverseBatch",
        "Reverse a batch",
        """Takes back what is left of a list, all or nothing: transactions are reversed, open holds
        released. It is itself a list, of what takes it back.""",
        200,
        serializers.DecidedBatchSerializer,
        *ON_COMMANDS,
        "not_reversible",
        "batch_declined",
        problems={422: serializers.BatchDeclinedProblemSerializer},
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.REVERSE_BATCH,
    ),
)
