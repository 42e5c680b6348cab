"""Application, network and ledger, killed at every named point of an intent's way; intents = transactions.

`python -m tests.clients.chaos --times 50` (with clients/python/src and clients/python/tests in PYTHONPATH)
ends with 0 if the shop's intents are the ledger's transactions, in number and in sum.
"""

import argparse
import math
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger_client import Ledger, commands, new_id
from ledger_client.testing import BadNetwork

from ledger_project.database.embedded import EmbeddedPostgres
from tests.clients import application
from tests.clients.application import Order, Sending, Settings
from tests.clients.points import POINTS, Killer, KillingProxy, Point
from tests.faults.hammer import new_folder
from tests.servers import CHEAP
from tests.service import Service

PROXY_PORT = 6543
ACCOUNTS = 4
FUNDS = Decimal("50.00")
TRIES_MAX = 5  # of a point that was not reached: somebody else's COMMIT was harmed, or nothing was due
RESOLVE_SECONDS_MAX = 120
MORE = 1.6  # so many times as often where nothing has to be started again: 1,030 kills of 50 times


@contextmanager
def run_everything(folder: Path, *, makes_new_ids: bool) -> Iterator["World"]:
    """The ledger behind a proxy of its database, the network, and the shop with a PostgreSQL of its own."""
    folder.chmod(0o755)  # run by root, the databases are another user's
    ours = EmbeddedPostgres(folder / "shop", settings=CHEAP)
    ours.start()
    theirs = EmbeddedPostgres(folder / "var" / "postgres")
    theirs.socket_folder.mkdir(mode=0o700, parents=True)
    sockets = theirs.socket_folder
    here, there = multiprocessing.Pipe()
    proxy = KillingProxy(sockets, PROXY_PORT, server_host=str(sockets), server_port=5432)
    service = Service(
        folder / "var",
        {"PGPORT": str(PROXY_PORT), "LOG_LEVEL": "CRITICAL"},
        options=["--workers", "1", "--no-relay"],
    )
    service.log = folder / "serve.log"
    shop = multiprocessing.get_context("spawn").Process(target=run_shop, args=[there], daemon=False)
    shop.start()
    there.close()
    proxy.start()
    try:
        service.start()
        with BadNetwork(f"http://127.0.0.1:{service.port}") as network:
            here.send(Settings(str(ours.socket_folder), network.url, service.token, makes_new_ids))
            assert here.recv() == "ready"
            with Ledger(f"http://127.0.0.1:{service.port}", service.token) as ledger:
                yield World(here, Killer(service, proxy, network), ledger)
            here.send(None)
            shop.join(30)
    finally:
        shop.kill()
        if service.process.poll() is None:
            service.stop()
        proxy.stop()
        ours.stop()


def run_shop(connection: Any) -> None:
    application.serve(connection, connection.recv())


