"""A ledger in use on which the next release comes: old and new code on one database, clients on both."""

import os
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, cycle
from pathlib import Path

from ledger_project.database.embedded import EmbeddedPostgres
from tests.faults.client import Client
from tests.faults.hammer import EUROS, make_account, make_euros, read_balances, resolve
from tests.faults.ledger import read_ledger
from tests.faults.operations import Plan
from tests.faults.replies import Reply, insist
from tests.faults.verdict import Verdict, judge
from tests.servers import PROJECT, query, wait_for
from tests.service import Service

SEED, CLIENTS, ACCOUNTS = 18, 3, 4
SETTINGS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
KEYS = ("SECRET_KEY", "CHAIN_KEY", "WEBHOOK_KEY", "ANCHOR_KEY", "SECOND_FACTOR_KEY")
LOCK_TIMEOUT = {"PGOPTIONS": "-c lock_timeout=2s"}  # as the role that migrates has it
TRIES_MAX = 5  # of a migration that met a long lock
ANSWER_SECONDS_MAX, STEP_SECONDS_MAX = 30, 60
PAUSE_SECONDS = 0.02  # of a client: the machine also starts the new release
READS = (
    "accounts/{}/balance",
    "accounts/{}/balance?at=2020-01-01T00:00:00Z",
    "accounts/{}/statement?from=2020-01-01&to=2020-01-31",
    "transactions?account={}",
    "holds?account={}",
    "events?limit=10",
)


class Rotation:
    """Which services get requests, as a proxy knows it. Who is taken out first answers what it has."""

    def __init__(self, service: Service) -> None:
        self.services = [service]
        self.asked: Counter[int] = Counter()  # by port, at this moment
        self.turn = threading.Condition()
        self.number = count()

    @contextmanager
    def choose(self) -> Iterator[Service]:
        with self.turn:
            service = self.services[next(self.number) % len(self.services)]
            self.asked[service.port] += 1
        try:
            yield service
        finally:
            with self.turn:
                self.asked[service.port] -= 1
                self.turn.notify_all()

    def add(self, service: Service) -> None:
        with self.turn:
            self.services.append(service)

    def remove(self, service: Service) -> None:
        with self.turn:
            self.services.remove(service)
            assert self.turn.wait_for(lambda: not self.asked[service.port], ANSWER_SECONDS_MAX)


@dataclass
class Roll:
    """`replies` are all that clients were told of money, `refused` is what else was not answered with 200."""

    folder: Path
    postgres: EmbeddedPostgres
    environment: dict[str, str]
    old: Service
    plan: Plan
    services: list[Service]
    replies: list[Reply] = field(default_factory=list)
    reads: int = 0
    refused: list[str] = field(default_factory=list)
    broken: list[BaseException] = field(default_factory=list)

    @contextmanager
    def under_load(self) -> Iterator[Rotation]:
        rotation, ended = Rotation(self.old), threading.Event()
        work = [*((self._post, number) for number in range(CLIENTS)), (self._read, 0)]
        threads = [
            threading.Thread(target=self._work, args=(each, number, rotation, ended)) for each, number in work
        ]
        for thread in threads:
            thread.start()
        try:
            yield rotation
        finally:
            ended.set()
            for thread in threads:
                thread.join(ANSWER_SECONDS_MAX)
        assert self.broken == []

    def _work(self, work, number, rotation, ended) -> None:
        try:
            work(number, rotation, ended)
        except BaseException as error:
            self.broken.append(error)
            raise

    def _post(self, number, rotation, ended) -> None:
        """Every kind of command that the hammer has, half of them again."""
        client = Client(self.plan, number)
        for step in count(number, CLIENTS):
            if ended.is_set():
                return
            operation = client.choose(step)
            with rotation.choose() as service:
                insist(service, operation, self.replies.append, seconds=ANSWER_SECONDS_MAX, pause=0.05)
            time.sleep(PAUSE_SECONDS)

    def _read(self, number, rotation, ended) -> None:
        for path, account in zip(cycle(READS), cycle(self.plan.accounts[:-1]), strict=False):
            if ended.is_set():
                return
            with rotation.choose() as service:
                status, text, _ = service.send("GET", "/api/v1/" + path.format(account))
            self.reads += 1
            if status != 200:
                self.refused.append(f"{path}: {status} {text}")
            time.sleep(PAUSE_SECONDS)

    def go_on(self, replies: int) -> None:
        """So many more replies."""
        wanted = len(self.replies) + replies
        wait_for(lambda: len(self.replies) >= wanted or bool(self.broken), STEP_SECONDS_MAX)

    def command(self, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        environment = {
            **os.environ,
            **self.environment,
            **LOCK_TIMEOUT,
            "LEDGER_VAR": str(self.folder / "commands"),
        }
        return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)

    def migrate(self, project: Path) -> int:
        """As an operator does: again when a lock was not there in time. How often it took."""
        for tries in range(1, TRIES_MAX + 1):
            run = self.command(project, "migrate", "--verbosity=0")
            if run.returncode == 0:
                return tries
            assert "lock timeout" in run.stderr, run.stderr
            time.sleep(0.2)
        raise AssertionError("No lock was to be had.")

    def serve(self, name: str, project: Path) -> Service:
        """Beside what serves already, until it is stopped or all is over."""
        self.services.append(service := start(self.folder / name, self.environment, project))
        return service

    def judge(self, service: Service) -> Verdict:
        resolve(service, self.replies)
        balances = read_balances(service, [*self.plan.accounts, *self.plan.euros])
        return judge(self.replies, read_ledger(self.postgres), balances)


def start(var: Path, environment: dict[str, str], project: Path = PROJECT) -> Service:
    """With a token where `Service` looks for it."""
    service = Service(var, environment, project).start()
    (var / "api_token").write_text(service.issue_token("api-admin"))
    return service


@contextmanager
def rolling(folder: Path) -> Iterator[Roll]:
    """A database of its own, and the present code that serves a new ledger on it."""
    postgres = EmbeddedPostgres(folder / "postgres", settings=SETTINGS)
    postgres.start()
    services: list[Service] = []
    try:
        postgres.ensure_database("ledger")
        environment = {key: secrets.token_urlsafe(32) for key in KEYS}
        environment["DATABASE_URL"] = f"postgres://postgres@/{postgres.socket_folder}/ledger"
        environment["LOG_LEVEL"] = "ERROR"
        services.append(old := start(folder / "old", environment))
        accounts = [make_account(old) for _ in range(ACCOUNTS)]
        began_at = datetime.now(UTC).isoformat()
        euros = [make_euros(old, id) for id in accounts[:EUROS]]
        plan = Plan(0, 0, SEED, CLIENTS, began_at, str(old.var), old.port, accounts, euros)
        yield Roll(folder, postgres, environment, old, plan, services)
    finally:
        for service in services:
            if service.process.poll() is None:
                service.stop()
        postgres.stop()


def read_changes(postgres: EmbeddedPostgres) -> list[tuple[object, ...]]:
    """What of the next release's schema is there and whole."""
    return query(
        postgres,
        "SELECT attname::text FROM pg_attribute WHERE attrelid = 'transactions_transaction'::regclass"
        " AND attname = 'channel'"
        " UNION ALL SELECT indexrelid::regclass::text FROM pg_index"
        " WHERE indisvalid AND indexrelid::regclass::text = 'transaction_by_channel'"
        " UNION ALL SELECT conname::text FROM pg_constraint"
        " WHERE convalidated AND conname = 'transaction_channel_is_known'",
        "ledger",
    )
