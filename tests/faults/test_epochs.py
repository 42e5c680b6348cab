"""A ledger that is restored or fails over begins another history of its feed; one that crashes does not."""

import pytest
from django.core.management import CommandError, call_command

from events import feed
from events.errors import FeedStopped
from events.models import FeedState, Subscription
from events.relay import Relay
from ledger_project.database.embedded import EmbeddedPostgres
from tests.cast import new_id
from tests.events.conftest import hook, loopback, subscribe  # noqa: F401, fixtures
from tests.faults.clusters import (
    SETTINGS,
    TRANSACTIONS,
    begin_epoch,
    copy_cluster,
    cut_replication,
    find_posted,
    get_data_folder,
    make_standby,
    promote,
    wait_for_replay,
    working_on,
)
from tests.faults.restores import run
from tests.servers import kill_postmaster

pytestmark = pytest.mark.serve

NOTHING_TO_DO = "Nothing to do"


@pytest.fixture(scope="module", autouse=True)
def database_access(django_db_blocker):
    """Of these tests' own servers; that of the other tests is not touched."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def empty_ledger(tmp_path_factory):
    """The files of a cluster with an empty ledger, and a cluster with nothing."""
    folder = tmp_path_factory.mktemp("empty")
    nothing = EmbeddedPostgres(folder / "nothing", settings=SETTINGS)
    nothing.start()
    postgres = EmbeddedPostgres(folder / "ledger", settings=SETTINGS)
    postgres.start()
    postgres.ensure_database("ledger")
    with working_on(postgres):
        call_command("migrate", verbosity=0)
    postgres.stop()
    yield get_data_folder(postgres), nothing
    nothing.stop()


@pytest.fixture
def primary(empty_ledger, tmp_path):
    """A server with an empty ledger."""
    postgres = copy_cluster(empty_ledger[0], tmp_path / "primary")
    postgres.start()
    yield postgres
    postgres.stop()


@pytest.fixture
def standby(primary, tmp_path):
    made = make_standby(primary, tmp_path / "standby")
    yield made
    made.stop()


def dump(postgres, path):
    run(postgres, "pg_dump", "-Fc", "-f", str(path), "ledger")


def restore(postgres, dbname, path):
    postgres.ensure_database(dbname)
    run(postgres, "pg_restore", "-d", dbname, "--exit-on-error", str(path))


def require_stopped(world):
    """Nothing is told, but the ledger itself goes on; the id that was posted."""
    world.require_problem(world.get_events(), 503, "feed_stopped")
    with pytest.raises(FeedStopped):
        feed.read()
    with pytest.raises(FeedStopped):
        Relay().run(once=True)
    with pytest.raises(CommandError, match="new_feed_epoch"):
        call_command("relay_events", once=True)
    [posted] = world.deposit()
    assert world.client.get(f"/api/v1/accounts/{world.account.id}/balance").status_code == 200
    world.require_problem(world.get_events(), 503, "feed_stopped")
    return posted


def require_new_epoch(world, old_cursor):
    """The command begins one, once; the old cursor is refused, and the whole feed is there to be read."""
    assert "is in the new epoch" in begin_epoch()
    assert NOTHING_TO_DO in begin_epoch()
    world.require_problem(world.get_events(old_cursor), 410, "feed_epoch_changed")
    events, cursor = world.require_whole_feed()
    assert {event["epoch"] for event in events} == {str(FeedState.objects.get().epoch)}
    [posted] = world.deposit()
    assert find_posted(world.read_events(cursor)[0]) == [posted]
    return events


@pytest.mark.parametrize("where", ["another cluster", "another database"])
def test_a_restored_ledger_tells_nothing_until_a_new_epoch_begins(
    primary,
    empty_ledger,
    hook,  # noqa: F811
    tmp_path,
    where,
):
    with working_on(primary) as world:
        world.begin().deposit(5)
        subscription = subscribe(hook.url)
        sent = world.deposit(3)
        Relay().run(once=True)
        assert find_posted(hook.events) == sent
        _, cursor = world.read_events()
        not_sent = world.deposit(3)
        dump(primary, tmp_path / "dump")
        world.deposit(4)  # and these are in no backup
        _, cursor = world.read_events(cursor)
    target = primary if where == "another database" else empty_ledger[1]
    name = f"restored_{where.split()[1]}"
    restore(target, name, tmp_path / "dump")
    hook.requests.clear()
    with working_on(target, name) as copy:
        copy.go_on(world)
        while_stopped = require_stopped(copy)
        assert hook.requests == []
        events = require_new_epoch(copy, cursor)
        assert find_posted(events)[-4:] == [*not_sent, while_stopped]
        Relay().run(once=True)  # from its own cursor, in the new epoch
        assert find_posted(hook.events)[:4] == [*not_sent, while_stopped]
        assert {event["epoch"] for event in hook.events} == {events[0]["epoch"]}
        assert Subscription.objects.with_lag().get(id=subscription.id).lag_events == 0
    with working_on(primary):  # where it came from, nothing has changed
        assert len(find_posted(world.read_events(cursor)[0])) == 0
        assert NOTHING_TO_DO in begin_epoch()


def test_a_new_epoch_can_be_forced(primary):
    with working_on(primary) as world:
        world.begin().deposit()
        _, cursor = world.read_events()
        assert NOTHING_TO_DO in begin_epoch()
        assert world.get_events(cursor).status_code == 200
        assert "is in the new epoch" in begin_epoch(force=True)
        world.require_problem(world.get_events(cursor), 410, "feed_epoch_changed")
        world.require_whole_feed()


def test_a_promoted_standby_without_the_last_commits_tells_nothing_until_a_new_epoch_begins(primary, standby):
    with working_on(primary) as world:
        kept = world.begin().deposit(5)
        wait_for_replay(primary, standby)
        cut_replication(standby)
        lost = world.deposit(20)
        seen, cursor = world.read_events()
        assert find_posted(seen) == [*kept, *lost]
    kill_postmaster(primary)
    promote(standby)
    with working_on(standby) as survivor:
        survivor.go_on(world)
        with pytest.raises(FeedStopped):  # at once, whatever the last checkpoint was
            feed.read_state()
        while_stopped = require_stopped(survivor)
        events = require_new_epoch(survivor, cursor)
        assert find_posted(events) == [*kept, while_stopped]

        # A consumer compares what it has with what there is, by what the events tell of: the sequence
        # numbers of the lost ones are given again, in the new epoch.
        there = {(event["stream"], event["sequence"], event["data"]["id"]) for event in events}
        taken_back = [
            event for event in seen if (event["stream"], event["sequence"], event["data"]["id"]) not in there
        ]
        assert find_posted(taken_back) == lost
        again = {(event["stream"], event["sequence"]) for event in taken_back}
        assert again & {key[:2] for key in there}
        keys = {(event["epoch"], event["stream"], event["sequence"]) for event in [*seen, *events]}
        assert len(keys) == len(seen) + len(events)


def test_a_standby_says_that_it_only_reads_and_is_not_ready(primary, standby):
    with working_on(primary) as world:
        world.begin().deposit(3)
        wait_for_replay(primary, standby)
    with working_on(standby) as follower:
        follower.go_on(world)
        answer = follower.get_events()
        follower.require_problem(answer, 503, "database_read_only")
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["Retry-After"] == "1"
        body = {"id": str(new_id()), "account": str(world.account.id), "type": "DEPOSIT", "amount": "1.00"}
        follower.require_problem(follower.client.post(TRANSACTIONS, body), 503, "database_read_only")
        tried = follower.client.post(f"{TRANSACTIONS}?dry_run=true", body).json()
        assert [result["status"] for result in tried["results"]] == [201]
        balance = f"/api/v1/accounts/{world.account.id}/balance"
        assert follower.client.get(balance).status_code == 200
        ready = follower.client.get("/readyz")
        assert (ready.status_code, ready.json()["reason"].split(":")[0]) == (503, "the database only reads")
    with working_on(primary):
        assert world.client.get("/readyz").status_code == 200


def test_a_crash_of_the_server_changes_nothing_of_the_feed(primary):
    with working_on(primary) as world:
        told = world.begin().deposit(3)
        seen, cursor = world.read_events()
        assert find_posted(seen) == told
        for _ in range(2):
            not_told = world.deposit(4)
            kill_postmaster(primary)
            primary.start()
            assert find_posted(world.read_events(cursor)[0]) == not_told
            _, cursor = world.read_events(cursor)
        world.require_whole_feed()
        assert NOTHING_TO_DO in begin_epoch()
        assert world.get_events(cursor).status_code == 200
