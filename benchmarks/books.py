"""Before the runs: accounts with funds, made over HTTP as anybody would. After them: do the books add up?"""

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uuid_utils.compat
from django.db import connection

from tests.service import Service

SLICE = 1000  # of a batch
THREADS = 4
FUNDS = "1000000.00"
TRANSACTIONS_READ = 5000  # ids for reading single ones
WRONG = """
SELECT count(*) FROM accounts_account AS account
LEFT JOIN LATERAL (
    SELECT count(*) AS rows,
        coalesce(sum(CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END), 0) AS balance
    FROM transactions_transaction WHERE account_id = account.id AND status = 'POSTED'
) AS history ON true
WHERE account.balance <> history.balance OR account.version <> history.rows OR account.balance < 0
"""


class Client:
    """One kept connection to a service."""

    def __init__(self, service: Service) -> None:
        token = (service.var / "api_token").read_text().strip()
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)

    def post(self, path: str, body: Any) -> Any:
        self.connection.request("POST", f"/api/v1/{path}", json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        assert answer.status in (200, 201), (answer.status, text)
        return json.loads(text)


@contextmanager
def client_of(service: Service) -> Iterator[Client]:
    client = Client(service)
    try:
        yield client
    finally:
        client.connection.close()


def make_accounts(service: Service, count: int, file: Path) -> list[str]:
    """`count` accounts, each with funds; their ids, one in a line, in `file`. Gives ids of transactions."""
    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(pool.map(lambda _: make_users(service, count // THREADS), range(THREADS)))
    ids = [id for part in parts for id in part]
    ids += make_users(service, count - len(ids))
    file.write_text("".join(f"{id}\n" for id in ids))
    return fund(service, ids, FUNDS)[:TRANSACTIONS_READ]


def fund(service: Service, ids: list[str], amount: str) -> list[str]:
    """A deposit on each account; the ids of the transactions."""
    posted: list[str] = []
    with client_of(service) as client:
        for first in range(0, len(ids), SLICE):
            orders = [make_deposit(id, amount) for id in ids[first : first + SLICE]]
            commands = [{"command": "transaction", **order} for order in orders]
            client.post(
                "batches", {"id": str(uuid_utils.compat.uuid7()), "atomic": False, "commands": commands}
            )
            posted += [order["id"] for order in orders]
    return posted


def make_users(service: Service, count: int) -> list[str]:
    """The ids of their main accounts."""
    with client_of(service) as client:
        users = [client.post("users", make_user()) for _ in range(count)]
    return [user["accounts"][0]["id"] for user in users]


def make_user() -> dict[str, str]:
    id = str(uuid_utils.compat.uuid7())
    return {"id": id, "name": "bench", "external_id": f"bench-{id}"}


def make_deposit(account: str, amount: str) -> dict[str, str]:
    id = str(uuid_utils.compat.uuid7())
    return {"id": id, "account": account, "type": "DEPOSIT", "amount": amount, "reference": "bench"}


def count_transactions() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM transactions_transaction")
        return int(cursor.fetchone()[0])


def count_posted() -> int:
    """All that was ever posted, without reading all of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(version) FROM accounts_account")
        return int(cursor.fetchone()[0])


def count_wrong_accounts() -> int:
    """Accounts whose balance or version is not what their transactions add up to, or that are below zero."""
    with connection.cursor() as cursor:
        cursor.execute(WRONG)
        return int(cursor.fetchone()[0])
