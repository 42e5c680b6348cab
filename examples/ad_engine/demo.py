"""The demonstration: the ledger and the engine side by side, both killed in the middle, and still exact.

`python -m examples.ad_engine.demo [--way pull|webhook|rabbitmq --broker amqp://…]`; exit 0 if all is right.
"""

import argparse
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from decimal import Decimal
from itertools import chain
from pathlib import Path
from threading import Event as Flag
from typing import Any
from uuid import uuid4

from kombu import Connection
from rich.console import Console
from rich.table import Table

from examples.ad_engine.engine import Engine
from examples.ad_engine.funds import Funds
from examples.ad_engine.ledger import Ledger, LedgerAway, Refused
from examples.ad_engine.processes import LedgerPart, Part, find_free_port, wait_until

SECONDS_MAX = 150
WAIT_SECONDS_MAX = 60
BURST_SECONDS = 2  # before the kills, and once more after them
USERS = 5
CUSTOMERS = 4
PAUSE_SECONDS = 0.02
STEP = "10.00"
PATIENCE = 60
LOG_LENGTH = 4000


class WentWrong(Exception):
    """Something is not as it should be."""


class Demo:
    def __init__(self, folder: Path, way: str, broker: str) -> None:
        self.console = Console(highlight=False)
        self.way, self.broker = way, broker
        self.database = folder / "ads.sqlite"
        port, own_port = find_free_port(), find_free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.token_file = folder / "var" / "api_token"
        self.exchange = f"ledger.demo.{uuid4()}"  # a broker may be others' too
        environment = {"WEBHOOK_LOOPBACK": "true", "RELAY_LEASE_SECONDS": "2"}
        if way == "rabbitmq":
            environment |= {"BROKER_URL": broker, "BROKER_EXCHANGE": self.exchange}
        self.ledger_part = LedgerPart(folder / "var", port, folder / "ledger.log", **environment)
        command = ["-m", "examples.ad_engine", way, "--ledger", self.url]
        command += ["--token-file", str(self.token_file), "--database", str(self.database)]
        if way == "webhook":
            command += ["--port", str(own_port)]
        if way == "rabbitmq":
            command += ["--broker", broker, "--exchange", self.exchange, "--queue", self.exchange]
        self.engine_part = Part(command, folder / "engine.log")
        self.changes: dict[str, Decimal] = defaultdict(Decimal)  # what the ledger has acknowledged

    def run(self) -> None:
        began = time.monotonic()
        self.ledger_part.start()
        self.wait("The ledger starts", self.token_file.exists)
        self.ledger = self.make_client()
        self.ledger.get("/accounts")
        Engine(self.database, self.ledger).database.close()  # its tables are there before they are looked at
        self.engine_part.start()
        self.say(f"The ledger is at {self.url}; the ad engine hears it by {self.way}.")
        self.show_one_campaign()
        names = {self.make_account(f"user {number}"): f"user {number}" for number in range(1, USERS + 1)}
        accounts = list(names)
        self.say(f"{USERS} accounts get deposits, withdrawals and captures from {CUSTOMERS} clients …")
        with self.burst(accounts):
            time.sleep(BURST_SECONDS)
            self.engine_part.kill()
            self.ledger_part.kill()
            self.say("kill -9 of both sides in the middle of it. Both are started again …")
            self.engine_part.start()
            self.ledger_part.start()
            self.ledger.get("/accounts")
            self.say("The ledger answers again; the clients go on with the same requests.")
            time.sleep(BURST_SECONDS)
        for account in accounts:
            self.catch_up(account)
        self.tell_everything_again()
        self.verify(names)
        self.say(f"[green]Everything is right[/], after {time.monotonic() - began:.0f} s.")

    def show_one_campaign(self) -> None:
        petya = self.make_account("petya")
        self.show("petya has an account with nothing in it", petya, "stopped")
        self.move(petya, "DEPOSIT", "100.00")
        self.show("a deposit of 100.00", petya, "running")
        hold = self.post("/holds", account=petya, amount="60.00")
        self.show("a hold of 60.00 leaves 40.00", petya, "running")
        self.post(f"/holds/{hold['id']}/capture")
        self.show("it is captured: still 40.00", petya, "running")
        self.move(petya, "WITHDRAW", "40.00")
        self.show("the rest is spent", petya, "stopped")
        if [action for _, action in self.read_effects(petya)] != ["start", "stop"]:
            raise WentWrong(f"One start and one stop were due, not {self.read_effects(petya)}.")

    def show(self, what: str, account: str, state: str) -> None:
        self.catch_up(account)
        is_running = self.read_campaign(account)[1]
        self.say(f"  {what:<42} campaign {'[green]running' if is_running else '[red]stopped'}[/]")
        if is_running != (state == "running"):
            raise WentWrong(f"The campaign should be {state}.")

    @contextmanager
    def burst(self, accounts: list[str]) -> Iterator[None]:
        """Clients that change funds for as long as the block lasts."""
        stopping = Flag()
        with ThreadPoolExecutor(CUSTOMERS) as pool:
            futures = [pool.submit(self.spend, seed, accounts, stopping) for seed in range(CUSTOMERS)]
            try:
                yield
            finally:
                stopping.set()
        posted = [future.result() for future in futures]
        self.say(f"{sum(map(len, posted))} movements were acknowledged.")
        for account, change in chain.from_iterable(posted):
            self.changes[account] += change

    def spend(self, seed: int, accounts: list[str], stopping: Flag) -> list[tuple[str, Decimal]]:
        """By turns a deposit, a withdrawal, a captured hold; what was acknowledged of it."""
        client, chance, posted = self.make_client(), random.Random(seed), []  # noqa: S311, not a secret
        while not stopping.is_set():
            account, kind = chance.choice(accounts), chance.choice(["DEPOSIT", "WITHDRAW", "capture"])
            try:
                if kind == "capture":
                    hold = self.post("/holds", client, account=account, amount=STEP)
                    self.post(f"/holds/{hold['id']}/capture", client)
                else:
                    self.move(account, kind, STEP, client)
                posted.append((account, Decimal(STEP) if kind == "DEPOSIT" else -Decimal(STEP)))
            except Refused as refused:
                if refused.code != "insufficient_funds":
                    raise
            stopping.wait(PAUSE_SECONDS)
        return posted

    def tell_everything_again(self) -> None:
        """Whoever pulls has no subscription: nobody but itself decides what it is told."""
        for subscription in self.ledger.get("/subscriptions")["results"]:
            path = f"/subscriptions/{subscription['id']}"
            self.ledger.post(f"{path}/replay")
            self.say("The ledger tells everything once more, from the beginning …")
            self.wait("The engine hears it", lambda path=path: not self.ledger.get(path)["lag"]["events"])

    def verify(self, names: dict[str, str]) -> None:
        table = Table("account of", "events", "balance", "available", "campaign", "starts and stops")
        for account, name in names.items():
            funds, sequence, due = self.recompute(account)
            effects, (place, is_running) = self.read_effects(account), self.read_campaign(account)
            now = self.ledger.get(f"/accounts/{account}")
            may_run = now["status"] == "ACTIVE" and Decimal(now["available"]) > 0
            state = "running" if is_running else "stopped"
            table.add_row(name, str(sequence), now["balance"], now["available"], state, str(len(effects)))
            if is_running != may_run or funds.available != Decimal(now["available"]):
                raise WentWrong(f"{account} is {state}, but {now['available']} is available.")
            if (effects, place) != (due, sequence):
                raise WentWrong(
                    f"{account}: up to {place} there are {effects}; to {sequence}, {due} are due."
                )
            if Decimal(now["balance"]) != self.changes[account]:
                raise WentWrong(f"{account} has {now['balance']}, not the {self.changes[account]} promised.")
        self.console.print(table)
        self.say("Every campaign is what the ledger's own balances say; every start and stop happened once.")

    def recompute(self, account: str) -> tuple[Funds, int, list[tuple[int, str]]]:
        """What the whole feed says: the funds, the last sequence number, the effects that were due."""
        funds, due, sequence = Funds(), [], 0
        for event in self.ledger.read_account(account, 0):
            before, sequence = funds.may_be_spent, event["account_sequence"]
            funds.apply(event)
            if funds.may_be_spent != before:
                due.append((sequence, "stop" if before else "start"))
        return funds, sequence, due

    def catch_up(self, account: str) -> None:
        sequence = self.recompute(account)[1]
        self.wait("The engine hears it all", lambda: self.read_campaign(account)[0] >= sequence)

    def read_campaign(self, account: str) -> tuple[int, bool]:
        """The engine's place in the account's events, and whether the campaign runs."""
        rows = self.read("SELECT sequence, is_running FROM campaign WHERE account = ?", account)
        return (rows[0][0], bool(rows[0][1])) if rows else (0, False)

    def read_effects(self, account: str) -> list[tuple[int, str]]:
        return self.read("SELECT account_sequence, action FROM effect WHERE account = ? ORDER BY id", account)

    def read(self, query: str, account: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute(query, [account]).fetchall()

    def make_account(self, name: str) -> str:
        return str(self.post("/users", name=name)["accounts"][0]["id"])

    def move(self, account: str, type: str, amount: str, client: Ledger | None = None) -> None:
        self.post("/transactions", client, account=account, type=type, amount=amount)

    def post(self, path: str, client: Ledger | None = None, **body: str) -> dict[str, Any]:
        """A command with an id of its own: the client may repeat it without doing it twice."""
        return (client or self.ledger).post(path, {"id": str(uuid4()), **body})

    def make_client(self) -> Ledger:
        return Ledger(self.url, self.token_file.read_text().strip(), patience=PATIENCE)

    def wait(self, what: str, condition: Any) -> None:
        def has_happened() -> bool:
            for part in (self.ledger_part, self.engine_part):
                if part.process is not None and part.has_ended():
                    raise WentWrong(f"{part.log.stem} has ended by itself.")
            return bool(condition())

        if not wait_until(has_happened, WAIT_SECONDS_MAX):
            raise WentWrong(f"{what}: not within {WAIT_SECONDS_MAX} s.")

    def say(self, line: str) -> None:
        self.console.print(line, soft_wrap=True)

    def explain(self, wrong: Exception) -> None:
        for part in (self.ledger_part, self.engine_part):
            if part.log.exists():
                self.console.print(
                    f"The end of {part.log.name}:\n{part.log.read_text()[-LOG_LENGTH:]}", markup=False
                )
        self.say(f"[red]{type(wrong).__name__}[/]")
        self.console.print(wrong, markup=False)

    def stop(self) -> None:
        self.engine_part.stop()
        self.ledger_part.stop()
        if self.way == "rabbitmq":
            with Connection(self.broker, connect_timeout=5) as connection, connection.channel() as channel:
                channel.queue_delete(self.exchange)
                channel.exchange_delete(self.exchange)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.ad_engine.demo", description=__doc__)
    parser.add_argument("--way", choices=["pull", "webhook", "rabbitmq"], default="webhook")
    parser.add_argument("--broker", default="", help="amqp://user:password@host:port//, for rabbitmq")
    options = parser.parse_args()
    if options.way == "rabbitmq" and not options.broker:
        parser.error("--way rabbitmq needs --broker")
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, lambda number, _: sys.exit(f"Ended by {signal.Signals(number).name}."))
    signal.alarm(SECONDS_MAX)
    with tempfile.TemporaryDirectory(prefix="ledger-demo-") as folder:
        Path(folder).chmod(0o755)  # run by root, the database is another user's
        demo = Demo(Path(folder), options.way, options.broker)
        try:
            demo.run()
        except (WentWrong, LedgerAway, Refused) as wrong:
            demo.explain(wrong)
            return 1
        finally:
            demo.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
