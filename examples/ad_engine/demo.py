"""The demonstration: the ledger and the engine side by side, both killed in the middle, and still exact.

`python -m examples.ad_engine.demo [--way pull|webhook|rabbitmq --broker amqp://…]`; exit 0 if all is right.
"""

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from itertools import chain
from pathlib import Path
from threading import Event as Flag
from uuid import UUID, uuid4

from kombu import Connection
from ledger_client import InsufficientFunds, LedgerError, commands, new_id
from ledger_client.testing import LedgerServer, find_free_port
from rich.table import Table

from examples.ad_engine.campaign import Campaigns, WentWrong
from examples.ad_engine.processes import PROJECT

SECONDS_MAX = 150
BURST_SECONDS = 2  # before the kills, and once more after them
USERS = 5
CUSTOMERS = 4
PAUSE_SECONDS = 0.02
STEP = Decimal("10.00")


class Demo(Campaigns):
    def __init__(self, folder: Path, way: str, broker: str) -> None:
        self.way, self.broker = way, broker
        port, own_port = find_free_port(), find_free_port()
        var = folder / "var"
        self.exchange = f"ledger.demo.{uuid4()}"  # a broker may be others' too
        environment = {"RELAY_LEASE_SECONDS": "2"}
        options: list[str] = []
        if way == "webhook":
            options = ["--port", str(own_port)]
        if way == "rabbitmq":
            environment |= {"BROKER_URL": broker, "BROKER_EXCHANGE": self.exchange}
            options = ["--broker", broker, "--exchange", self.exchange, "--queue", self.exchange]
        super().__init__(f"http://127.0.0.1:{port}", var / "api_token", folder, way, *options)
        self.ledger_part = LedgerServer(PROJECT, var=var, port=port, settings=environment)
        self.parts = [self.ledger_part, self.engine_part]
        self.changes: dict[UUID, Decimal] = defaultdict(Decimal)  # what the ledger has acknowledged

    def run(self) -> None:
        began = time.monotonic()
        self.ledger_part.start()
        self.start_engine()
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
            self.ledger.who_am_i()
            self.say("The ledger answers again; the clients go on with the same requests.")
            time.sleep(BURST_SECONDS)
        for account in accounts:
            self.catch_up(account)
        self.tell_everything_again()
        self.verify(names)
        self.say(f"[green]Everything is right[/], after {time.monotonic() - began:.0f} s.")

    @contextmanager
    def burst(self, accounts: list[UUID]) -> Iterator[None]:
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

    def spend(self, seed: int, accounts: list[UUID], stopping: Flag) -> list[tuple[UUID, Decimal]]:
        """By turns a deposit, a withdrawal, a captured hold; what was acknowledged of it."""
        chance, posted = random.Random(seed), []  # noqa: S311, not a secret
        while not stopping.is_set():
            account, kind = chance.choice(accounts), chance.choice(["deposit", "withdraw", "capture"])
            with contextlib.suppress(InsufficientFunds):
                match kind:
                    case "deposit":
                        self.ledger.post(commands.deposit(id=new_id(), account=account, amount=STEP))
                    case "withdraw":
                        self.ledger.post(commands.withdraw(id=new_id(), account=account, amount=STEP))
                    case "capture":
                        hold = self.ledger.post(commands.hold(id=new_id(), account=account, amount=STEP))
                        self.ledger.post(commands.capture(id=new_id(), hold=hold.id))
                posted.append((account, STEP if kind == "deposit" else -STEP))
            stopping.wait(PAUSE_SECONDS)
        return posted

    def tell_everything_again(self) -> None:
        """Whoever pulls has no subscription: nobody but itself decides what it is told."""
        subscriptions = self.ledger.subscriptions
        for id in [each.id for each in subscriptions.list()]:
            subscriptions.replay(id)
            self.say("The ledger tells everything once more, from the beginning …")
            self.wait("The engine hears it", lambda id=id: not subscriptions.get(id).lag.events)

    def verify(self, names: dict[UUID, str]) -> None:
        table = Table("account of", "events", "balance", "available", "campaign", "starts and stops")
        for account, name in names.items():
            funds, sequence, due = self.recompute(account)
            effects, (place, is_running) = self.read_effects(account), self.read_campaign(account)
            now = self.ledger.get_account(account)
            may_run = now.status == "ACTIVE" and now.available > 0
            state = "running" if is_running else "stopped"
            table.add_row(name, *map(str, (sequence, now.balance, now.available, state, len(effects))))
            if is_running != may_run or funds.may_be_spent != may_run:
                raise WentWrong(f"{account} is {state}, but {now.available} is available.")
            if (effects, place) != (due, sequence):
                raise WentWrong(
                    f"{account}: up to {place} there are {effects}; to {sequence}, {due} are due."
                )
            if now.balance != self.changes[account]:
                raise WentWrong(f"{account} has {now.balance}, not the {self.changes[account]} promised.")
        self.console.print(table)
        self.say("Every campaign is what the ledger's own balances say; every start and stop happened once.")

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
        except (WentWrong, LedgerError) as wrong:
            demo.explain(wrong)
            return 1
        finally:
            demo.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
