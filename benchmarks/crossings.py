"""How soon somebody who listens hears of a crossed threshold, and of the end of a hold.

    python -m benchmarks.crossings [--payments 1000] [--holds 300]

A ledger of its own is served with its relay; one reader waits at the feed for crossings. Payments of four
clients cross thresholds up and down: from the answer, which comes after the commit, to the event at the
reader. Holds end at random moments within ten seconds: from their end to the event that tells that more is
available. Ends with 1 if p99 of the first is 300 ms or more, or any of the second takes longer than 1.5 s.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from benchmarks import machine
from tests.service import Service

CLIENTS = 4
SOON_SECONDS, EXPIRED_SECONDS = 0.3, 1.5
HOLDS_WITHIN_SECONDS = 10
PATIENCE_SECONDS = 20
PAUSE_SECONDS = 0.02


class Reader(threading.Thread):
    """Waits at the feed, and notes when it heard of which crossing."""

    def __init__(self, client: httpx2.Client) -> None:
        super().__init__(daemon=True)
        self.client, self.heard = client, {}  # type: ignore[var-annotated]
        self.cursor = client.get("/events", params={"limit": 1}).json()["cursor"]
        while (page := self.read(wait=0))["has_more"]:
            self.cursor = page["cursor"]

    def read(self, wait: int) -> dict[str, Any]:
        types = "balance.fell_below,balance.rose_above"
        asked: dict[str, Any] = {"after": self.cursor, "types": types, "wait": wait, "limit": 500}
        page: dict[str, Any] = self.client.get("/events", params=asked).raise_for_status().json()
        return page

    def run(self) -> None:
        with suppress(httpx2.TransportError):  # the service was stopped
            self.listen()

    def listen(self) -> None:
        while True:
            page = self.read(wait=10)
            now = time.time()
            for event in page["events"]:
                self.heard[event["type"], event["account"], event["request_id"]] = now
                self.heard[event["type"], event["account"]] = now
            self.cursor = page["cursor"]


class Ledger:
    def __init__(self, service: Service) -> None:
        self.client = httpx2.Client(
            base_url=f"http://127.0.0.1:{service.port}/api/v1",
            headers={"Authorization": f"Bearer {service.token}"},
            timeout=40,
        )

    def post(self, path: str, **body: Any) -> httpx2.Response:
        return self.client.post(path, json=body).raise_for_status()

    def make_account(self) -> str:
        """With 100.00, and a threshold at 50.00 of what is available."""
        account = str(self.post("/users", id=str(uuid4()), name="x").json()["accounts"][0]["id"])
        self.move(account, "DEPOSIT", "100.00")
        self.post(f"/accounts/{account}/thresholds", amount="50.00", of="available")
        return account

    def move(self, account: str, type: str, amount: str) -> httpx2.Response:
        return self.post("/transactions", id=str(uuid4()), account=account, type=type, amount=amount)


def pay(ledger: Ledger, reader: Reader, payments: int) -> list[float]:
    """Seconds from each answer to its event at the reader."""
    sent: list[tuple[tuple[str, str, str], float]] = []

    def work(account: str) -> None:
        for number in range(payments // CLIENTS):
            type = "DEPOSIT" if number % 2 else "WITHDRAW"
            answer = ledger.move(account, type, "80.00")
            told = "balance.rose_above" if number % 2 else "balance.fell_below"
            sent.append(((told, account, answer.headers["X-Request-Id"]), time.time()))
            time.sleep(PAUSE_SECONDS)

    accounts = [ledger.make_account() for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, accounts))
    wait_for(reader, [key for key, _ in sent])
    return [max(0.0, reader.heard[key] - answered) for key, answered in sent]


def let_expire(ledger: Ledger, reader: Reader, holds: int) -> list[float]:
    """Seconds from the end of each hold to its event at the reader."""
    accounts = [ledger.make_account() for _ in range(holds)]
    begins = datetime.now(UTC) + timedelta(seconds=1 + holds / 50)
    ends = {}
    for account in accounts:
        chance = random.uniform(0, HOLDS_WITHIN_SECONDS)  # noqa: S311, no secret
        ends[account] = begins + timedelta(seconds=chance)
        ledger.post(
            "/holds", id=str(uuid4()), account=account, amount="60.00", expires_at=ends[account].isoformat()
        )
    wait_for(reader, [("balance.rose_above", account) for account in accounts])
    return [reader.heard["balance.rose_above", each] - ends[each].timestamp() for each in accounts]


def wait_for(reader: Reader, keys: list[Any]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS + HOLDS_WITHIN_SECONDS
    while any(key not in reader.heard for key in keys):
        if time.monotonic() > deadline:
            raise SystemExit("Some crossings were never heard of.")
        time.sleep(0.05)


def describe(name: str, times: list[float]) -> str:
    times.sort()
    p50, p99 = (1000 * times[len(times) * part // 100] for part in (50, 99))
    return f"{name}: {len(times)}, p50 {p50:.0f} ms, p99 {p99:.0f} ms, at most {1000 * times[-1]:.0f} ms\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crossings", description=__doc__)
    parser.add_argument("--payments", type=int, default=1000)
    parser.add_argument("--holds", type=int, default=300)
    options = parser.parse_args()
    sys.stdout.write(f"{os.cpu_count()} cores, commit {machine.read_commit()}\n")
    with tempfile.TemporaryDirectory(prefix="ledger-crossings-") as folder:
        Path(folder).chmod(0o755)
        service = Service(Path(folder) / "var", {"LOG_LEVEL": "ERROR"}).start()
        try:
            ledger, reader = Ledger(service), Reader(Ledger(service).client)
            reader.start()
            told = pay(ledger, reader, options.payments)
            sys.stdout.write(describe("crossings by payments, from the answer", told))
            expired = let_expire(ledger, reader, options.holds)
            sys.stdout.write(describe("crossings by ends of holds, from the end", expired))
        finally:
            service.stop()
    return int(told[len(told) * 99 // 100] >= SOON_SECONDS or expired[-1] > EXPIRED_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
