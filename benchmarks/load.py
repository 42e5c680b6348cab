"""Load on the whole service over HTTP, by wrk (Debian's package)."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cpu import Site, divide, measure
from benchmarks.figures import Figures

REQUESTS = Path(__file__).parent / "request.lua"
BATCH = 1000  # transactions, as in request.lua
BATCH_SECONDS_MIN = 4  # a batch takes some tenths of a second
SETTLE_SECONDS = 0.5  # after the load, still measured: the relay places the last events


class LoadFailed(Exception):
    """Some request was not answered as it should be, so the run's figures mean nothing."""


@dataclass(frozen=True)
class Target:
    """Where wrk sends what: `ids` is a file of ids, one in a line; `site` is whose CPU it costs.

    `count_posted` counts transactions. A load that ends leaves requests unanswered, which are posted all the
    same: the CPU is divided by what was posted, the rate is of what was answered.
    """

    port: int
    ids: Path
    token: str
    site: Site
    count_posted: Callable[[], int] | None = None


def require_wrk() -> None:
    if shutil.which("wrk") is None:
        raise SystemExit("The load comes from wrk: apt-get install wrk")


def run_wrk(
    target: Target,
    what: str,
    *,
    connections: int,
    count: int,
    seconds: int,
    history: tuple[int, int] = (0, 0),
) -> Figures:
    """`what` (see request.lua) on the first `count` of the ids in the file; `history` is the epoch second
    from which to which balances are asked for.

    Raises `LoadFailed` on any answer outside 2xx and 3xx and on any error of the network.
    """
    seconds = max(seconds, BATCH_SECONDS_MIN) if what == "batch" else seconds
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(REQUESTS)]
    command += [f"http://127.0.0.1:{target.port}", "--", what, str(target.ids), str(count), target.token]
    command += [str(second) for second in history]
    count_posted = target.count_posted if what in ("post", "batch") else None
    before = count_posted() if count_posted else 0
    with measure(target.site) as used:
        wrk = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert wrk.stdout is not None
        output = wrk.stdout.read()
        _, status, spent = os.wait4(wrk.pid, 0)
        wrk.returncode = os.waitstatus_to_exitcode(status)
        wrk.stdout.close()
        time.sleep(SETTLE_SECONDS)
    found = re.search(r"^FIGURES (\d+) (\d+) (\S+) (\S+) (\d+)$", output, flags=re.M)
    if wrk.returncode or found is None or int(found[1]) == 0 or int(found[5]) > 0:
        raise LoadFailed(describe_failure(output))
    requests, microseconds, p50, p99 = int(found[1]), int(found[2]), float(found[3]), float(found[4])
    transactions = requests * (BATCH if what == "batch" else 1)
    used["load"] = spent.ru_utime + spent.ru_stime
    posted = count_posted() - before if count_posted else transactions
    return Figures(transactions / microseconds * 1e6, p50, p99, divide(used, posted))


def describe_failure(output: str) -> str:
    """What wrk says of errors, on one line."""
    told = [line.strip() for line in output.splitlines() if "Non-2xx" in line or "Socket errors" in line]
    return ", ".join(told) or "no request was answered"
