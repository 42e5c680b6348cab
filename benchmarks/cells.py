"""What is run in every round, in this order: each floor right beside what is compared with it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from benchmarks import books, floor, http_floor, in_process, telling
from benchmarks.contest import Ring
from benchmarks.cpu import Site
from benchmarks.figures import Figures, Run
from benchmarks.load import Target, run_wrk
from ledger_project.database.embedded import EmbeddedPostgres
from tests.service import Service, find_free_port

CLIENTS = (1, 4, 16, 32, 64)
CONNECTIONS = (1, 16, 32, 64)
ENGINE_LISTS = (1, 6, 16, 1000)


@dataclass(frozen=True)
class Ground:
    """Where all is measured: a served ledger with accounts, and the server on which the floors are, too."""

    service: Service
    server: EmbeddedPostgres
    accounts: int
    account_ids: Path
    transaction_ids: Path
    own_backend: int
    seconds: int

    @property
    def postmaster(self) -> int:
        return self.service.read_postmaster_pid()

    @property
    def token(self) -> str:
        return (self.service.var / "api_token").read_text().strip()

    @property
    def site(self) -> Site:
        """The service without this process, whose backend belongs to nobody."""
        return Site(self.service.process.pid, self.postmaster, "ledger", without={self.own_backend})

    def pgbench(self, script: str, clients: int, accounts: int | None = None) -> Run:
        return lambda: floor.run_pgbench(
            self.server,
            self.postmaster,
            script,
            clients=clients,
            accounts=accounts or self.accounts,
            seconds=self.seconds,
        )

    def http(self, what: str, connections: int, count: int | None = None) -> Run:
        ids = self.transaction_ids if what == "transaction" else self.account_ids
        target = Target(self.service.port, ids, self.token, self.site, books.count_posted)
        if count is None:
            count = len(ids.read_text().split())
        return lambda: run_wrk(target, what, connections=connections, count=count, seconds=self.seconds)

    def bare(self, port: int, pid: int, connections: int) -> Run:
        """A view that does nothing; its processes alone, the ledger idles."""
        site = Site(pid, self.postmaster, "nobody's")
        target = Target(port, self.account_ids, self.token, site)
        return lambda: run_wrk(
            target, "bare", connections=connections, count=self.accounts, seconds=self.seconds
        )

    @property
    def ring(self) -> Ring:
        return Ring(self.server, self.postmaster, self.account_ids, self.accounts, self.seconds)

    def vacuum(self) -> None:
        floor.vacuum(self.server, "ledger", floor.DATABASE)


def make_ground(service: Service, accounts: int, seconds: int) -> Ground:
    """Accounts with funds in the ledger, and as many in the floor's tables."""
    server = settings.EMBEDDED_POSTGRES
    assert server is not None
    account_ids, transaction_ids = service.var / "account_ids", service.var / "transaction_ids"
    posted = books.make_accounts(service, accounts, account_ids)
    transaction_ids.write_text("".join(f"{id}\n" for id in posted))
    floor.prepare(server, accounts)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        own_backend = cursor.fetchone()[0]
    ground = Ground(service, server, accounts, account_ids, transaction_ids, own_backend, seconds)
    ground.vacuum()
    return ground


@contextmanager
def making_cells(ground: Ground) -> Iterator[dict[str, Run]]:
    """All runs by name. The bare views are served as long as the block lasts."""
    with ExitStack() as stack:
        cells: dict[str, Run] = {}
        ports = {view: find_free_port() for view in ("django", "drf")}
        pids = {
            view: stack.enter_context(http_floor.serving_view(view, port)) for view, port in ports.items()
        }
        for number in CLIENTS:
            cells[f"pgbench a, {number}"] = ground.pgbench("a", number)
            if number in CONNECTIONS:
                cells[f"POST, {number}"] = ground.http("post", number)
            if number == 16:
                cells["GET balance, 16"] = ground.http("balance", 16)
                cells["GET transaction, 16"] = ground.http("transaction", 16)
                cells["pgbench read, 16"] = ground.pgbench("read", 16)
            if number > 4:
                cells[f"pgbench b, {number}"] = ground.pgbench("b", number)
        cells["pgbench a, hot account, 64"] = ground.pgbench("a", 64, 1)
        cells["POST, hot account, 64"] = ground.http("post", 64, 1)
        cells["pgbench b, 4"] = ground.pgbench("b", 4)
        cells["batch over HTTP, 2"] = ground.http("batch", 2)
        cells["pgbench b, 1"] = ground.pgbench("b", 1)
        cells["batch in process"] = lambda: run_batches(ground)
        for number in CONNECTIONS:
            for view in ("django", "drf"):
                cells[f"bare {view} view, {number}"] = ground.bare(ports[view], pids[view], number)
        cells |= make_python_cells(ground) | make_cells_of_telling(ground)
        yield cells


def run_batches(ground: Ground) -> Figures:
    site = Site(ground.service.process.pid, ground.postmaster, "ledger", here=True)
    return in_process.run_batches(ground.account_ids, site, seconds=ground.seconds)


def make_python_cells(ground: Ground) -> dict[str, Run]:
    seconds = min(ground.seconds, 2)

    def engine(size: int) -> Run:
        return lambda: in_process.run_engine(ground.account_ids, size, seconds=seconds)

    cells: dict[str, Run] = {
        "HTTP front, engine stubbed": lambda: in_process.run_front(
            ground.account_ids, ground.token, seconds=seconds
        )
    }
    return cells | {f"engine, list of {size}": engine(size) for size in ENGINE_LISTS}


def make_cells_of_telling(ground: Ground) -> dict[str, Run]:
    post = ground.http("post", 16)
    return {
        "POST, 16, subscribers and broker down": lambda: telling.with_dead_subscribers(post),
        "events read, 500 a page": lambda: telling.read_feed(seconds=ground.seconds),
        "events sent to a webhook": telling.send_to_a_webhook,
    }
