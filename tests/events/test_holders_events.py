"""What a holder is told of their own events says nothing of how many there are of everybody."""

import json
import re
from decimal import Decimal

import pytest

from accounts import operations
from events import feed
from events.models import FeedState, PendingEvent
from ledger.callers import Caller
from tests import asking
from tests.cast import CALLER, AccountFactory, OrderFactory, deposit, new_id, withdraw
from tests.conftest import make_client

EVENTS = "/api/v1/events"
MANY = 3000
OPAQUE = re.compile(r'"cursor":"([\w-]+)"')
QUERIES = [
    {},
    {"limit": 2},
    {"types": "transaction.posted"},
    {"account": "own"},
    {"account": "own", "after_sequence": 1},
    {"account": "own", "after_sequence": 3},
    {"account": "foreign"},
    {"account": "foreign", "after_sequence": 0},
]


@pytest.fixture
def holders():
    """Two, each with money and a client."""
    accounts = [AccountFactory(funds="10") for _ in range(2)]
    for account in accounts:
        withdraw(account, "3")
    return [(account, make_client(user=account.user)) for account in accounts]


def post_many(account):
    for _ in range(MANY // 1000):
        asking.post(
            [OrderFactory(account=account, amount=Decimal(1)) for _ in range(1000)], caller=Caller(new_id())
        )


def ask(client, own, foreign, **query):
    """The answer with its cursor taken out, all headers but the request's id, and the cursor."""
    names = {"own": str(own.id), "foreign": str(foreign.id)}
    answer = client.get(EVENTS, {name: names.get(value, value) for name, value in query.items()})
    assert answer.status_code == 200, answer.content
    [cursor] = OPAQUE.findall(answer.content.decode())
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-Id"}
    return (hide_cursor(answer), headers), cursor


def hide_cursor(answer):
    return OPAQUE.sub('"cursor":""', answer.content.decode())


def test_thousands_of_events_of_others_change_nothing_but_opaque_text(holders):
    (own, client), (other, _) = holders
    stranger = AccountFactory()
    while feed.place_pending():
        pass
    before = [ask(client, own, other, **query) for query in QUERIES]
    last = FeedState.objects.get().last_position
    post_many(stranger)
    # The first question leaves events without their positions, which are not the holder's business either.
    after = [ask(client, own, other, **query) for query in QUERIES]
    waiting = PendingEvent.objects.count()
    assert FeedState.objects.get().last_position + waiting == last + MANY
    assert [shown for shown, _ in after] == [shown for shown, _ in before]
    cursors = [cursor for _, cursor in (*before, *after)]
    assert len(set(cursors)) == len(cursors)
    assert {len(cursor) for cursor in cursors} == {76}


def test_a_kept_cursor_goes_on_over_the_events_of_others(holders):
    (own, client), (other, _) = holders
    while feed.place_pending():
        pass
    _, cursor = ask(client, own, other)
    post_many(other)
    assert client.get(EVENTS, {"after": cursor}).json()["events"] == []
    deposit(own, "1")
    while feed.place_pending():
        pass
    page = client.get(EVENTS, {"after": cursor}).json()
    assert [(event["sequence"], event["position"]) for event in page["events"]] == [(4, None)]
    assert page["has_more"] is False


def test_an_account_that_is_opened_while_its_holder_reads_is_told(holders, monkeypatch):
    (own, client), _ = holders
    cursor = client.get(EVENTS).json()["cursor"]

    def place_pending(real=feed.place_pending):
        if own.user.accounts.count() == 1:
            operations.create_account(user_id=own.user_id, name="new", currency="USD", caller=CALLER)
        return real()

    monkeypatch.setattr(feed, "place_pending", place_pending)
    page = client.get(EVENTS, {"after": cursor}).json()
    assert [event["type"] for event in page["events"]] == ["account.opened"]


def test_nothing_that_a_holder_reads_has_a_number_of_the_whole_ledger(holders):
    (own, client), (other, _) = holders
    post_many(other)
    deposit(own, "1")
    while feed.place_pending():
        pass
    last = FeedState.objects.get().last_position
    positions = {*range(last - MANY, last + 1)}
    for kind in ("events", "transactions", "accounts", "holds", "users", "subscriptions"):
        shown = json.loads(hide_cursor(client.get(f"/api/v1/{kind}")))
        assert not positions & set(find_numbers(shown)), kind


def find_numbers(value):
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from find_numbers(each)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value


def test_who_may_see_everything_is_told_positions(holders, reader):
    page = reader.get(EVENTS).json()
    assert [event["position"] for event in page["events"]] == list(range(1, len(page["events"]) + 1))
