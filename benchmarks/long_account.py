"""What a balance in the past costs on an account with a long history, beside the balance now.

`python -m benchmarks.long_account --rows 10000000`. The rows are written past the engine, as for the audit.
"""

import argparse
import json
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from benchmarks.audit import START_DAYS, write_ledger
from benchmarks.cpu import Site
from benchmarks.figures import Figures, compare
from benchmarks.ground import embedded_ledger
from benchmarks.load import Target, require_wrk, run_wrk
from benchmarks.rows import PAST
from tests.service import Service


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_account", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    require_wrk()
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder, embedded_ledger(Path(folder)):
        rounds = measure(Path(folder), options)
    cpu, rate = (compare(rounds, "now", "at a date", by) for by in ("cpu", "rate"))
    Console().print(
        f"{PAST.name}, {options.rows} rows: CPU {cpu.median:.2f} ({cpu.low:.2f}–{cpu.high:.2f}),"
        f" rate {1 / rate.median:.2f}",
        soft_wrap=True,
    )
    if options.json:
        options.json.write_text(json.dumps({PAST.name: cpu.median, f"{PAST.name}, rows": options.rows}))
    return 0


def measure(folder: Path, options: argparse.Namespace) -> list[dict[str, Figures]]:
    from accounts.models import Account

    console = Console()
    console.print(f"Writing {options.rows} transactions of one account …")
    write_ledger(options.rows, workers=1, accounts=1, with_events=False)
    ids = folder / "account_ids"
    ids.write_text(f"{Account._base_manager.get().id}\n")
    service = Service(folder).start()
    try:
        token = (folder / "api_token").read_text().strip()
        site = Site(service.process.pid, service.read_postmaster_pid(), "ledger")
        target = Target(service.port, ids, token, site)
        start = datetime.now(UTC) - timedelta(days=START_DAYS)
        history = (int(start.timestamp()), int(start.timestamp()) + options.rows // 1000)  # one a millisecond

        def ask(what: str) -> Figures:
            return run_wrk(target, what, connections=16, count=1, seconds=options.seconds, history=history)

        rounds = []
        for number in range(options.rounds + 1):
            rounds.append({"now": ask("balance"), "at a date": ask("past")})
            prices = ", ".join(f"{name} {run.price:.0f} µs" for name, run in rounds[-1].items())
            console.print(f"{number}: {prices}")
        return rounds[1:]
    finally:
        service.stop()


if __name__ == "__main__":
    sys.exit(main())
