"""What the examples of the OpenAPI document name: once it is there, each can be tried out as it stands."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from django.db.transaction import atomic

from accounts import operations
from accounts.models import Threshold
from accounts.rest.schema import ACCOUNT_ID, CLAIM, HOLD_ID, PETYA, SAVINGS_ID, THRESHOLD_ID
from events.models import FeedState, Subscription
from events.rest.schema import SUBSCRIPTION_ID, URL
from ledger.callers import Caller
from transactions import posting
from transactions.models import Transaction
from transactions.posting import NewBatch
from transactions.posting.commands import (
    Capture,
    Command,
    NewClaim,
    NewHold,
    NewTransaction,
    SetThreshold,
    Transfer,
)
from transactions.rest.examples import BATCH, BATCH_ID, DEPOSIT, PAID, SECOND_HOLD, TRANSFER
from transactions.rest.requests import COMMANDS

PETYA_ID, ACCOUNT, HOLD = UUID(PETYA), UUID(ACCOUNT_ID), UUID(HOLD_ID)
# So that all others are covered, and the withdrawal of too much is too much.
MORE = UUID("01910000-0000-7000-8000-00000000d0ff")


@atomic
def make_examples(*, caller: Caller) -> None:
    """Once: told again it changes nothing. Raises `ExternalIdTaken`, `UserErased`."""
    user, was_there = operations.create_user(
        id=PETYA_ID,
        account_id=ACCOUNT,
        name="petya",
        external_id="crm-17",
        metadata={"tier": "gold"},
        caller=caller,
    )
    if was_there:
        return
    caller = caller._replace(actor=user.id)
    operations.create_account(
        user_id=user.id, account_id=UUID(SAVINGS_ID), currency="USD", name="savings", caller=caller
    )
    for command in make_commands():
        posting.post([command], caller=caller)
    [example] = [each.value for each in BATCH if each.request_only]
    asked = [[*COMMANDS.read_item(item, "")] for item in example["commands"]]
    hold_id = UUID(SECOND_HOLD)
    commands: list[Command] = [
        NewHold(id=hold_id, account_id=ACCOUNT, amount=Decimal(20)),
        Capture(id=UUID(PAID), hold_id=hold_id, account_id=ACCOUNT, amount=Decimal(20)),
    ]
    batch = NewBatch(id=UUID(BATCH_ID), asked=asked, atomic=True, reference=example["reference"])
    posting.post(commands, batch=batch, caller=caller)
    feed = FeedState.objects.get()
    Subscription.objects.create(  # past the look whether its host is there, which it is not; nothing is sent
        id=UUID(SUBSCRIPTION_ID),
        kind=Subscription.Kind.WEBHOOK,
        url=URL,
        types=["transaction.posted"],
        status=Subscription.Status.PAUSED,
        epoch=feed.epoch,
        position=feed.last_position,
        actor=user.id,
    )


def make_commands() -> list[Command]:
    """All but the list. The claim is made while there is nothing, and collected of what comes."""
    return [
        NewClaim(
            id=UUID(str(CLAIM["id"])),
            account_id=ACCOUNT,
            amount=Decimal(30),
            reason=str(CLAIM["reason"]),
            reference=str(CLAIM["reference"]),
        ),
        NewTransaction(
            id=UUID(DEPOSIT),
            account_id=ACCOUNT,
            type=Transaction.Type.DEPOSIT,
            amount=Decimal(100),
            effective_at=datetime(2023, 1, 4, tzinfo=UTC),
            reference="invoice 7",
        ),
        NewTransaction(id=MORE, account_id=ACCOUNT, type=Transaction.Type.DEPOSIT, amount=Decimal(170)),
        Transfer(id=UUID(TRANSFER), source_id=ACCOUNT, destination_id=UUID(SAVINGS_ID), amount=Decimal(30)),
        NewHold(id=HOLD, account_id=ACCOUNT, amount=Decimal(20), reference="campaign 9"),
        SetThreshold(
            account_id=ACCOUNT,
            amount=Decimal(10),
            of=Threshold.Of.AVAILABLE,
            threshold_id=UUID(THRESHOLD_ID),
        ),
    ]
