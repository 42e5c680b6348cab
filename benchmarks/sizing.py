"""What machines some rates need: the formula of docs/capacity.md, filled in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

BUSY = 0.7  # of a core is used, so that a burst finds room
DAY, YEAR_DAYS = 86_400, 365
KEPT_DAYS = 90  # events of transactions, as `prune_events` leaves them
MB, GB = 1e6, 1e9
BILLION = 1e9
CONNECTIONS_OF_OTHERS = 10  # the relay, commands, monitoring, people
POSTED = {"posts": 1, "batched": 1, "transfers": 2}  # transactions that each makes


@dataclass(frozen=True)
class Price:
    """Of one request: microseconds of CPU by whom, and bytes of WAL."""

    web: float
    database: float
    relay: float = 0
    wal: float = 0


@dataclass(frozen=True)
class Prices:
    """What was measured on one machine.

    `kept` and `pruned` are bytes of disk for a transaction: for ever, and of its event. `audit` is rows a
    second in two processes (0: was not measured), `memory` MiB of one `serve` with two workers, `connections`
    the most that a worker opens.
    """

    requests: Mapping[str, Price]
    kept: float
    pruned: float
    audit: float
    memory: float
    connections: int
    machine: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Need:
    """Whole cores, `BUSY` as they are; disk is of transactions and events with indexes, without WAL."""

    web_cores: float
    database_cores: float
    relay_cores: float
    workers: int
    connections: int
    memory_mib: float
    wal_mb_a_second: float
    wal_gb_a_day: float
    disk_gb_a_day: float
    disk_gb_a_year: float
    audit_hours_of_a_billion: float


def compute_need(prices: Prices, rates: Mapping[str, float], *, hours: float = 24) -> Need:
    """`rates` are requests a second by kind (of `batched`: transactions a second), on `hours` of a day."""

    def add_up(part: str) -> float:
        return sum(rate * float(getattr(prices.requests[kind], part)) for kind, rate in rates.items())

    web = add_up("web") / 1e6 / BUSY
    workers = max(2, math.ceil(web))  # one worker uses one core at most
    wal = add_up("wal") / MB
    rows = sum(rates.get(kind, 0) * count for kind, count in POSTED.items())
    rows_a_day = rows * hours / 24 * DAY
    return Need(
        web_cores=web,
        database_cores=add_up("database") / 1e6 / BUSY,
        relay_cores=add_up("relay") / 1e6 / BUSY,
        workers=workers,
        connections=workers * prices.connections + CONNECTIONS_OF_OTHERS,
        memory_mib=workers / 2 * prices.memory,
        wal_mb_a_second=wal,
        wal_gb_a_day=wal * MB * hours / 24 * DAY / GB,
        disk_gb_a_day=rows_a_day * (prices.kept + prices.pruned) / GB,
        disk_gb_a_year=rows_a_day * (prices.kept * YEAR_DAYS + prices.pruned * KEPT_DAYS) / GB,
        audit_hours_of_a_billion=BILLION / prices.audit / 3600 if prices.audit else math.nan,
    )