class World:
    def __init__(self, shop: Any, killer: Killer, ledger: Ledger) -> None:
        self.shop, self.killer, self.ledger = shop, killer, ledger
        self.accounts: list[UUID] = []
        for _ in range(ACCOUNTS):
            user = ledger.post(commands.create_user(id=new_id(), name="customer"))
            self.accounts.append(user.accounts[0].id)
            ledger.post(commands.deposit(id=new_id(), account=user.accounts[0].id, amount=FUNDS))

    def reach(self, point: Point, chance: random.Random) -> None:
        """An order and its sending, with a death at the point."""
        for _ in range(TRIES_MAX):
            order = Order(
                account=chance.choice(self.accounts),
                amount=Decimal(chance.randint(1, 4000)) / 100,  # some are declined
                is_refund=chance.random() < 0.4,
                in_line=chance.random() < 0.5,
                death=point.writer,
            )
            self.shop.send(order)
            exit_code = self.shop.recv()
            if point.writer:
                assert exit_code == -9, exit_code
                point.kills += 1
                self.send()
                return
            before = self.killer.arm(point)
            self.shop.send(Sending(point.sender))
            self.killer.strike(point, before, self.shop.poll)
            exit_code = self.shop.recv()
            has_struck = self.killer.has_struck(point, before, exit_code)
            self.killer.heal()
            if has_struck:
                point.kills += 1
                return
        raise AssertionError(f"Never reached: {point.name}")

    def send(self) -> None:
        self.shop.send(Sending())
        assert self.shop.recv() == 0

    def resolve(self) -> dict[str, Any]:
        """Nothing is killed any more: everything that waits is answered now; what the shop has then."""
        deadline = time.monotonic() + RESOLVE_SECONDS_MAX
        while True:
            self.send()
            self.shop.send("state")
            state: dict[str, Any] = self.shop.recv()
            if not state["waiting"]:
                return state
            assert time.monotonic() < deadline, f"{state['waiting']} intents still wait."

    def judge(self, state: dict[str, Any]) -> list[str]:
        """What is wrong: of each intent there is one transaction, and the sums are the same."""
        wrong = []
        rows = {
            row.id: row for account in self.accounts for row in self.ledger.list_transactions(account=account)
        }
        intents, orders = state["intents"], state["orders"]
        expected = dict.fromkeys(self.accounts, FUNDS)
        if len(rows) - ACCOUNTS != len(intents) or len(intents) != len(orders):
            wrong.append(f"{len(orders)} orders, {len(intents)} intents, {len(rows) - ACCOUNTS} transactions")
        for payment, account, price, state_of_order, told in orders:
            row = rows.get(payment)
            outcome = (intents.get(payment), state_of_order, told)
            if (
                row is None
                or outcome
                != {
                    "POSTED": ("DONE", "paid", 1),
                    "DECLINED": ("PARKED", "refused", 1),
                }[row.status]
            ):
                wrong.append(f"{payment}: {outcome}, and {row and row.status} in the ledger")
            elif row.amount != abs(price):
                wrong.append(f"{payment}: {abs(price)}, and {row.amount} in the ledger")
            if state_of_order == "paid":
                expected[account] -= price
        for account, sum in expected.items():
            balance = self.ledger.get_account(account).balance
            if balance != sum:
                wrong.append(f"{account}: {sum} by the orders, {balance} in the ledger")
        return wrong


def run(folder: Path, points: Sequence[Point], *, times: int, seed: int, makes_new_ids: bool) -> list[str]:
    chance, began = random.Random(seed), time.monotonic()
    with run_everything(folder, makes_new_ids=makes_new_ids) as world:
        rounds = [p for p in points for _ in range(times if p.is_slow else math.ceil(times * MORE))]
        chance.shuffle(rounds)
        for number, point in enumerate(rounds, start=1):
            world.reach(point, chance)
            if number % 50 == 0:
                sys.stdout.write(f"{number} of {len(rounds)} kills after {time.monotonic() - began:.0f} s\n")
                sys.stdout.flush()
        state = world.resolve()
        wrong = world.judge(state)
    intents = Counter(state["intents"].values())
    for point in points:
        sys.stdout.write(f"  {point.name:<80}{point.kills:>6}\n")
    kills = sum(point.kills for point in points)
    sys.stdout.write(
        f"{kills} kills in {time.monotonic() - began:.0f} s, seed {seed}; intents: {dict(intents)}\n"
    )
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=2, help="kills at each point, at the least")
    parser.add_argument("--points", default="", help="those only whose names begin so")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--new-ids", action="store_true", help="the mistake that must be found")
    asked = parser.parse_args()
    points = [point for point in POINTS if point.name.startswith(asked.points)]
    with new_folder("chaos-") as folder:
        wrong = run(folder, points, times=asked.times, seed=asked.seed, makes_new_ids=asked.new_ids)
        sys.stdout.write("".join(f"! {each}\n" for each in wrong[:20]))
        if wrong:
            sys.exit(1)
        sys.stdout.write("Intents are transactions, in number and in sum.\n")


if __name__ == "__main__":
    main()
