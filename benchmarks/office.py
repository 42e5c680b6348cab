"""What the pages of the back office cost: `python -m benchmarks.office --transactions 1000000`.

Each page is visited by a superuser through Django's test client, so that what is measured is all that the
service does for it, without the network: its statements, the pages of the database that they read, and the
time. It ends with 1 when a page took more than 300 ms (the median), or read more than 2,000 pages. The ledger
is made anew, or kept in the folder `--keep` and found there the next time.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Event as Flag
from typing import Any

from benchmarks.ground import embedded_ledger

MILLISECONDS_MAX = 300
PAGES_MAX = 2000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.office", description=__doc__)
    parser.add_argument("--transactions", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, help="as many as transactions, if that is not said")
    parser.add_argument("--visits", type=int, default=9)
    parser.add_argument("--keep", type=Path, help="a folder for the ledger, used again if it has one")
    parser.add_argument("--filters", action="store_true", help="every filter of every list, not the pages")
    parser.add_argument("--only", default="", help="pages with that in their title")
    parser.add_argument("--plans", type=int, help="tell the dearest statements of what reads so many or more")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        environment = {"SECOND_FACTOR": "false", "LOG_LEVEL": "WARNING", "ALLOWED_HOSTS": "testserver"}
        with embedded_ledger(folder, **environment):
            return measure(options)


def measure(options: argparse.Namespace) -> int:
    from rich.console import Console

    from benchmarks import office_ledger, office_pages
    from transactions.models import SearchedAmount

    console = Console(width=160)
    if not SearchedAmount.objects.exists():  # what is made last
        users = options.users or options.transactions
        console.print(f"Writing {options.transactions} transactions and {users} users …")
        began = time.perf_counter()
        office_ledger.make_ledger(options.transactions, users=users)
        console.print(f"Written in {time.perf_counter() - began:.0f} s.")
        count_figures(console)
    pages = office_pages.list_filters() if options.filters else office_pages.list_pages()
    return visit_all(console, [page for page in pages if options.only in page.title], options)


def count_figures(console: Any) -> None:
    from transactions.models import Figures, HourlyTotal
    from transactions.reading import statistics

    Figures.objects.all().delete()
    HourlyTotal.objects.all().delete()
    for title in ("The first count", "The next one"):
        began = time.perf_counter()
        statistics.refresh(Flag())
        console.print(f"{title} of the figures: {time.perf_counter() - began:.2f} s")


def visit_all(console: Any, pages: Iterable[Any], options: argparse.Namespace) -> int:
    from django.test import Client
    from rich.table import Table

    from accounts.models import User
    from benchmarks import office_pages, pages_read

    client = Client(raise_request_exception=False)
    boss = User.objects.get(username="bench-boss")
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    table = Table("page", "status", "queries", "pages read", "median ms", "worst ms")
    bad = 0
    examples = office_pages.find_examples()
    with pages_read.planned_as_for_the_service():
        for page in pages:
            status, statements = pages_read.read(client, page, examples)
            times = visit(pages_read.open_page(client, page, examples), options.visits)
            read, median = sum(each.pages for each in statements), statistics.median(times)
            is_bad = median > MILLISECONDS_MAX or status >= 400 or read > PAGES_MAX
            bad += is_bad
            cells = (status, len(statements), read, f"{median:.0f}", f"{max(times):.0f}")
            table.add_row(page.title, *map(str, cells), style="red" if is_bad else "")
            if options.plans and read >= options.plans:
                for each in sorted(statements, key=lambda each: each.pages)[-3:]:
                    console.print(page.title, read, each.pages, each.sql, markup=False, soft_wrap=True)
    console.print(table)
    console.print(f"{bad} pages took longer than {MILLISECONDS_MAX} ms, read more, or were not shown.")
    return 1 if bad else 0


def visit(ask: Any, visits: int) -> list[float]:
    """How many milliseconds each visit took."""
    times = []
    for _ in range(visits):
        began = time.perf_counter()
        response = ask()
        b"".join(response) if response.streaming else response.content
        times.append(1000 * (time.perf_counter() - began))
    return times


if __name__ == "__main__":
    sys.exit(main())
