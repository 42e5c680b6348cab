"""A proxy before the database of these tests, and one before that of a real service."""

import fcntl
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.cast import new_id
from tests.faults.hammer import PROXY_PORT, hammer, make_account, run_service_behind_proxy
from tests.faults.ledger import connect
from tests.faults.makers_of_rows import TRANSACTIONS
from tests.faults.nemesis import KINDS
from tests.faults.proxy import CommitProxy
from tests.faults.verdict import judge
from tests.servers import PROJECT
from tests.service import Service

HAMMER_SEED = int(os.environ.get("HAMMER_SEED", "1"))
OPERATIONS = 2000  # so many that every run has whatever is asked of it


class Place:
    """A running service with its database and the proxy between them, and what its clients were told."""

    def __init__(self, service: Service, postgres, proxy) -> None:
        self.service, self.postgres, self.proxy = service, postgres, proxy
        self.acknowledged: dict[str, list[str]] = {}

    def make_account(self):
        account = make_account(self.service)
        self.acknowledged[account] = []
        return account

    def make_body(self, account, **fields):
        return {"id": str(new_id()), "account": account, "type": "DEPOSIT", "amount": "1.00", **fields}

    def send(self, body):
        """One request; a 201 counts as acknowledged."""
        status, text, headers = self.service.send("POST", TRANSACTIONS, body)
        if status == 201:
            self._acknowledge(body)
        return status, text, headers

    def insist(self, body):
        """By the client's rule, until it is acknowledged."""
        status, answer = self.service.insist("POST", TRANSACTIONS, body)
        assert status == 201, answer
        self._acknowledge(body)
        return answer

    def _acknowledge(self, body):
        if body["id"] not in self.acknowledged[body["account"]]:
            self.acknowledged[body["account"]].append(body["id"])

    def deposit(self, account):
        return self.insist(self.make_body(account))

    @contextmanager
    def relay_asleep(self):
        """The proxy harms the next commit, whose ever it is: here not the relay's."""
        relay = self.service.find_relay()
        relay.suspend()
        try:
            yield
        finally:
            relay.resume()

    def execute(self, statement, *values):
        """In a session past the proxy and the service."""
        with connect(self.postgres) as connection:
            connection.autocommit = True
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def require_exactly_what_was_acknowledged(self):
        """Each deposit of 1.00 that was acknowledged, once, and no other."""
        for account, ids in self.acknowledged.items():
            rows = self.execute(
                "SELECT id::text, version FROM transactions_transaction WHERE account_id = %s", account
            )
            assert sorted(row["id"] for row in rows) == sorted(ids)
            _, balance = self.service.insist("GET", f"/api/v1/accounts/{account}/balance")
            assert Decimal(balance["balance"]) == len(ids) == balance["version"]


@pytest.fixture
def proxy(account, monkeypatch):
    """The connection of this thread goes through it; the account was made before."""
    database = connection.settings_dict
    folder = Path(tempfile.mkdtemp(prefix="proxy-", dir="/tmp"))
    host, port = database["HOST"] or "localhost", int(database["PORT"] or 5432)
    proxy = CommitProxy(folder, PROXY_PORT, server_host=host, server_port=port)
    proxy.hold_seconds = 0.3
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(database, "HOST", str(folder))
        patch.setitem(database, "PORT", str(PROXY_PORT))
        yield proxy.start()
        connection.close()
    proxy.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """Of a short run of the hammer, with every kind of fault once: one run for all workers of pytest."""
    kept = settings.VAR / "hammer"  # the folder is common to them
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            folder = tmp_path_factory.mktemp("hammer")
            report = hammer(operations=OPERATIONS, faults=len(KINDS), seed=HAMMER_SEED, folder=folder)
            kept.write_bytes(pickle.dumps(report))
    return pickle.loads(kept.read_bytes())  # noqa: S301, our own


@pytest.fixture
def accuse(report):
    """What the verdict says of that run after some damage to it."""

    def judge_damaged(damage):
        replies, ledger = list(report.replies), deepcopy(report.ledger)
        shown = {str(account["id"]): account["balance"] for account in ledger.accounts}
        damage(replies, ledger)
        return judge(replies, ledger, shown).charges

    return judge_damaged


def run_program(name, folder, *arguments, **environment):
    """One of the programs of this folder, to its end."""
    command = [sys.executable, "-m", f"tests.faults.{name}", "--folder", str(folder), *arguments]
    options = {"cwd": PROJECT, "env": {**os.environ, **environment}, "timeout": 240}
    return subprocess.run(command, capture_output=True, text=True, **options)


def find_row(ledger, status="POSTED", **columns):
    """The first row that has these values; True: any but null. No collection, unless it is asked for."""
    columns.setdefault("claim", None)
    for row in ledger.transactions:
        found = {
            name: row[name] is not None if value is True else row[name] for name, value in columns.items()
        }
        if row["status"] == status and found == columns:
            return row
    raise AssertionError(f"The run has no row {status} with {columns}.")


@pytest.fixture(scope="module")
def shared_service(tmp_path_factory):
    with ExitStack() as stack:
        yield stack.enter_context(run_service_behind_proxy(tmp_path_factory.mktemp("faults")))


@pytest.fixture
def place(shared_service):
    """Each test has its own accounts on the service that its module shares."""
    place = Place(*shared_service)
    yield place
    place.proxy.heal()
    print(place.service.output[-5000:])  # noqa: T201, what pytest shows of a test that failed
    place.require_exactly_what_was_acknowledged()
