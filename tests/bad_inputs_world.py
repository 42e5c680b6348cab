"""What the placeholders of the catalogue of bad inputs stand for, and what its cases find in place."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.test import Client
from knox.settings import CONSTANTS

from accounts import tokens
from accounts.currencies import AMOUNT_MAX
from accounts.models import BALANCE_MAX, Account, User
from events import feed, subscriptions
from events.feed import Cursor
from events.models import Subscription
from events.subscriptions import SUBSCRIPTIONS_MAX
from ledger.callers import Caller
from ledger.values import format_time
from ledger_project.wsgi import application
from tests import asking
from tests.bad_inputs import TRANSACTIONS
from tests.cast import (
    CALLER,
    AccountFactory,
    OrderFactory,
    UserFactory,
    deposit,
    hold,
    issue_token,
    new_id,
    withdraw,
)
from tests.names import PUBLIC
from tests.raw_requests import Request, send
from transactions import posting
from transactions.models import Transaction
from transactions.posting.commands import Reversal

PLACEHOLDER = re.compile(r"\{\{([\w.]+)\}\}")
ALWAYS_NEW = {"new_uuid", "rand"}


class World(dict[str, str]):
    """What placeholders stand for, each made when it is first needed; what was set before, stands."""

    def __missing__(self, name: str) -> str:
        if name in ALWAYS_NEW:
            return str(new_id())
        self[name] = MAKE[name](self)
        return self[name]

    def fill(self, text: str) -> str:
        return PLACEHOLDER.sub(lambda match: self[match[1]], text)


def make_account(world: World) -> str:
    return str(UserFactory().accounts.get().id)


def find_account(world: World, name: str = "account_id") -> Account:
    return Account.objects.get(id=world[name])


def make_hold(world: World) -> str:
    """Of all that its account has."""
    deposit(find_account(world), "10.00")
    return str(hold(find_account(world), "10.00").id)


def in_time(**ahead: float) -> Callable[[World], str]:
    return lambda world: format_time(datetime.now(UTC) + timedelta(**ahead))


def find_cursor(world: World, address: str, caller: str = "token") -> str:
    """The cursor of the second page of a list that has one."""
    for _ in range(2):
        deposit(find_account(world), "1")
    headers = [("Host", "localhost"), ("Authorization", f"Bearer {world[caller]}")]
    page = send(application, Request("GET", f"{address}page_size=1", headers)).json()
    return str(parse_qs(urlsplit(page["next"]).query)["cursor"][0])


def make_webhook(world: World) -> str:
    """Another service's."""
    made, _ = subscriptions.create(kind="webhook", url=f"https://{PUBLIC}/{new_id()}", caller=CALLER)
    return str(made.id)


def find_place(*, ahead: int = 0, **of: UUID) -> str:
    """A cursor of the feed."""
    end = feed.read_state().end
    return Cursor(of.get("epoch", end.epoch), end.position + ahead).text


def flip_a_bit(cursor: str) -> str:
    return cursor[:-3] + chr(ord(cursor[-3]) ^ 1) + cursor[-2:]


def revoke(world: World) -> str:
    token: str = issue_token("api-post")
    assert tokens.revoke(token_key=token[: CONSTANTS.TOKEN_KEY_LENGTH], caller=CALLER) == 1
    return token


def disable(world: World) -> str:
    user = UserFactory()
    token: str = issue_token("api-post", user=user)
    User.objects.filter(id=user.id).update(is_active=False)
    return token


MAKE: dict[str, Callable[[World], str]] = {
    # Callers: a service, another one, and a holder who sees what is theirs
    "token": lambda world: issue_token("api-post"),
    "admin": lambda world: issue_token("api-admin"),
    "bob": lambda world: issue_token("api-post"),
    "alice": lambda world: world["token"],
    "holder": lambda world: issue_token(user=find_account(world, "alice_account").user),
    "valid": lambda world: issue_token("api-post"),
    "read_only": lambda world: issue_token("api-read"),
    "revoked": revoke,
    "expired": lambda world: issue_token("api-post", expiry=timedelta(seconds=-1)),
    "token_of_inactive_user": disable,
    # What is theirs
    "account_id": make_account,
    "account_id_2": make_account,
    "alice_account": make_account,
    "bob_account": make_account,
    "victim_account": make_account,
    "user_id": lambda world: str(find_account(world).user_id),
    "transaction_id": lambda world: str(deposit(find_account(world), "1").id),
    "hold_id": make_hold,
    "webhook_id": make_webhook,
    # Cursors
    "valid_cursor_bitflip": lambda world: flip_a_bit(find_cursor(world, f"{TRANSACTIONS}?")),
    "cursor_of_bob": lambda world: find_cursor(world, f"{TRANSACTIONS}?", "bob"),
    "cursor_from_other_filter": lambda world: find_cursor(world, f"{TRANSACTIONS}?type=DEPOSIT&"),
    "cursor_of_events_feed": lambda world: find_place(),
    "feed_pos_future": lambda world: find_place(ahead=1),
    "pos_from_old_epoch": lambda world: find_place(epoch=new_id()),
    # Values
    "U": lambda world: str(new_id()),
    "uuid_lower": lambda world: str(new_id()),
    "uuid_upper": lambda world: world["uuid_lower"].upper(),
    "now_rfc3339": in_time(),
    "now_plus_6min": in_time(minutes=6),
    "now_plus_1d": in_time(days=1),
    "now_plus_1y": in_time(days=365),
    "now_plus_5y": in_time(days=5 * 365),
    "closed_period_date": in_time(days=-3 * 365),
    "max_amount": lambda world: str(AMOUNT_MAX),
    "1_MB_of_a": lambda world: "a" * 1024 * 1024,
    "rebind_host": lambda world: "rebind.example.com",
}


def see_bobs(world: World) -> None:
    """Alice's token, Bob's things."""
    world["account_id"] = world["bob_account"]
    world["token"] = world["holder"]


def see_nobodys(world: World) -> None:
    """Alice's token, ids of nothing."""
    ids = ("account_id", "transaction_id", "user_id", "hold_id", "webhook_id")
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
    "target is a reversal": be_a_reversal,
    "target declined": be_declined,
    "deposit 10, then withdrew 10": spend,
    "limit 100/min": ask_a_hundred_times,
    "another account in euros": have_other_currency,
    "a user alice": lambda world: UserFactory(name="alice"),
    "a session of the back office": open_a_session,
    "as many subscriptions as there may be": subscribe_all,
}
# The names of hosts that the cases have, and where they lead.
HOSTS = {
    "example.com": [PUBLIC],
    "metadata.google.internal": ["169.254.169.254"],
    "localtest.me": ["127.0.0.1"],
    "rebind.example.com": [PUBLIC, "127.0.0.1"],
}
