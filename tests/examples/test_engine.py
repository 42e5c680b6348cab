"""The ad engine does each thing once, whether it is told often, in another order, or not at all."""

import ast
import random
import sqlite3
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from ledger_client import Event, Unanswered
from ledger_client.wire import read

import examples.ad_engine
from examples.ad_engine.engine import Engine
from ledger.callers import Caller
from tests import asking
from tests.asking import capture_of
from tests.cast import deposit, hold, hold_that_expires, new_id, withdraw
from tests.examples.world import World, is_running, read_effects, read_events, read_place, tell

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_told_lost_doubled_and_out_of_order_it_does_each_thing_once(engine, seed):
    chance = random.Random(seed)
    world = World(chance)
    world.change(times=60)
    events = read_events()
    last = {event.account: event for event in events if event.account}
    told = [event for event in events if chance.random() < 0.5] + list(last.values())
    told += chance.choices(told, k=20)
    chance.shuffle(told)
    tell(engine, told)
    world.require_heard(engine)
    assert sum(map(len, world.due.values())) > 5


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_any_moment_it_goes_on_where_it_was(make_engine, seed):
    chance = random.Random(seed)
    world = World(chance)
    world.change(times=30)
    deaths = 0

    def die():
        nonlocal deaths
        deaths += (dies := chance.random() < 0.3)
        return dies

    def make_mortal_engine():
        engine = make_engine()
        engine.database.create_function("dies", 0, die)
        for moment in ("BEFORE", "AFTER"):
            engine.database.execute(
                f"CREATE TEMP TRIGGER killed_{moment} {moment} INSERT ON campaign WHEN dies()"
                " BEGIN SELECT RAISE(ABORT, 'killed'); END"
            )
        return engine

    for event in read_events():
        engine = make_mortal_engine()
        while True:
            try:
                engine.hear(event)
                break
            except sqlite3.IntegrityError as error:
                if str(error) != "killed":
                    raise
                engine = make_mortal_engine()
    world.require_heard(make_engine())
    assert deaths > 10


def test_a_capture_neither_stops_nor_starts_what_goes_on_running(engine, account):
    deposit(account, "100")
    asking.post([capture_of(hold(account, "60"))], caller=Caller(new_id()))
    tell(engine)
    assert read_effects(engine, account.id) == [(4, "start")]


def test_what_a_final_capture_leaves_can_be_spent_again(engine, account):
    deposit(account, "100")
    asking.post([capture_of(hold(account, "100"), Decimal(60))], caller=Caller(new_id()))
    tell(engine)
    assert read_effects(engine, account.id) == [(4, "start"), (6, "stop"), (9, "start")]


def test_a_frozen_account_has_nothing_to_spend(engine, account):
    deposit(account, "100")
    asking.freeze(id=account.id, reason="fraud", request_id="test")
    deposit(account, "100")
    asking.unfreeze(id=account.id, reason="no fraud", request_id="test")
    withdraw(account, "200")
    asking.close(id=account.id, reason="gone", request_id="test")
    tell(engine)
    assert read_effects(engine, account.id) == [(4, "start"), (5, "stop"), (7, "start"), (9, "stop")]


def test_credit_counts_and_so_does_its_end(engine, account):
    for limit in ("10", "0"):
        asking.set_limits(id=account.id, limits={"credit_limit": Decimal(limit)}, request_id="test")
    tell(engine)
    assert read_effects(engine, account.id) == [(4, "start"), (6, "stop")]


def test_a_hold_whose_time_is_over_holds_nothing_any_more(engine, account):
    deposit(account, "10")
    hold_that_expires(account, "10")
    deposit(account, "1")  # which writes the end of the hold first
    tell(engine)
    assert read_effects(engine, account.id) == [(4, "start"), (6, "stop"), (8, "start")]


def test_a_declined_transaction_changes_nothing_but_the_place(engine, account):
    withdraw(account, "5")
    tell(engine)
    assert read_place(engine, account.id) == 3
    assert read_effects(engine, account.id) == []


def test_a_type_of_event_that_it_does_not_know_changes_nothing_but_the_place(engine, account):
    deposit(account, "5")
    tell(engine)
    [*_, last] = read_events()
    engine.hear(read(Event, {**last.raw, "sequence": 5, "type": "account_holder.moved", "data": {}}))
    assert read_place(engine, account.id) == 5
    assert is_running(engine, account.id)


def test_a_gap_longer_than_a_page_is_filled(engine, account, monkeypatch):
    monkeypatch.setattr("ledger_client.ledger.EVENTS_MAX", 3)
    for _ in range(5):
        deposit(account, "1")
        withdraw(account, "1")
    engine.hear(read_events()[-1])
    assert [action for _, action in read_effects(engine, account.id)] == ["start", "stop"] * 5


def test_an_event_that_the_ledger_does_not_show_is_to_be_told_again(engine, account):
    deposit(account, "5")
    [*_, last] = read_events()
    with pytest.raises(Unanswered):
        engine.hear(read(Event, {**last.raw, "sequence": 9}))
    assert is_running(engine, account.id)


def test_pulling_begins_where_it_ended(make_engine, account, monkeypatch):
    monkeypatch.setattr("ledger_client.ledger.EVENTS_MAX", 3)
    deposit(account, "5")
    engine = make_engine()
    assert engine.pull()
    assert not engine.pull()
    withdraw(account, "5")
    heard = []
    monkeypatch.setattr(Engine, "hear", lambda engine, event: heard.append(event.type))
    make_engine().pull()
    assert heard == ["transaction.posted", "balance.fell_below"]


def test_killed_in_the_middle_of_a_page_it_pulls_that_page_again(make_engine, account, monkeypatch):
    deposit(account, "5")
    with monkeypatch.context() as patch:
        patch.delattr(Engine, "_store")
        with pytest.raises(AttributeError):
            make_engine().pull()
    make_engine().pull()
    assert is_running(make_engine(), account.id)


def test_effects_can_neither_be_doubled_nor_changed_nor_removed(engine, account):
    deposit(account, "5")
    tell(engine)
    for statement in (
        "INSERT INTO effect (epoch, account, account_sequence, action, at)"
        " SELECT epoch, account, 99, action, at FROM effect",
        "UPDATE effect SET action = 'stop'",
        "DELETE FROM effect",
    ):
        with pytest.raises(Exception, match=r"state already|append-only"):
            engine.database.execute(statement)


def test_it_imports_nothing_of_the_ledger():
    allowed = {"examples", "ledger_client", "kombu", "rich"}
    for path in Path(examples.ad_engine.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names = {module.split(".")[0] for module in modules}
            assert names <= allowed | sys.stdlib_module_names
