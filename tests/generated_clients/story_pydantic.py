"""The story, by the models that datamodel-code-generator makes, and a client of one's own."""

import os
from typing import Any
from uuid import uuid4

import httpx
import ledger_models as models
from pydantic import BaseModel


def connect(name: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {os.environ['LEDGER_TOKEN']}", "Content-Type": "application/json"}
    return httpx.Client(base_url=f"{os.environ[name]}/api/v1", headers=headers)


today, tomorrow = connect("LEDGER_TODAY"), connect("LEDGER_TOMORROW")


def post(client: httpx.Client, path: str, body: BaseModel) -> httpx.Response:
    return client.post(path, content=body.model_dump_json(exclude_unset=True))


name = models.UserRequest(name="petya", external_id=str(uuid4()))
user = models.User.model_validate_json(post(today, "/users", name).content)


def ask(type: models.TransactionType, amount: str) -> models.TransactionRequest:
    return models.TransactionRequest(id=uuid4(), user=user.id, type=type, amount=amount)


answer = post(today, "/transactions", ask(models.TransactionType.DEPOSIT, "100.00"))
deposit = models.PostedTransaction.model_validate_json(answer.content)
assert (answer.status_code, deposit.balance_after) == (201, "100.00")
balance = models.Balance.model_validate_json(today.get(f"/users/{user.id}/balance").content)
assert balance.available == "100.00"

# A decline, with what its rule tells.
too_much = ask(models.TransactionType.WITHDRAW, "250.00")
answer = post(today, "/transactions", too_much)
assert answer.status_code == 402
declined = models.InsufficientFundsProblem.model_validate_json(answer.content)
assert (declined.code, declined.available, declined.required) == ("insufficient_funds", "100.00", "250.00")
assert declined.id == too_much.id

# A list of commands: each result is of one kind.
account = user.accounts[0].id
commands: list[Any] = [
    {"command": "hold", "account": account, "amount": "20.00"},
    {"command": "capture", "hold": "#0", "amount": "5.00"},
    {"command": "transaction", "account": account, "type": "WITHDRAW", "amount": "999.00"},
]
answer = post(today, "/batches", models.BatchRequest(id=uuid4(), atomic=False, commands=commands))
held, captured, refused = (
    each.root for each in models.DecidedBatch.model_validate_json(answer.content).results
)
assert isinstance(held, models.HoldResult)
assert isinstance(captured, models.TransactionResult)
assert isinstance(refused, models.ProblemResult)
assert (held.hold.amount, captured.transaction.hold) == ("20.00", held.hold.id)
assert refused.problem.available == "95.00"

# Events: what the data are goes by the type.
query = {"account": str(account), "types": "hold.placed,transaction.posted"}
feed = models.EventPage.model_validate_json(today.get("/events", params=query).content)
events = [event.root.root for event in feed.events if isinstance(event.root, models.KnownEvent)]
amounts = [event.data.amount for event in events if isinstance(event, models.TransactionEvent)]
assert amounts == ["100.00", "5.00"], feed

# A ledger of tomorrow: a code and a type that nobody knows today.
answer = post(tomorrow, "/transactions", ask(models.TransactionType.WITHDRAW, "250.00"))
unknown = models.InsufficientFundsProblem.model_validate_json(answer.content)
assert (unknown.code, unknown.available) == ("eclipse", "95.00")
later = models.EventPage.model_validate_json(tomorrow.get("/events", params=query).content)
for event in later.events:
    assert isinstance(event.root, models.OtherEvent)
    assert event.root.data == {"phase": "full"}
