"""Load on the whole service over HTTP, by wrk (Debian's package)."""

import re
import shutil
import subprocess
from pathlib import Path

from benchmarks.floor import Figures
from tests.service import Service

REQUESTS = Path(__file__).parent / "request.lua"
BATCH = 1000  # transactions, as in request.lua


class LoadFailed(Exception):
    """Some request was not answered as it should be, so the run's figures mean nothing."""


def require_wrk() -> None:
    if shutil.which("wrk") is None:
        raise SystemExit("The load comes from wrk: apt-get install wrk")


def run_wrk(
    service: Service, what: str, ids: Path, *, connections: int, accounts: int, seconds: int
) -> Figures:
    """`what` (`post`, `balance`, `past`, `batch`) on the first `accounts` of the account ids in the file."""
    token = (service.var / "api_token").read_text().strip()
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(REQUESTS)]
    command += [f"http://127.0.0.1:{service.port}", "--", what, str(ids), str(accounts), token]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"^FIGURES (\d+) (\d+) (\S+) (\S+) (\d+)$", output, flags=re.M)
    if found is None or int(found[1]) == 0 or int(found[5]) > 0:
        raise LoadFailed(output)
    requests, microseconds, p50, p99 = int(found[1]), int(found[2]), float(found[3]), float(found[4])
    transactions = requests * (BATCH if what == "batch" else 1)
    return Figures(transactions / microseconds * 1e6, p50, p99)
