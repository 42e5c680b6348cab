"""What cases of the catalogue of bad inputs find in place."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from django.test import Client

from accounts.currencies import AMOUNT_MAX
from accounts.models import BALANCE_MAX, CLAIMS_MAX, THRESHOLDS_MAX
from events import feed
from events.models import Subscription
from events.subscriptions import SUBSCRIPTIONS_MAX
from ledger.callers import Caller
from ledger_project.wsgi import application
from tests import asking
from tests.bad_inputs import TRANSACTIONS
from tests.bad_inputs_world import World, find_account
from tests.cast import (
    AccountFactory,
    OrderFactory,
    UserFactory,
    deposit,
    hold,
    new_id,
    transfer,
    withdraw,
)
from tests.claims import claim
from tests.raw_requests import Request, send
from transactions import posting
from transactions.models import Transaction
from transactions.posting.commands import Reversal


def see_bobs(world: World) -> None:
    """Alice's token, Bob's things."""
    world["account_id"] = world["bob_account"]
    world["token"] = world["holder"]


def see_nobodys(world: World) -> None:
    """Alice's token, ids of nothing."""
    kinds = ("account", "transaction", "user", "hold", "claim", "threshold", "webhook")
    ids = (f"{kind}_id" for kind in kinds)
    world.update({name: str(new_id()) for name in ids})
    world["token"] = world["holder"]


def hold_half(world: World) -> None:
    deposit(find_account(world), "10.00")
    hold(find_account(world), "5.00")


def close(world: World, name: str = "account_id") -> None:
    asking.close(id=UUID(world[name]), reason="test", request_id="test")


def close_destination(world: World) -> None:
    deposit(find_account(world), "10.00")
    close(world, "account_id_2")


def have_other_currency(world: World) -> None:
    world["account_id_2"] = str(AccountFactory(currency="EUR").id)


def reverse(world: World) -> None:
    row = Transaction.objects.get(id=world["transaction_id"])
    asking.ask(Reversal(id=new_id(), reason="test", rows=[row]))


def be_a_reversal(world: World) -> None:
    reverse(world)
    world["transaction_id"] = str(Transaction.objects.get(reverses=world["transaction_id"]).id)


def be_a_withdrawal(world: World) -> None:
    deposit(find_account(world), "1")
    world["transaction_id"] = str(withdraw(find_account(world), "1").id)


def be_an_exchange(world: World) -> None:
    have_other_currency(world)
    deposit(find_account(world), "1")
    amounts = {"amount": "1", "destination_amount": Decimal(2)}
    row = transfer(find_account(world), find_account(world, "account_id_2"), **amounts)
    world["transaction_id"] = str(row.id)


def be_a_collection(world: World) -> None:
    collect(world)
    world["transaction_id"] = str(Transaction.objects.get(claim=world["claim_id"]).id)


def collect(world: World) -> None:
    """All that the claim claims."""
    assert world["claim_id"]
    deposit(find_account(world), "10.00")


def decline_a_claim(world: World) -> None:
    close(world)
    world["claim_id"] = str(claim(find_account(world), "10.00").id)


def claim_fifty_times(world: World) -> None:
    for _ in range(CLAIMS_MAX):
        claim(find_account(world), "10.00")


def set_twenty_thresholds(world: World) -> None:
    for number in range(THRESHOLDS_MAX):
        asking.set_threshold(find_account(world), 100 + number)


def spend_and_close(world: World) -> None:
    spend(world)
    close(world)


def capture_a_part(world: World) -> None:
    placed = asking.find_hold(UUID(world["hold_id"]))
    asking.ask(asking.capture_of(placed, Decimal(4), final=False))


def freeze_with_hold(world: World) -> None:
    assert world["hold_id"]
    asking.freeze(id=UUID(world["account_id"]), reason="test", request_id="test")


def be_declined(world: World) -> None:
    world["transaction_id"] = str(withdraw(find_account(world), "1").id)


def spend(world: World) -> None:
    world["transaction_id"] = str(deposit(find_account(world), "10").id)
    withdraw(find_account(world), "10")


def nearly_fill(world: World) -> None:
    account = find_account(world)
    orders = [OrderFactory(account=account, amount=AMOUNT_MAX) for _ in range(int(BALANCE_MAX / AMOUNT_MAX))]
    posting.post(orders, caller=Caller(account.user_id))


def open_a_session(world: World) -> None:
    browser = Client()
    browser.force_login(find_account(world).user)
    world["valid"] = browser.cookies["sessionid"].value


def ask_a_hundred_times(world: World) -> None:
    headers = [("Host", "localhost"), ("Authorization", f"Bearer {world['token']}")]
    for _ in range(100):
        assert send(application, Request("GET", TRANSACTIONS, headers)).status == 200


def subscribe_all(world: World) -> None:
    """As many as there may be."""
    epoch = feed.read_state().epoch
    Subscription.objects.bulk_create(
        Subscription(kind="webhook", url=str(number), epoch=epoch, position=0, actor=new_id())
        for number in range(SUBSCRIPTIONS_MAX)
    )


SETUP: dict[str, Callable[[World], object]] = {
    "alice's token, bob's object": see_bobs,
    "available 10.00": lambda world: deposit(find_account(world), "10.00"),
    "posted 10.00, held 5.00": hold_half,
    "closed": close,
    "balance near numeric max": nearly_fill,
    "destination closed": close_destination,
    "captured": lambda world: asking.ask(asking.capture_of(asking.find_hold(UUID(world["hold_id"])))),
    "voided": lambda world: asking.release_hold(id=UUID(world["hold_id"])),
    "reversed once": reverse,
    "captured 4.00 of it": capture_a_part,
    "hold frozen": freeze_with_hold,
    "target is a reversal": be_a_reversal,
    "target is a withdrawal": be_a_withdrawal,
    "target is an exchange": be_an_exchange,
    "target is a collection": be_a_collection,
    "closed after it": spend_and_close,
    "owes": lambda world: claim(find_account(world), "10.00"),
    "collected": collect,
    "declined": decline_a_claim,
    "as many claims as there may be": claim_fifty_times,
    "as many thresholds as there may be": set_twenty_thresholds,
    "target declined": be_declined,
    "deposit 10, then withdrew 10": spend,
    "limit 100/min": ask_a_hundred_times,
    "another account in euros": have_other_currency,
    "a user alice": lambda world: UserFactory(name="alice"),
    "a session of the back office": open_a_session,
    "as many subscriptions as there may be": subscribe_all,
}
