"""The feed and its relay where something happens in the worst moment. Each was a fault once."""

import time

import psycopg
import pytest
from django.db import OperationalError, connection
from django.utils.timezone import now

from events import feed, relay
from events.errors import EventsPruned
from events.models import Cursor, Subscription
from events.relay import Relay
from tests import cast
from tests.cast import deposit
from tests.events.conftest import subscribe, take_seconds
from tests.faults.clusters import TRANSACTIONS, wait_for_replay, working_on
from tests.faults.restores import run
from tests.faults.test_epochs import (  # noqa: F401
    database_access,
    dump,
    empty_ledger,
    primary,
    standby,
)  # fmt: skip
from tests.receivers import receiver

PRUNE = """
ALTER TABLE events_event DISABLE TRIGGER USER; ALTER TABLE events_placement DISABLE TRIGGER USER;
ALTER TABLE events_feed_state DISABLE TRIGGER USER;
UPDATE events_feed_state SET pruned_through = 5;
DELETE FROM events_event WHERE about IS NOT NULL
    AND (stream, sequence) IN (SELECT stream, sequence FROM events_placement WHERE position <= 5);
DELETE FROM events_placement WHERE position <= 5;
"""


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_an_error_cut_short_starves_nobody(settings, account, monkeypatch):
    settings.WEBHOOK_LOOPBACK, settings.RELAY_LEASE_SECONDS = True, 1.0
    with receiver(take_seconds(0.05)) as busy, receiver() as starved:
        for url in (busy.url, starved.url):
            subscribe(url)
        for _ in range(150):
            deposit(account, "1")
        real, calls = feed.read, []

        def read(*arguments, **named):
            calls.append(1)
            if len(calls) == 2:
                raise OperationalError("the connection is gone")
            return real(*arguments, **named)

        monkeypatch.setattr(feed, "read", read)
        ends_at = time.monotonic() + 12

        def post_and_stop_in_time():
            deposit(account, "1")
            if time.monotonic() > ends_at:
                working.stop()

        monkeypatch.setattr(relay, "CHORES_SECONDS", 0.05)
        working = Relay(chores=(post_and_stop_in_time,))
        working.run()
        assert min(len(busy.requests), len(starved.requests)) > 0


def test_a_backup_restored_over_the_same_database_is_noticed(primary, tmp_path):  # noqa: F811
    with working_on(primary) as world:
        world.begin().deposit(5)
        dump(primary, tmp_path / "dump")
        world.deposit(4)
        _, cursor = world.read_events()
    options = ["--clean", "--if-exists", "-d", "ledger", "--exit-on-error"]
    run(primary, "pg_restore", *options, str(tmp_path / "dump"))
    with working_on(primary) as copy:
        copy.go_on(world)
        copy.deposit(6)
        answer = copy.get_events(cursor)
        assert answer.status_code in (503, 410), f"the reader is given {len(answer.json()['events'])} of 6"


def test_claiming_keeps_its_leases_while_somebody_holds_the_feed(primary, settings):  # noqa: F811
    settings.WEBHOOK_LOOPBACK, settings.RELAY_LEASE_SECONDS = True, 2.0
    with working_on(primary) as world, receiver() as one:
        world.begin()
        for number in range(8):
            subscribe(f"{one.url}{number}")
        world.deposit(2)
        feed.place_pending()
        with psycopg.connect(host=str(primary.socket_folder), user="postgres", dbname="ledger") as other:
            other.execute("SELECT FROM events_feed_state FOR UPDATE")
            world.deposit(1)
            working, began = Relay(), time.monotonic()
            working.claim()
            lapsed = Subscription.objects.filter(leased_until__lt=now()).count()
            seconds = time.monotonic() - began
        working.finish()
        assert lapsed == 0, f"{lapsed} of 8 leases of 2 s were over after a claim of {seconds:.1f} s"


def test_a_posting_at_a_standby_is_answered_503(primary, standby):  # noqa: F811
    with working_on(primary) as world:
        world.begin().deposit()
        wait_for_replay(primary, standby)
    with working_on(standby) as follower:
        follower.go_on(world)
        body = {
            "id": str(cast.new_id()), "account": str(world.account.id), "type": "DEPOSIT", "amount": "1.00"
        }  # fmt: skip
        answer = follower.client.post(TRANSACTIONS, body)
        assert answer.status_code == 503, answer.content


def test_a_cursor_that_is_pruned_while_it_is_read_from_is_refused(primary, monkeypatch):  # noqa: F811
    with working_on(primary) as world:
        world.begin().deposit(8)
        feed.read()
        start, real, calls = feed.read_state().start, feed.read_state, []

        def read_state():
            state = real()
            calls.append(1)
            if len(calls) == 2:  # after feed.read has looked at the state, before it reads places
                with connection.cursor() as cursor:
                    cursor.execute(PRUNE)
            return state

        monkeypatch.setattr(feed, "read_state", read_state)
        with pytest.raises(EventsPruned):
            feed.read(start)


def test_a_cursor_whose_events_go_before_they_are_described_is_refused(primary, monkeypatch):  # noqa: F811
    with working_on(primary) as world:
        world.begin().deposit(8)
        feed.read()
        start, real = Cursor(feed.read_state().epoch, 0), feed._describe

        def describe(*arguments):
            with connection.cursor() as cursor:
                cursor.execute(PRUNE)
            return real(*arguments)

        monkeypatch.setattr(feed, "_describe", describe)
        with pytest.raises(EventsPruned):
            feed.read(start)


@pytest.mark.django_db(transaction=True)
def test_a_new_epoch_in_the_middle_of_a_claim_ends_no_relay(settings, account, monkeypatch):
    settings.WEBHOOK_LOOPBACK = True
    with receiver() as one:
        subscribe(one.url)
        deposit(account, "1")
        real = feed.read

        def read(*arguments, **named):
            monkeypatch.setattr(feed, "read", real)
            feed.begin_epoch(force=True)
            return real(*arguments, **named)

        monkeypatch.setattr(feed, "read", read)
        Relay().run(once=True)
        assert one.requests
