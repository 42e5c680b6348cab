"""Years later everything that may go has left the feed: and all that is proven is as it was before."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Account, Hold, User
from events import feed
from events.models import Event, Placement, Subscription
from tests.cast import deposit
from tests.histories.clock import moving_clock
from tests.tampering.drill import find_wrong, make_anchor
from tests.tampering.ledger import make_everything
from tests.transactions.conftest import run_command
from tests.transactions.told import read_events
from transactions import reading

pytestmark = pytest.mark.drill

RULES = ("name", "status", "status_reason", "credit_limit", "withdraw_max", "withdraw_day_max", "metadata")
KEEP = 90  # days


@pytest.fixture
def pruned(db, small_steps):
    """A ledger with everything in it, and what was known of it before nearly all events left its feed."""
    account = make_everything()
    before = take_down(account)
    feed.place_pending()
    Subscription.objects.update(position=feed.read_state().last_position)  # everything was sent
    anchor = make_anchor()
    with moving_clock():  # years later
        young = deposit(account, "7")
        feed.place_pending()
        while feed.prune(days=KEEP):
            pass
        yield account, before, anchor, young


def take_down(account):
    """What nothing that is pruned may change."""
    now = datetime.now(UTC)
    moments = [account.created_at, *(now - timedelta(days=days) for days in (0, 1, 400, 900))]
    return {
        "cursor": feed.read(limit=1).cursor,
        "told": list(Event.objects.filter(about=None).order_by("stream", "sequence").values()),
        "balances": read_balances(account, moments),
        "moments": moments,
    }


def read_balances(account, moments):
    found = [reading.read_balance_at(account.id, at=moment, known_at=moments[1]) for moment in moments]
    return [(balance.balance, balance.version) for balance in found]


def fold(events, resource):
    """What the events have told of it last; and first."""
    told = [event.data for event in events if event.data.get("id") == str(resource.id)]
    return told[0], told[-1]


def test_events_that_tell_more_than_a_row_are_all_there_and_the_others_are_gone(pruned):
    _, before, _, young = pruned
    kept = Event.objects.filter(about=None).order_by("stream", "sequence")
    assert [event for event in kept.values() if event["recorded_at"] < young.recorded_at] == before["told"]
    [left] = Event.objects.exclude(about=None)
    assert (left.stream, left.about) == (young.account_id, young.seq)
    assert Placement.objects.count() == Event.objects.filter(recorded_at__gte=young.recorded_at).count()


def test_accounts_holds_and_users_are_what_their_events_told(pruned):
    events = read_events(about=None)
    for account in Account.objects.with_held_due():
        first, last = fold(events, account)
        assert {name: last[name] for name in RULES} == {name: account.to_dict()[name] for name in RULES}
        for name in ("user", "currency", "created_at"):
            assert first[name] == account.to_dict()[name]
    for hold in Hold.objects.with_clock():
        _, last = fold(events, hold)
        assert last == hold.to_dict()
    for user in User.objects.filter(event_sequence__gt=0):
        _, last = fold(events, user)
        assert (last["name"], last["external_id"], last["metadata"]) == (
            user.name, user.external_id, user.metadata
        )  # fmt: skip


def test_the_audit_is_clean_and_an_anchor_from_before_holds(pruned):
    _, _, anchor, _ = pruned
    assert {outcome: findings for outcome, findings in find_wrong(anchor) if findings} == {}


def test_balances_of_the_past_are_as_they_were(pruned):
    account, before, _, _ = pruned
    assert read_balances(account, before["moments"]) == before["balances"]


def test_a_cursor_into_what_is_gone_is_refused_and_the_feed_goes_on(pruned, reader):
    _, before, _, young = pruned
    answer = reader.get("/api/v1/events", {"after": before["cursor"].text})
    assert (answer.status_code, answer.json()["code"]) == (410, "events_pruned")
    events = reader.get("/api/v1/events").json()["events"]
    assert [event["data"]["id"] for event in events][-1] == str(young.id)


def test_the_command_prunes_the_same(pruned):
    assert run_command("prune_events") == (0, "0 events left the feed.\n")
