"""Clients that post through a proxy, once each, and what they were told."""

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from decimal import Decimal

import uuid_utils.compat

from tests.deploy.proxies import Proxy

AMOUNT = 1


class Clients:
    """`count` threads, each with one connection that it keeps. They send nothing twice: every answer other
    than a 201 and every lost connection counts as an error."""

    def __init__(self, proxy: Proxy, token: str, accounts: list[str], count: int) -> None:
        self.proxy, self.token, self.accounts = proxy, token, accounts
        self.acknowledged: dict[str, str] = {}  # id to account
        self.sent: set[str] = set()
        self.errors: Counter[str] = Counter()
        self.slowest = 0.0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(number,)) for number in range(count)]

    def start(self) -> "Clients":
        for thread in self.threads:
            thread.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def compare(
        self, rows: list[tuple[str, str]], accounts: list[tuple[str, Decimal, int]]
    ) -> tuple[list[str], list[str], list[str], list[str]]:
        """What was acknowledged and is not there, is there twice, or was never sent; accounts whose balance
        or version is not that of their rows. Of (id, account) and (account, balance, version)."""
        found, of_accounts = Counter(id for id, _ in rows), Counter(account for _, account in rows)
        lost = [id for id in self.acknowledged if id not in found]
        doubled = [id for id, count in found.items() if count > 1]
        strange = [id for id in found if id not in self.sent]
        wrong = [
            account
            for account, balance, version in accounts
            if not balance == of_accounts[account] * AMOUNT == version * AMOUNT
        ]
        return lost, doubled, strange, wrong

    def _run(self, number: int) -> None:
        connection = self.proxy.connect()
        turns = itertools.islice(itertools.cycle(self.accounts), number, None)
        while not self.stopping.is_set():
            id, account = str(uuid_utils.compat.uuid7()), next(turns)
            body = json.dumps({"id": id, "account": account, "type": "DEPOSIT", "amount": f"{AMOUNT}.00"})
            began = time.monotonic()
            self.sent.add(id)
            try:
                headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
                connection.request("POST", "/api/v1/transactions", body, headers)
                answer = connection.getresponse()
                text = answer.read().decode()
            except (OSError, http.client.HTTPException) as error:
                self.errors[type(error).__name__] += 1
                connection.close()
                continue
            self.slowest = max(self.slowest, time.monotonic() - began)
            if answer.status == 201:
                self.acknowledged[id] = account
            else:
                self.errors[f"{answer.status} {text[:200]}"] += 1
        connection.close()
