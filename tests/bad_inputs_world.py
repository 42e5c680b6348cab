"""What the placeholders of the catalogue of bad inputs stand for."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from knox.settings import CONSTANTS

from accounts import tokens
from accounts.currencies import AMOUNT_MAX
from accounts.models import Account, User
from events import feed, subscriptions
from events.feed import Cursor
from ledger.values import format_time
from ledger_project.wsgi import application
from tests import asking
from tests.bad_inputs import TRANSACTIONS
from tests.cast import (
    CALLER,
    UserFactory,
    deposit,
    hold,
    issue_token,
    new_id,
)
from tests.claims import claim
from tests.names import PUBLIC
from tests.raw_requests import Request, send

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
    "claim_id": lambda world: str(claim(find_account(world), "10.00").id),
    "threshold_id": lambda world: str(asking.set_threshold(find_account(world), "5").id),
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


# The names of hosts that the cases have, and where they lead.
HOSTS = {
    "example.com": [PUBLIC],
    "metadata.google.internal": ["169.254.169.254"],
    "localtest.me": ["127.0.0.1"],
    "rebind.example.com": [PUBLIC, "127.0.0.1"],
}
