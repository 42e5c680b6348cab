"""What a run yields, and how runs are compared."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# Whose CPU counts as the price of a request. PostgreSQL's other processes are told apart: what they write
# back may be another run's.
OURS = ("service", "relay", "backends", "load")


@dataclass(frozen=True)
class Figures:
    """Of one run: transactions or requests a second, their latencies, and their CPU by class of process.

    `p50` and `p99` are milliseconds; `cpu` is microseconds per transaction or request.
    """

    rate: float
    p50: float = 0
    p99: float = 0
    cpu: Mapping[str, float] = field(default_factory=dict)

    @property
    def price(self) -> float:
        """Microseconds of CPU of all processes that serve or send one request."""
        return sum(self.cpu.get(name, 0) for name in OURS)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, to four digits."""
        rounded = {name: float(f"{value:.4g}") for name, value in self.cpu.items()}
        figures = {name: float(f"{value:.4g}") for name, value in asdict(self).items() if name != "cpu"}
        return figures | {"cpu": rounded}


Run = Callable[[], Figures]
Round = Mapping[str, Figures]


@dataclass(frozen=True)
class Spread:
    """The median of the rounds' figures, the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values))


def compare(rounds: Sequence[Round], ours: str, beside: str, by: str) -> Spread:
    """Ours beside the floor of the same round, by `rate`, `cpu` or `p99`.

    More is better by rate and by CPU (the floor's price over ours), less by p99.
    """
    ratios = []
    for row in rounds:
        mine, floor = row[ours], row[beside]
        if by == "cpu":
            ratios.append(floor.price / mine.price)
        else:
            ratios.append(getattr(mine, by) / getattr(floor, by))
    return Spread.of(ratios)
