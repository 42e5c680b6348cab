"""How long the pages of the back office take: `python -m benchmarks.office --transactions 1000000`.

Each page is visited by a superuser through Django's test client, so that what is measured is all that the
service does for it, without the network. It ends with 1 when a page took more than 300 ms (the median). The
ledger is made anew, or kept in the folder `--keep` and found there the next time.
"""

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from threading import Event as Flag
from typing import Any

from benchmarks.ground import embedded_ledger

MILLISECONDS_MAX = 300
BIG_ONES = (
    "accounts_user",
    "accounts_account",
    "transactions_transaction",
    "events_placement",
    "events_recordentry",
)


@dataclass(frozen=True)
class Page:
    """`name` of its URL in the back office. `follow`: a link on it, which is followed some times first."""

    title: str
    name: str
    arguments: tuple[Any, ...] = ()
    query: str = ""
    follow: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.office", description=__doc__)
    parser.add_argument("--transactions", type=int, default=1_000_000)
    parser.add_argument("--visits", type=int, default=9)
    parser.add_argument("--keep", type=Path, help="a folder for the ledger, used again if it has one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        environment = {"SECOND_FACTOR": "false", "LOG_LEVEL": "WARNING", "ALLOWED_HOSTS": "testserver"}
        with embedded_ledger(folder, **environment):
            return measure(options.transactions, options.visits)


def measure(transactions: int, visits: int) -> int:
    from rich.console import Console

    from benchmarks import office_ledger
    from transactions.models import AuditRun

    console = Console()
    if not AuditRun.objects.exists():  # what is made last
        console.print(f"Writing {transactions} transactions …")
        began = time.perf_counter()
        office_ledger.make_ledger(transactions)
        console.print(f"Written in {time.perf_counter() - began:.0f} s.")
    count_figures(console)
    return visit_all(console, visits)


def count_figures(console: Any) -> None:
    from transactions.models import Figures, HourlyTotal
    from transactions.reading import statistics

    Figures.objects.all().delete()
    HourlyTotal.objects.all().delete()
    for title in ("The first count", "The next one"):
        began = time.perf_counter()
        statistics.refresh(Flag())
        console.print(f"{title} of the figures: {time.perf_counter() - began:.2f} s")


def list_pages() -> Iterator[Page]:
    """Every page of the back office. One whose URL is not there is told and left out."""
    from accounts.models import Account, Claim, Hold, User
    from benchmarks.office_ledger import BIG
    from events.models import Subscription
    from transactions.models import AuditRun, Correction, Transaction

    big = Account.objects.get(name=BIG)
    user = User.objects.get(id=big.user_id)
    rows = Transaction.objects.filter(account=big)
    late, plain = rows.filter(late=True).first(), rows.filter(version=1000).get()
    declined = rows.filter(status="DECLINED").first()
    assert late
    assert declined
    yield Page("dashboard", "index")
    yield Page("dashboard, 30 days", "index", query="range=30d")
    yield Page("own settings", "settings")
    for what, words in {
        "name": "bench 7",
        "name, of most": "bench",
        "external id": "bench-77",
        "user id": user.id,
        "transaction id": plain.id,
        "reference": "order 5000",
        "reference, of most": "order 1",
        "nothing": "nobody at all",
    }.items():
        yield Page(f"find by {what}", "find", query=f"q={words}")
    yield Page("find by key", "find", query=f"key=order-1&caller={user.id}&user={user.id}")
    yield from list_models(
        {
            "accounts_user": user.id,
            "accounts_account": big.id,
            "transactions_transaction": plain.id,
            "accounts_hold": Hold._base_manager.values_list("id", flat=True)[0],
            "accounts_claim": Claim.objects.values_list("id", flat=True)[0],
            "transactions_correction": Correction.objects.values_list("id", flat=True)[0],
            "events_placement": 1000,
            "events_subscription": Subscription.objects.values_list("id", flat=True)[0],
            "transactions_auditrun": AuditRun.objects.values_list("id", flat=True)[0],
            "accounts_staff": User.objects.get(username="bench-boss").id,
            "accounts_token": None,
            "events_recordentry": None,
            "accounts_note": None,
        }
    )
    yield Page("users found by name", "accounts_user_changelist", query="q=bench 77")
    yield Page("accounts found by name", "accounts_account_changelist", query="q=bench 77")
    yield Page("accounts, frozen", "accounts_account_changelist", query="status=FROZEN")
    yield Page("transactions by reference", "transactions_transaction_changelist", query="q=order 5000")
    yield Page("claims, open", "accounts_claim_changelist", query="status=OPEN")
    yield Page("corrections, all", "transactions_correction_changelist", query="state=all")
    yield Page("access log of something", "events_recordentry_changelist", query=f"q={big.id}")
    yield Page("access log of somebody", "events_recordentry_changelist", query="q=bench-boss")
    yield Page("access log, changed only", "events_recordentry_changelist", query="action=CHANGE")
    yield Page("access log by part of a name", "events_recordentry_changelist", query="who=BOSS")
    yield Page("changes of staff", "changes")
    yield Page("notes, open", "accounts_note_changelist")
    yield Page("history of an account", "accounts_account_change", (big.id,), query="show=history")
    yield Page("notes about an account", "accounts_account_change", (big.id,), query="show=notes")
    yield Page(
        "history of a transaction", "transactions_transaction_change", (late.id,), query="show=history"
    )
    yield Page("a late transaction", "transactions_transaction_change", (late.id,))
    yield Page("a declined transaction", "transactions_transaction_change", (declined.id,))
    yield from list_account_views(big.id)


def list_models(examples: dict[str, Any]) -> Iterator[Page]:
    for model, id in examples.items():
        yield Page(f"list of {model}", f"{model}_changelist")
        if model in BIG_ONES:
            yield Page(f"list of {model}, page 20", f"{model}_changelist", query="p=20")
        if id is not None:
            yield Page(f"one of {model}", f"{model}_change", (id,))


def list_account_views(id: Any) -> Iterator[Page]:
    """Of the account with half of all transactions."""
    for title, query, follow in (
        ("statement", "show=statement", ""),
        ("statement, ten pages on", "show=statement", r"after="),
        ("statement of a period", "show=period&first_day=1970-01-01&last_day=2099-12-31", ""),
        (
            "statement of a period, ten pages on",
            "show=period&first_day=1970-01-01&last_day=2099-12-31",
            r"after=",
        ),
        ("time machine, a month ago", "at={month}", ""),
        ("time machine, both times", "at={month}&known_at={week}", ""),
        ("time machine, deep page", "at={month}&known_at={week}", r"after="),
        ("declines", "show=declines", ""),
        ("declines, ten pages on", "show=declines", r"before="),
        ("holds", "show=holds", ""),
        ("claims", "show=claims", ""),
        ("events", "show=events", ""),
        ("chart of a day", "range=day", ""),
        ("chart of a month", "range=month", ""),
        ("chart of a year", "range=year", ""),
        ("chart of all", "range=all", ""),
        ("CSV", "format=csv", ""),
    ):
        yield Page(f"account: {title}", "accounts_account_change", (id,), make_moments(query), follow)


def make_moments(query: str) -> str:
    from django.utils import timezone

    now = timezone.now()
    ago = {"week": timedelta(days=7), "month": timedelta(days=30)}
    return query.format(**{name: f"{now - age:%Y-%m-%dT%H:%M:%S}Z" for name, age in ago.items()})


def visit_all(console: Any, visits: int) -> int:
    from django.test import Client
    from django.urls import NoReverseMatch, reverse
    from rich.table import Table

    from accounts.models import User

    client = Client(raise_request_exception=False)
    boss = User.objects.get(username="bench-boss")
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    table = Table("page", "status", "queries", "median ms", "worst ms")
    slow = 0
    for page in list_pages():
        try:
            address = reverse(f"admin:{page.name}", args=page.arguments)
        except NoReverseMatch:
            console.print(f"There is no page {page.name}: {page.title} is left out.")
            continue
        address = f"{address}?{page.query}"
        for _ in range(10 if page.follow else 0):
            address = follow(client, address, page.follow)
        status, queries, times = visit(client, address, visits)
        median = statistics.median(times)
        is_bad = median > MILLISECONDS_MAX or status >= 400
        slow += is_bad
        color = "red" if is_bad else ""
        table.add_row(
            page.title, str(status), str(queries), f"{median:.0f}", f"{max(times):.0f}", style=color
        )
    console.print(table)
    console.print(f"{slow} pages took longer than {MILLISECONDS_MAX} ms, or were not shown.")
    return 1 if slow else 0


def follow(client: Any, address: str, part: str) -> str:
    """The last link on the page with that in it, to the same page; the page itself if there is none."""
    path = address.split("?")[0]
    links = re.findall(rf'href="(\?[^"]*{part}[^"]*)"', client.get(address).content.decode())
    links = [link for link in links if "format=" not in link]
    return path + unescape(links[-1]) if links else address


def visit(client: Any, address: str, visits: int) -> tuple[int, int, list[float]]:
    """Its status, its number of queries, and how many milliseconds each visit took."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:  # the first visit, which compiles templates
        status = client.get(address).status_code
    queries = len(captured)  # now: the next request empties the log
    times = []
    for _ in range(visits):
        began = time.perf_counter()
        response = client.get(address)
        b"".join(response) if response.streaming else response.content
        times.append(1000 * (time.perf_counter() - began))
    return status, queries, times


if __name__ == "__main__":
    sys.exit(main())
