"""Many kinds of users at once, each at its own pace: how long they wait, and whether the books are right.

The service is started for it on the embedded database, or runs elsewhere: then its books are checked over
HTTP only, and nobody is in its back office. It ends with 1 when the service failed anybody, or a row is not
exactly what was told.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import django
import httpx2
from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.told import Told, find_wrongs
from tests.service import Service

KINDS = Path(__file__).parent / "kinds_of_users.py"
WITHOUT_OFFICE = ("Payer", "Shopper", "Campaign", "Bookkeeper", "Analyst", "Clerk")
SHOPPERS, HOT, STAFF = 40, 10, 4
LINES = 5  # of last month on each account
FUNDS = "200.00"  # of each line
STOP_SECONDS = 40  # who is in the middle of something when time is up may end it
WRONGS_SHOWN_MAX = 20


def main(options: argparse.Namespace) -> int:
    console = Console()
    console.print(f"{machine.describe_python()}, {os.cpu_count()} cores, commit {machine.read_commit()}")
    with tempfile.TemporaryDirectory(prefix="ledger-users-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        if options.url:
            token = options.token_file.read_text().strip()
            return run(console, folder, options, options.url.rstrip("/"), token, staff=[])
        with serving(folder / "var") as (url, token, staff):
            failed = run(console, folder, options, url, token, staff)
            audit = subprocess.run([sys.executable, "manage.py", "audit_balances"], cwd=machine.PROJECT)
            return failed or audit.returncode


@contextmanager
def serving(var: Path) -> Iterator[tuple[str, str, list[dict[str, str]]]]:
    """A ledger of its own: its address, a token that may everything, and staff with passwords."""
    service = Service(var, {"LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "ledger_project.settings"})
    environment = service.make_environment()  # this process and the audit have the same keys as the service
    os.environ.clear()
    os.environ |= environment
    service.start()
    django.setup()
    from tests.office.staff import PASSWORD, make_staff

    try:
        names = [make_staff("support", password=PASSWORD).username for _ in range(STAFF)]
        staff = [{"username": name, "password": PASSWORD} for name in names]
        yield f"http://127.0.0.1:{service.port}", service.token, staff
    finally:
        service.stop()


def run(
    console: Console,
    folder: Path,
    options: argparse.Namespace,
    url: str,
    token: str,
    staff: list[dict[str, str]],
) -> int:
    """Whether anything failed or is wrong, after a table of who asked for what."""
    told = Told()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=f"{url}/api/v1", headers=headers, timeout=60, trust_env=False) as client:
        world = make_world(client, told) | {"token": token, "staff": staff}
        answer = run_locust(folder, options, url, world)
        told.rows |= answer["told"]["rows"]
        told.unknown, told.gaps = answer["told"]["unknown"], answer["told"]["gaps"]
        accounts = [each["account"] for each in world["shoppers"]] + world["hot"]
        wrongs = list(
            find_wrongs(told, read_all(client, "transactions", accounts), read_all(client, "holds", accounts))
        )
    console.print(make_table(answer["asked"]))
    requests, failures = (sum(each[name] for each in answer["asked"]) for name in ("requests", "failures"))
    console.print(
        f"{requests} requests, {failures} failures; {len(told.rows)} rows told, {len(wrongs)} of them wrong."
    )
    for line in [*answer["errors"], *wrongs][:WRONGS_SHOWN_MAX]:
        console.print(f"! {line}", markup=False)
    return 1 if answer["errors"] or wrongs or not requests else 0


def make_world(client: httpx2.Client, told: Told) -> dict[str, Any]:
    """Users with a main account each, and on each some lines of last month; all that is told is kept."""
    last = datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
    first = last.replace(day=1)
    shoppers = [make_shopper(client) for _ in range(SHOPPERS)]
    hot = [make_shopper(client)["account"] for _ in range(HOT)]
    for account in [*(shopper["account"] for shopper in shoppers), *hot]:
        orders = [make_line(account, first + timedelta(days=number)) for number in range(LINES)]
        commands = [{"command": "transaction", **order} for order in orders]
        answer = client.post("/batches", json={"id": str(uuid4()), "atomic": True, "commands": commands})
        assert answer.status_code == 200, answer.text
        for order in orders:
            told.hear("/transactions", order, 201, order)
    known_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "shoppers": shoppers,
        "hot": hot,
        "month": [first.isoformat(), last.isoformat()],
        "known_at": known_at,
    }


def make_shopper(client: httpx2.Client) -> dict[str, str]:
    from benchmarks.books import make_user

    asked = make_user()
    user = client.post("/users", json=asked).raise_for_status().json()
    return {"user": user["id"], "account": user["accounts"][0]["id"], "external_id": asked["external_id"]}


def make_line(account: str, day: date) -> dict[str, str]:
    from benchmarks.books import make_deposit

    return make_deposit(account, FUNDS) | {"effective_at": f"{day}T12:00:00Z"}


def run_locust(folder: Path, options: argparse.Namespace, url: str, world: dict[str, Any]) -> dict[str, Any]:
    """What the users asked and were told. Raises AssertionError when locust itself fails."""
    files = {"LEDGER_WORLD": folder / "world.json", "LEDGER_ANSWER": folder / "answer.json"}
    files["LEDGER_WORLD"].write_text(json.dumps(world))
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        str(KINDS),
        "--headless",
        "--only-summary",
        "-L",
        "ERROR",
    ]
    command += ["--users", str(options.users), "--spawn-rate", str(max(1, options.users // 4)), "--host", url]
    command += ["--run-time", f"{max(1, round(options.minutes * 60))}s", "--stop-timeout", str(STOP_SECONDS)]
    command += ["--exit-code-on-error", "0", *(() if world["staff"] else WITHOUT_OFFICE)]
    environment = os.environ | {name: str(file) for name, file in files.items()}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    seconds_max = options.minutes * 60 + STOP_SECONDS + 60
    with (folder / "locust.log").open("w+") as log:
        done = subprocess.run(
            command, cwd=machine.PROJECT, env=environment, timeout=seconds_max, stdout=log, stderr=log
        )
        log.seek(0)
        assert done.returncode == 0, log.read()
    return dict(json.loads(files["LEDGER_ANSWER"].read_text()))


def read_all(client: httpx2.Client, what: str, accounts: list[str]) -> Iterator[dict[str, Any]]:
    """Every row of these accounts, as the API lists them."""
    for account in accounts:
        link: str | None = f"/{what}?account={account}&page_size=500"
        while link:
            page = client.get(link).raise_for_status().json()
            yield from page["results"]
            link = page["next"]


def make_table(asked: list[dict[str, Any]]) -> Table:
    table = Table("who: what", *("requests", "failures", "p50 ms", "p95 ms", "p99 ms"))
    for each in sorted(asked, key=lambda each: str(each["name"])):
        figures = [str(each["requests"]), str(each["failures"])]
        figures += [f"{each[part]:.0f}" for part in ("p50", "p95", "p99")]
        table.add_row(each["name"], *figures, style="red" if each["failures"] else "")
    return table
