"""What the ledger must show, row by row: ours beside a floor of the same round."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import Round, Spread, compare


@dataclass(frozen=True)
class Row:
    """`must` and `aim` are what `by` is judged by: at least, or of a `p99` or a `ratio` at most."""

    name: str
    ours: str
    beside: str
    must: float
    aim: float
    by: str = "cpu"

    @property
    def less_is_better(self) -> bool:
        return self.by == "p99"

    def is_reached(self, value: float) -> bool:
        return value <= self.must if self.less_is_better else value >= self.must

    def compare(self, rounds: Sequence[Round], by: str = "") -> Spread:
        return compare(rounds, self.ours, self.beside, by or self.by)


ROWS = (
    Row("POST, 1 connection / pgbench a, 1 client", "POST, 1", "pgbench a, 1", 0.20, 0.30, "rate"),
    Row("POST, 16 connections / a, 16 clients", "POST, 16", "pgbench a, 16", 0.32, 0.50),
    Row("POST, 32 / a, 32", "POST, 32", "pgbench a, 32", 0.38, 0.65),
    Row("POST, 64 / a, 64", "POST, 64", "pgbench a, 64", 0.44, 0.85),
    Row(
        "one hot account, 64 / a on one row, 64",
        "POST, hot account, 64",
        "pgbench a, hot account, 64",
        2.5,
        5,
        "rate",
    ),
    Row(
        "batch of 1,000 over HTTP, 2 / pgbench b, 4",
        "batch over HTTP, 2",
        "pgbench b, 4",
        1.0,
        2,
    ),
    # By the rate, as its must was found: PostgreSQL alone takes half of b's CPU for the rows of a batch.
    Row("batch of 1,000 in process / b, 1", "batch in process", "pgbench b, 1", 2.0, 4, "rate"),
    Row("GET balance, 16 / a, 16", "GET balance, 16", "pgbench a, 16", 0.50, 1.3),
    Row("GET transaction by id, 16 / a, 16", "GET transaction, 16", "pgbench a, 16", 0.45, 1.2),
    Row("p99 of a POST, 16 / p99 of a, 16", "POST, 16", "pgbench a, 16", 4, 2, "p99"),
)


@dataclass(frozen=True)
class Single:
    """A figure of its own, measured once or in each round; less is better."""

    name: str
    unit: str
    must: float | None
    aim: float | None


FRONT = Single("HTTP front of a POST, engine stubbed", "µs of Python", None, 45)
ENGINE = Single("engine, list of 6", "µs of Python", None, 60)
PAST = Single("balance at a date / current balance, long account", "× the CPU", 1.5, 1.1)
AUDIT = Single("audit of all transactions", "s", 75, 45)
IDLE = Single("CPU of an idle service, relay and backends included", "% of a core", 1, 0.3)
MEMORY = Single("memory of an idle `serve`, PSS", "MiB", 220, 150)
