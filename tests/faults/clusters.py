"""Database servers that are copied, restored and promoted, and Django at work on one of them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from events.models import Event
from ledger_project.database.embedded import EmbeddedPostgres
from rest.viewsets import known_tokens
from tests import cast
from tests.conftest import make_client
from tests.events.test_upkeep import run
from tests.faults import restore_actors, restores
from tests.servers import query, wait_for

SETTINGS = {
    "fsync": "off",  # synchronous_commit stays on: what is acknowledged must survive a kill
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "30",
}
EVENTS, TRANSACTIONS = "/api/v1/events", "/api/v1/transactions"


@contextmanager
def working_on(postgres: EmbeddedPostgres, dbname: str = "ledger") -> Iterator["World"]:
    """Django's one connection goes there."""
    with restore_actors.working_on(postgres, "postgres", dbname):
        known_tokens.clear()
        yield World()


class World:
    """An account, and a service that may post and read. Those who come later find them by their names."""

    def begin(self) -> "World":
        self.account = cast.AccountFactory()
        self.client = make_client("api-post", "api-read")
        return self

    def go_on(self, world: "World") -> "World":
        """With the account and the token of before, which the copy has too."""
        self.account, self.client = world.account, world.client
        return self

    def deposit(self, times: int = 1) -> list[str]:
        """Through the API; the ids that were acknowledged."""
        ids = [str(cast.new_id()) for _ in range(times)]
        for id in ids:
            body = {"id": id, "account": str(self.account.id), "type": "DEPOSIT", "amount": "1.00"}
            answer = self.client.post(TRANSACTIONS, body)
            assert answer.status_code == 201, answer.content
        return ids

    def get_events(self, after: str = ""):
        return self.client.get(EVENTS, {"after": after} if after else {})

    def read_events(self, after: str = ""):
        """All of them, and the cursor after the last."""
        events = []
        while True:
            answer = self.get_events(after)
            assert answer.status_code == 200, answer.content
            page = answer.json()
            events += page["events"]
            after = page["cursor"]
            if not page["has_more"]:
                return events, after

    def require_whole_feed(self):
        """From the start: everything that this ledger has, once, each account in its order."""
        events, cursor = self.read_events()
        assert [event["position"] for event in events] == list(range(1, len(events) + 1))
        assert {event["id"] for event in events} == {event.id for event in Event.objects.all()}
        own = [event["account_sequence"] for event in events if event["account"] == str(self.account.id)]
        assert own == list(range(1, len(own) + 1))
        return events, cursor

    def require_problem(self, answer, status: int, code: str) -> None:
        assert (answer.status_code, answer.json().get("code")) == (status, code), answer.content


def find_posted(events) -> list[str]:
    return [event["data"]["id"] for event in events if event["type"] == "transaction.posted"]


def begin_epoch(**options: bool) -> str:
    """What the command says."""
    said: str = run("new_feed_epoch", **options)
    return said


def get_data_folder(postgres: EmbeddedPostgres) -> Path:
    return postgres.log_file.parent / "data"


def copy_cluster(data: Path, folder: Path) -> EmbeddedPostgres:
    """A server of its own on a copy of the files of one that is stopped."""
    shutil.copytree(data, folder / "data")
    return EmbeddedPostgres(folder, settings=SETTINGS)


def make_standby(primary: EmbeddedPostgres, folder: Path) -> EmbeddedPostgres:
    """A hot standby that has everything the primary has, and follows it."""
    folder.mkdir()
    restores.run(primary, "pg_basebackup", "-D", str(folder / "data"), "-c", "fast", "--no-sync")
    (folder / "data" / "standby.signal").touch()
    source = f"host='{primary.socket_folder}' port=5432 user=postgres"
    standby = EmbeddedPostgres(folder, settings={**SETTINGS, "primary_conninfo": source})
    standby.start()
    wait_for_replay(primary, standby)
    return standby


def wait_for_replay(primary: EmbeddedPostgres, standby: EmbeddedPostgres) -> None:
    [[end]] = query(primary, "SELECT pg_current_wal_lsn()")
    wait_for(lambda: query(standby, f"SELECT pg_last_wal_replay_lsn() >= '{end}'") == [(True,)], 30)


def cut_replication(standby: EmbeddedPostgres) -> None:
    """The standby hears nothing more of its primary."""
    query(standby, "ALTER SYSTEM SET primary_conninfo = ''")
    query(standby, "SELECT pg_reload_conf()")
    wait_for(lambda: query(standby, "SELECT count(*) FROM pg_stat_wal_receiver") == [(0,)], 30)


def promote(standby: EmbeddedPostgres) -> None:
    restores.run(standby, "pg_ctl", "-D", "data", "-w", "-s", "promote")
