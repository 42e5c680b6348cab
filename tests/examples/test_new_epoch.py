"""The ledger was restored and has lost the end of its history: the campaigns follow what it has."""

import random

import pytest
from django.db import transaction
from ledger_client import Refused, Unanswered
from ledger_client.feed import Consumer

from events import feed
from events.models import parse_cursor
from examples.ad_engine.engine import Engine
from ledger.callers import Caller
from tests import asking
from tests.asking import capture_of
from tests.cast import deposit, hold, new_id, withdraw
from tests.events.test_upkeep import age
from tests.examples.world import World, is_running, open_campaign, read_effects, read_events, read_place, tell


class Restore:
    """A backup is made on entering; on leaving the ledger is what it was then, in a new epoch."""

    def __init__(self, *, begins_epoch=True):
        self.begins_epoch = begins_epoch

    def __enter__(self):
        self.backup = transaction.savepoint()

    def __exit__(self, *_):
        transaction.savepoint_rollback(self.backup)
        if self.begins_epoch:
            feed.begin_epoch(force=True)


def prune(up_to):
    feed.read()
    age(100, up_to=up_to)
    while feed.prune(days=90):
        pass


def test_what_was_lost_is_undone_by_one_effect(engine, account):
    deposit(account, "10")
    with Restore():
        for _ in range(3):
            withdraw(account, "10")
            deposit(account, "10")
        withdraw(account, "10")
        tell(engine)
        assert not is_running(engine, account.id)
    before = read_effects(engine, account.id)
    tell(engine)
    assert read_effects(engine, account.id) == [*before, (4, "start")]
    withdraw(account, "10")
    tell(engine)
    assert read_effects(engine, account.id) == [*before, (4, "start"), (6, "stop")]


def test_what_is_as_it_was_has_no_effect(engine, account):
    deposit(account, "10")
    with Restore():
        deposit(account, "10")
        tell(engine)
    tell(engine)
    assert read_effects(engine, account.id) == [(4, "start")]


def test_one_event_of_it_sets_all_campaigns_right(engine, account):
    other = open_campaign()
    with Restore():
        deposit(other, "10")
        tell(engine)
        assert is_running(engine, other.id)
    deposit(account, "1")
    engine.hear(read_events()[-1])
    assert not is_running(engine, other.id)
    assert is_running(engine, account.id)


@pytest.mark.parametrize("pruned", [False, True])
def test_the_campaign_of_an_account_that_is_gone_stops(engine, account, pruned):
    if pruned:
        prune(up_to=1)
    with Restore():
        gone = open_campaign()
        deposit(gone, "10")
        tell(engine, [event for event in read_events() if event.account == gone.id])
    tell(engine)
    assert read_effects(engine, gone.id) == [(4, "start"), (0, "stop")]


def test_late_events_of_a_history_that_has_ended_are_dropped_and_nothing_is_read_anew(
    engine, account, monkeypatch
):
    with Restore():
        deposit(account, "10")
        ended = read_events()
    tell(engine)
    monkeypatch.delattr(Consumer, "begin_again")
    tell(engine, ended)
    assert read_place(engine, account.id) == 2
    assert read_effects(engine, account.id) == []


def test_it_is_noticed_in_the_middle_of_filling_a_gap(engine, account):
    tell(engine)
    with Restore():
        deposit(account, "10")
        withdraw(account, "10")
        deposit(account, "10")
        [*_, late] = read_events()
    deposit(account, "1")
    engine.hear(late)
    assert engine.book.recall("epoch") != str(late.epoch)
    assert is_running(engine, account.id)


def test_an_event_that_no_history_has_any_more_is_dropped(engine, account):
    tell(engine)
    with Restore():
        deposit(account, "10")
        withdraw(account, "10")
        [*_, late] = read_events()
    engine.hear(late)
    assert engine.book.recall("epoch") != str(late.epoch)
    assert read_effects(engine, account.id) == []


@pytest.mark.parametrize("seed", range(4))
def test_killed_while_it_reads_everything_anew_it_does_so_again(make_engine, monkeypatch, seed):
    world = World(random.Random(seed))
    world.change(times=20)
    with Restore():
        seen = dict(world.seen)
        world.change(times=20)
        tell(make_engine())
    world.seen = seen
    world.change(times=5)
    rebuild = Engine._read_anew
    lives = [1, 2]  # so many accounts until it is killed, and then started again

    def rebuild_or_die(engine, account, epoch):
        rebuild(engine, account, epoch)
        if lives:
            lives[0] -= 1
            if not lives[0]:
                raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "_read_anew", rebuild_or_die)
    engine = make_engine()
    while lives:
        with pytest.raises(KeyboardInterrupt):
            tell(engine)
        lives.pop(0)
        engine = make_engine()
    tell(engine)
    for id, (sequence, may) in world.seen.items():
        assert (read_place(engine, id), is_running(engine, id)) == (sequence, may)
        actions = [action for _, action in read_effects(engine, id)]
        assert actions == ["start", "stop"] * (len(actions) // 2) + ["start"] * (len(actions) % 2)


def test_a_history_of_several_pages_is_read_anew_without_an_effect(engine, account, monkeypatch):
    monkeypatch.setattr("ledger_client.ledger.EVENTS_MAX", 1)
    deposit(account, "100")
    asking.post([capture_of(hold(account, "60"))], caller=Caller(new_id()))
    with Restore():
        tell(engine)
    tell(engine)
    assert read_effects(engine, account.id) == [(4, "start")]
    assert read_place(engine, account.id) == 7


@pytest.mark.parametrize("begins_epoch", [True, False], ids=["another epoch", "a cursor ahead of the feed"])
def test_who_pulls_is_told_by_the_cursor(engine, account, begins_epoch):
    deposit(account, "10")
    with Restore(begins_epoch=begins_epoch):
        withdraw(account, "10")
        engine.pull()
        assert not is_running(engine, account.id)
    assert engine.pull()
    assert engine.book.recall("cursor") is None
    assert read_effects(engine, account.id) == [(4, "start"), (6, "stop"), (4, "start")]
    withdraw(account, "4")
    withdraw(account, "6")
    assert not engine.pull()
    assert parse_cursor(engine.book.recall("cursor")) == feed.read().cursor
    assert read_effects(engine, account.id)[3:] == [(7, "stop")]


def test_a_history_that_changes_while_it_is_read_is_read_again_later(engine, account):
    deposit(account, "10")
    tell(engine)
    other_epoch = new_id()
    with pytest.raises(Unanswered):
        engine.begin_again(other_epoch)
    assert engine.book.recall("epoch") != str(other_epoch)


def test_without_the_events_it_needs_it_does_not_guess(engine, account):
    deposit(account, "10")
    engine.pull()
    deposit(account, "10")
    deposit(account, "10")
    prune(up_to=6)
    with pytest.raises(Refused) as refused:
        engine.pull()
    assert refused.value.code == "events_pruned"
    with pytest.raises(Refused):
        engine.hear(read_events()[-1])
    assert read_effects(engine, account.id) == [(4, "start")]
