"""Who logs in as a role: its time-outs are in force, its commands run, and those of the others do not."""

import os
import select
import shutil
import subprocess
import sys
from functools import partial

import psycopg
import pytest
from django.db import InternalError, OperationalError, ProgrammingError, connection
from django.db.transaction import atomic
from django.test import Client

from accounts.models import Account, Hold
from events import feed
from events.models import Event, FeedState, Placement
from ledger_project import health
from ledger_project.database.embedded import EmbeddedPostgres
from ledger_project.database.roles import Roles, find_tables
from tests import cast
from tests.events.test_upkeep import run
from tests.faults.restore_actors import working_on
from tests.ledger_project.test_database_roles import execute
from tests.scraping import scrape_relay
from tests.servers import CHEAP, PROJECT, query, wait_for

pytestmark = [pytest.mark.drill, pytest.mark.serve]

OWNER, APP, MAINTENANCE, AUDITOR = Roles("ledger").names.values()
DEPLOY = "deploy"
AGE = """
ALTER TABLE events_event DISABLE TRIGGER event_is_never_changed;
UPDATE events_event SET recorded_at = recorded_at - interval '100 days';
ALTER TABLE events_event ENABLE ALWAYS TRIGGER event_is_never_changed;
"""


@pytest.fixture(scope="module", autouse=True)
def database_access(django_db_blocker):
    """Of these tests' own server."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """A server with an empty ledger, whose roles were made by psql from what the command prints."""
    postgres = EmbeddedPostgres(tmp_path_factory.mktemp("roles") / "postgres", settings=CHEAP)
    postgres.start()
    try:
        postgres.ensure_database("ledger")
        with working_on(postgres, "postgres"):
            run("migrate", verbosity=0)
            printed = run("database_roles")
            for _ in range(2):
                options = ["-d", "ledger", "-v", "ON_ERROR_STOP=1", "-q"]
                done = postgres.run("psql", *options, input=printed, capture_output=True, text=True)
                assert (done.returncode, done.stderr) == (0, "")
        query(postgres, f"CREATE ROLE {DEPLOY} LOGIN IN ROLE {OWNER}")
        query(postgres, f"ALTER ROLE {DEPLOY} SET role = '{OWNER}'")
        yield postgres
    finally:
        postgres.stop()
        shutil.rmtree(postgres.folder, ignore_errors=True)


@pytest.fixture
def login(postgres):
    return partial(working_on, postgres)


def show(setting):
    return execute(f"SHOW {setting}")[0][0]


def test_the_roles_that_psql_made_are_as_they_should_be(login):
    with login("postgres"):
        assert run("database_roles", "--check") == "The roles are as they should be.\n"
    with login(AUDITOR):  # whoever looks may check, too
        assert run("database_roles", "--check") == "The roles are as they should be.\n"


def test_settings_are_in_force_for_whoever_logs_in(login):
    with login(APP):
        assert (show("lock_timeout"), show("statement_timeout")) == ("1s", "5s")
        assert (show("idle_in_transaction_session_timeout"), show("transaction_timeout")) == ("5s", "10s")
        assert (show("synchronous_commit"), show("search_path")) == ("on", "public, pg_temp")
        with pytest.raises(OperationalError, match="statement timeout"):
            execute("SELECT pg_sleep(7)")
    with login(AUDITOR):
        assert (show("default_transaction_read_only"), show("statement_timeout")) == ("on", "30min")
    with login(MAINTENANCE):
        assert (show("default_transaction_read_only"), show("lock_timeout")) == ("off", "2s")


def test_a_lock_is_waited_for_a_second(postgres, login):
    with login(APP):
        account = cast.AccountFactory()
        with psycopg.connect(host=str(postgres.socket_folder), user="postgres", dbname="ledger") as other:
            other.execute("SELECT FROM accounts_account WHERE id = %s FOR UPDATE", [account.id])
            with pytest.raises(OperationalError, match="lock timeout"):
                cast.deposit(account, "1")
        assert cast.deposit(account, "1").balance_after == 1


def test_a_transaction_that_is_left_open_is_ended(login):
    with login(APP), pytest.raises((InternalError, OperationalError)), atomic():
        execute("SELECT 1")
        execute("SET LOCAL idle_in_transaction_session_timeout = '100ms'")  # of five seconds
        process = connection.connection
        wait_for(lambda: process.closed or bool(select.select([process.fileno()], [], [], 0)[0]))
        execute("SELECT 1")


def test_the_service_and_its_commands_work(login):
    with login(APP):
        account = cast.AccountFactory()
        cast.deposit(account, "10")
        hold = cast.hold_that_expires(account, "4")
        run("seed_demo", users=3, transactions=300)
        assert run("expire_holds") == "1 holds have expired.\n"
        assert Hold.objects.get(id=hold.id).status == Hold.Status.EXPIRED
        run("relay_events", once=True)
        assert Placement.objects.count() == Event.objects.count() > 300
        run("issue_token", "service-of-roles", group=["api-post"])
        run("clearsessions")
        health._migrated = False
        assert Client().get("/readyz").status_code == 200
        found = scrape_relay()
        assert found['ledger_database_connections{state="active"}'] == 1
        assert found["ledger_migrations_pending"] == found["ledger_database_replicas"] == 0
        run("migrate", verbosity=0)  # as serve does: when nothing is to be done, it needs no right
        with pytest.raises(ProgrammingError, match="must be owner"):
            run("migrate", "transactions", "zero", verbosity=0)
        assert Account.objects.exclude(balance=0).exists()


def test_old_events_are_let_go_by_maintenance_and_not_by_the_service(postgres, login):
    with login(APP):
        cast.deposit(cast.AccountFactory(), "1")
        feed.place_pending()
    with psycopg.connect(host=str(postgres.socket_folder), user="postgres", dbname="ledger") as owner:
        owner.execute(AGE)
    with login(APP):
        with pytest.raises(ProgrammingError, match="permission denied"):
            run("prune_events")
        told, for_ever = Placement.objects.count(), Event.objects.filter(about=None).count()
        assert told > for_ever > 0
    with login(MAINTENANCE):
        assert run("prune_events") == f"{told} events left the feed.\n"
    with login(APP):
        cast.deposit(cast.AccountFactory(), "1")
        assert len(feed.read().events) == 3
        assert Event.objects.filter(about=None).count() == for_ever + 2
        assert Event.objects.exclude(about=None).count() == 1


def test_a_new_epoch_is_begun_by_maintenance_and_not_by_the_service(login):
    with login(APP):
        epoch = FeedState.objects.get().epoch
        with pytest.raises(ProgrammingError, match="permission denied"):
            run("new_feed_epoch", force=True)
        assert FeedState.objects.get().epoch == epoch
    with login(MAINTENANCE):
        assert "new epoch" in run("new_feed_epoch", force=True)
    with login(APP):
        assert feed.read_state().epoch != epoch


def test_the_auditor_reads_the_ledger_and_changes_nothing_even_when_asked_to_write(login):
    with login(APP):
        cast.deposit(cast.AccountFactory(), "5")
    with login(AUDITOR):
        assert execute("SELECT sum(balance) FROM accounts_account")[0][0] >= 5
        execute("SET default_transaction_read_only = off")
        for table in find_tables():
            for statement in (f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"):
                with pytest.raises(ProgrammingError, match="permission denied"):
                    execute(statement)
    with login(AUDITOR), pytest.raises(InternalError, match="read-only"):
        execute("CREATE TABLE mine (id int)")


def test_deployments_migrate_as_the_owner(postgres, login):
    address = f"postgres://{DEPLOY}@/{postgres.socket_folder}/ledger"
    environment = {**os.environ, "DATABASE_URL": address}
    for arguments in (
        ("migrate", "transactions", "zero", "-v0"),  # back, through guards and functions
        ("migrate", "-v0"),
        ("database_roles", "--apply"),
    ):
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    with login("postgres"):
        assert run("database_roles", "--check") == "The roles are as they should be.\n"
