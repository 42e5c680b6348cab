"""Who posts while backups are made, and who goes on with what was restored. Needs Django set up."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO

from django.core.management import call_command
from django.db import DatabaseError, connection, connections

from accounts.models import Account
from events import feed
from events.errors import FeedStopped
from events.models import Event
from ledger_project.database.embedded import EmbeddedPostgres
from tests import cast
from tests.faults.restore_verdict import Reply

ACCOUNTS = 20


@contextmanager
def working_on(
    postgres: EmbeddedPostgres, role: str = "ledger_app", dbname: str = "ledger"
) -> Iterator[None]:
    """New connections of Django's go there, those of other threads too."""
    database = connections.settings["default"]
    before = dict(database)
    connection.close()
    try:
        database.update(HOST=str(postgres.socket_folder), PORT="5432", NAME=dbname, USER=role)
        yield
    finally:
        connection.close()
        database.update(before)


class Posters:
    """Threads that post through the engine until they are stopped or the server is gone."""

    def __init__(self, threads: int, seed: int) -> None:
        self.accounts = [cast.AccountFactory() for _ in range(ACCOUNTS)]
        self.replies: list[Reply] = []
        self.stopping = threading.Event()
        self.failures: list[BaseException] = []
        self.threads = [
            threading.Thread(target=self._run, args=(random.Random(seed + number),))
            for number in range(threads)
        ]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _run(self, dice: random.Random) -> None:
        try:
            while not self.stopping.is_set():
                self._post(dice)
        except DatabaseError:
            pass  # the server was killed
        except BaseException as error:
            self.failures.append(error)
        finally:
            connection.close()

    def _post(self, dice: random.Random) -> None:
        source, destination = dice.sample(self.accounts, 2)
        amount = f"{dice.randint(1, 9999)}.{dice.randint(0, 99):02}"
        kind = dice.choice(["deposit", "deposit", "withdraw", "transfer", "hold"])
        asked_at = datetime.now(UTC)
        if kind == "hold":
            made = cast.hold(source, amount)
            content = (str(source.id), "HOLD", f"{made.amount:.8f}")  # its status changes
        else:
            if kind == "transfer":
                made = cast.transfer(source, destination, amount)
            else:
                made = getattr(cast, kind)(source, amount)
            content = (
                str(source.id), made.type, f"{made.amount:.8f}", made.status, str(made.version or ""),
                bytes(made.chain_hash).hex(),
            )  # fmt: skip
        self.replies.append(Reply(str(made.id), asked_at, datetime.now(UTC), content))


def require_new_epoch(postgres: EmbeddedPostgres) -> None:
    """The ledger goes on at once; the feed does when somebody has begun a new epoch, and then it is whole."""
    with working_on(postgres):
        assert cast.deposit(Account.objects.order_by("id").first(), "1").version
        try:
            feed.read()
        except FeedStopped:
            pass
        else:
            raise AssertionError("The feed goes on as if nothing had happened.")
    with working_on(postgres, "ledger_maintenance"):
        call_command("new_feed_epoch", stdout=StringIO())
    with working_on(postgres):
        events, cursor, more = [], None, True
        while more:
            page = feed.read(cursor)
            events += page.events
            cursor, more = page.cursor, page.has_more
        assert [event["position"] for event in events] == list(range(1, len(events) + 1))
        assert {event["id"] for event in events} == {event.id for event in Event.objects.all()}
        call_command("relay_events", once=True)


def make_roles(postgres: EmbeddedPostgres) -> None:
    with working_on(postgres, "postgres"):
        call_command("database_roles", apply=True, stdout=StringIO())


def require_roles(postgres: EmbeddedPostgres) -> None:
    with working_on(postgres, "postgres"):
        call_command("database_roles", check=True, stdout=StringIO())
