"""Client processes on the real service, faults in between, and a verdict on what is left.

`python -m tests.faults.hammer --operations 10000 --faults 50` ends with 0 if nothing is wrong.
"""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from ledger_project.database.embedded import EmbeddedPostgres
from tests.crossings.oracle import FELL, ROSE
from tests.faults.charges import AUDIT, CHARGES
from tests.faults.ledger import Ledger, read_ledger
from tests.faults.nemesis import WORKER_AGE_SECONDS_MIN, Nemesis, plan_periods
from tests.faults.operations import Operation, Plan
from tests.faults.proxy import CommitProxy
from tests.faults.replies import Reply, insist
from tests.faults.verdict import Verdict, judge
from tests.servers import PROJECT
from tests.service import Service

PROXY_PORT = 6543
CLIENTS = 6
ACCOUNTS, EUROS = 4, 2
COMPLAINTS_SHOWN_MAX = 20
STEP_SECONDS_MAX = 60
FINAL_SECONDS_MAX = 120


@dataclass
class Report:
    plan: Plan
    seconds: float
    kinds: Counter[str]
    faults: Counter[str]
    harmed: Counter[str]
    replies: list[Reply]
    ledger: Ledger
    verdict: Verdict

    def __str__(self) -> str:
        distinct = len({reply.id for reply in self.replies})
        rate = self.plan.operations / self.seconds
        rows = Counter(row["status"] for row in self.ledger.transactions)
        holds = Counter(row["status"] for row in self.ledger.holds)
        claims = Counter(row["status"] for row in self.ledger.claims)
        collections = sum(row["collections"] for row in self.ledger.claims)
        crossings = sum(event["type"] in (FELL, ROSE) for event in self.ledger.events)
        plan = self.plan
        lines = [
            f"{plan.operations} operations in {self.seconds:.0f} s ({rate:.0f}/s), seed {plan.seed},"
            f" {plan.clients} clients, {len(plan.accounts)} accounts in dollars,"
            f" {len(plan.euros)} in euros, {distinct} ids, transactions: {dict(rows)}, holds: {dict(holds)},"
            f" lists: {len(self.ledger.batches)}, claims: {dict(claims)}, collections: {collections},"
            f" thresholds: {len(self.ledger.thresholds)}, crossings: {crossings}",
            *format_table("asked for", self.kinds),
            *format_table(f"faults: {sum(self.faults.values())}", self.faults),
            *format_table(f"COMMITs harmed: {self.harmed.total()}", self.harmed),
            *format_table(f"replies: {len(self.replies)}", self.verdict.replies),
            *format_table("verdict", {charge: self.verdict.count(charge) for charge in CHARGES}),
        ]
        complaints = [f"! {name}: {what}" for name, what in self.verdict.charges]
        return "\n".join([*lines, "", *complaints[:COMPLAINTS_SHOWN_MAX]])


def format_table(title, counts) -> list[str]:
    return ["", title, *(f"  {name:<48}{count:>8}" for name, count in counts.items())]


@contextmanager
def run_service_behind_proxy(folder: Path) -> Iterator[tuple[Service, EmbeddedPostgres, CommitProxy]]:
    """`serve` watches its database at port 5432; Django, which is given no port, goes where PGPORT says."""
    postgres = EmbeddedPostgres(folder / "var" / "postgres")
    postgres.socket_folder.mkdir(mode=0o700, parents=True)
    sockets = postgres.socket_folder
    proxy = CommitProxy(sockets, PROXY_PORT, server_host=str(sockets), server_port=5432).start()
    service = Service(folder / "var", {"PGPORT": str(PROXY_PORT), "LOG_LEVEL": "CRITICAL"})
    service.log = folder / "serve.log"
    try:
        yield service.start(), postgres, proxy
    finally:
        if service.process.poll() is None:
            service.stop()
        proxy.stop()


def hammer(*, operations: int, faults: int, seed: int, folder: Path) -> Report:
    """One run in a new folder. Raises if it cannot come to an end; that is no pass."""
    with run_service_behind_proxy(folder) as (service, postgres, proxy):
        began_at = datetime.now(UTC).isoformat()
        plan = Plan(operations, faults, seed, CLIENTS, began_at, str(service.var), service.port)
        accounts = [make_account(service) for _ in range(ACCOUNTS)]
        plan = replace(plan, accounts=accounts, euros=[make_euros(service, id) for id in accounts[:EUROS]])
        (folder / "plan.json").write_text(json.dumps(plan.as_dict()))
        nemesis = Nemesis(service, postgres, proxy, seed)
        # So that the first worker can be killed at once: else, on a fast machine, all is over by then.
        time.sleep(WORKER_AGE_SECONDS_MIN)
        began = time.monotonic()
        clients = [start_client(folder, number) for number in range(CLIENTS)]
        try:
            strike_on_the_way(nemesis, plan, folder, clients)
            for client in clients:
                assert client.wait(STEP_SECONDS_MAX + FINAL_SECONDS_MAX) == 0, "A client failed."
        finally:
            for client in clients:
                client.kill()
                client.wait()
            nemesis.heal()
        seconds = time.monotonic() - began
        replies = read_journals(folder)
        kinds = Counter(reply.kind for reply in replies)
        resolve(service, replies)
        told = read_balances(service, [*plan.accounts, *plan.euros])
        ledger = read_ledger(postgres)
        found = audit(service)
    verdict = judge(replies, ledger, told)
    verdict.charges += [(AUDIT, finding) for finding in found]
    return Report(plan, seconds, kinds, nemesis.done, proxy.harmed, replies, ledger, verdict)


