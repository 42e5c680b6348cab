"""The story, by the client that openapi-python-client makes."""

import os
from datetime import date
from uuid import uuid4

from ledger_client import AuthenticatedClient, models
from ledger_client.api.balances import get_user_balance
from ledger_client.api.batches import create_batch
from ledger_client.api.events import list_events
from ledger_client.api.transactions import create_transaction
from ledger_client.api.users import create_user


def connect(name: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=os.environ[name], token=os.environ["LEDGER_TOKEN"])


today, tomorrow = connect("LEDGER_TODAY"), connect("LEDGER_TOMORROW")

user = create_user.sync(client=today, body=models.UserRequest(name="petya", external_id=str(uuid4())))
assert isinstance(user, models.User)


def ask(type: models.TransactionType, amount: str) -> models.TransactionRequest:
    assert isinstance(user, models.User)
    return models.TransactionRequest(id=uuid4(), user=user.id, type_=type, amount=amount)


order = ask(models.TransactionType.DEPOSIT, "100.00")
order.effective_at = date(2023, 1, 4)
deposit = create_transaction.sync(client=today, body=order)
assert isinstance(deposit, models.PostedTransaction), deposit
assert deposit.balance_after == "100.00"
balance = get_user_balance.sync(user.id, client=today)
assert isinstance(balance, models.Balance)
assert balance.available == "100.00"

# A decline, with what its rule tells.
too_much = ask(models.TransactionType.WITHDRAW, "250.00")
declined = create_transaction.sync(client=today, body=too_much)
assert isinstance(declined, models.InsufficientFundsProblem), declined
assert (declined.code, declined.available, declined.required) == ("insufficient_funds", "100.00", "250.00")
assert declined.id == too_much.id

# A list of commands: each result is of one kind.
account = user.accounts[0].id
batch = create_batch.sync(
    client=today,
    body=models.BatchRequest(
        id=uuid4(),
        atomic=False,
        commands=[
            models.HoldItem(command="hold", account=account, amount="20.00"),
            models.CaptureItem(command="capture", hold="#0", amount="5.00"),
            models.TransactionItem(
                command="transaction", account=account, type_=models.TransactionType.WITHDRAW, amount="999.00"
            ),
        ],
    ),
)
assert isinstance(batch, models.DecidedBatch), batch
held, captured, refused = batch.results
assert isinstance(held, models.HoldResult)
assert isinstance(captured, models.TransactionResult)
assert isinstance(refused, models.ProblemResult)
assert (held.hold.amount, captured.transaction.hold) == ("20.00", held.hold.id)
assert refused.problem.available == "95.00"

# Events: what the data are goes by the type.
types = [models.EventType.HOLD_PLACED, models.EventType.TRANSACTION_POSTED]
feed = list_events.sync(client=today, account=account, types=types)
assert isinstance(feed, models.EventPage), feed
amounts = [event.data.amount for event in feed.events if isinstance(event, models.TransactionEvent)]
assert amounts == ["100.00", "5.00"], feed

# A ledger of tomorrow: a code and a type that nobody knows today.
unknown = create_transaction.sync(client=tomorrow, body=ask(models.TransactionType.WITHDRAW, "250.00"))
assert isinstance(unknown, models.InsufficientFundsProblem)
assert (unknown.code, unknown["moon"]) == ("eclipse", "new")
events = list_events.sync(client=tomorrow, account=account, types=types)
assert isinstance(events, models.EventPage)
for event in events.events:
    assert isinstance(event, models.OtherEvent)
    assert (event.type_, event.data["phase"]) == ("moon.rose", "full")