def make_account(service: Service) -> str:
    name = f"hammered {random.SystemRandom().getrandbits(64)}"
    _, user = service.insist("POST", "/api/v1/users", {"name": name, "external_id": name})
    return str(user["accounts"][0]["id"])


def make_euros(service: Service, dollars: str) -> str:
    """An account in euros, of the user of the other one."""
    _, account = service.insist("GET", f"/api/v1/accounts/{dollars}")
    _, account = service.insist("POST", "/api/v1/accounts", {"user": account["user"], "currency": "EUR"})
    return str(account["id"])


def read_balances(service: Service, accounts: Iterable[str]) -> dict[str, Decimal]:
    told = {id: service.insist("GET", f"/api/v1/accounts/{id}/balance")[1] for id in accounts}
    return {id: Decimal(balance["balance"]) for id, balance in told.items()}


def audit(service: Service) -> list[str]:
    """What the ledger's own audit says is wrong."""
    command = [sys.executable, "manage.py", "audit_balances", "--json"]
    options = {
        "cwd": service.project,
        "env": service.make_environment(),
        "capture_output": True,
        "text": True,
    }
    run = subprocess.run(command, **options)
    return [] if run.returncode == 0 else (run.stdout.splitlines() or [run.stderr])


def start_client(folder: Path, number: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.client", str(folder), str(number)]
    return subprocess.Popen(command, cwd=PROJECT)


def strike_on_the_way(nemesis: Nemesis, plan: Plan, folder: Path, clients) -> None:
    """The periods are spread evenly over the operations."""
    periods = plan_periods(plan.faults, plan.seed)
    for number, kinds in enumerate(periods):
        wait_for_progress(folder, int(plan.operations * (number + 0.5) / len(periods)), clients)
        for kind in kinds:
            nemesis.strike(kind)


def wait_for_progress(folder: Path, wanted: int, clients) -> None:
    progress, seen, deadline = folder / "progress", 0, time.monotonic() + STEP_SECONDS_MAX
    while seen < wanted:
        assert time.monotonic() < deadline, f"Nothing goes on after {seen} operations."
        assert all(client.poll() in (None, 0) for client in clients), "A client failed."
        time.sleep(0.05)
        size = progress.stat().st_size if progress.exists() else 0
        if size > seen:
            seen, deadline = size, time.monotonic() + STEP_SECONDS_MAX


def read_journals(folder: Path) -> list[Reply]:
    journals = sorted(folder.glob("journal-*"))
    replies = [json.loads(line) for path in journals for line in path.read_text().splitlines()]
    return [Reply(**{**reply, "operation": Operation(**reply["operation"])}) for reply in replies]


def resolve(service: Service, replies: list[Reply]) -> None:
    """Nothing is harmed any more: whatever may be unknown still gets its answer now, by the same request."""
    decided = {reply.id for reply in replies if reply.is_decided}
    unknown = [reply for reply in replies if not reply.is_final and reply.id not in decided]
    open_ones = {reply.operation.key: reply.operation for reply in unknown}
    deadline = time.monotonic() + FINAL_SECONDS_MAX
    for operation in open_ones.values():
        insist(service, operation, replies.append, seconds=deadline - time.monotonic(), pause=0.1)


@contextmanager
def new_folder(prefix: str, asked: Path | None = None) -> Iterator[Path]:
    """Where a program keeps what it does. It stays if it was asked for, and if the program fails."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))  # and stop what was started
    folder = asked or Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    folder.mkdir(exist_ok=True)
    yield folder
    if not asked:
        shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=1000)
    parser.add_argument("--faults", type=int, help="default: one for every 200 operations")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    asked = parser.parse_args()
    faults = asked.operations // 200 if asked.faults is None else asked.faults
    with new_folder("hammer-") as folder:
        sys.stdout.write(f"seed {asked.seed}, in {folder}\n")
        report = hammer(operations=asked.operations, faults=faults, seed=asked.seed, folder=folder)
        sys.stdout.write(f"{report}\n")
        if report.verdict.charges:
            sys.exit(1)


if __name__ == "__main__":
    main()
