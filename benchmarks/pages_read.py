"""How many pages of the database a page of the back office reads: each of its statements is explained."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any, NamedTuple

from django.db import connection

from benchmarks.office_pages import Examples, Page

EXPLAINED = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
STEPS = 10  # links that are followed


class Statement(NamedTuple):
    pages: int  # of tables, indexes and temporary files, found in memory or not
    sql: str
    plan: dict[str, Any]


class PagesRead:
    """Explains each statement, and takes back what that has done, before the statement is run.

    What triggers and constraints read is not in their plan, and not counted.
    """

    def __init__(self) -> None:
        self.statements: list[Statement] = []

    @property
    def count(self) -> int:
        return sum(each.pages for each in self.statements)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not many and EXPLAINED.match(sql):
            pg = connection.connection
            with pg.transaction(force_rollback=True), pg.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
                [told] = cursor.fetchone()
            plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
            pages = sum(plan[f"{kind} Blocks"] for kind in ("Shared Hit", "Shared Read", "Temp Read"))
            self.statements.append(Statement(pages, sql, plan))
        return execute(sql, params, many, context)


@contextmanager
def planned_as_for_the_service() -> Iterator[None]:
    """Whatever role asks."""
    from ledger_project.database.rights import SETTINGS

    names = ("enable_seqscan", "random_page_cost", "jit")
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"SET {name} = '{SETTINGS['app'][name]}'")
        try:
            yield
        finally:
            for name in names:
                cursor.execute(f"RESET {name}")


def open_page(client: Any, page: Page, examples: Examples) -> Callable[[], Any]:
    """What asks for the page, after all links that lead to it."""
    address = f"/admin/{page.address.format(**examples)}"
    for _ in range(STEPS if page.follow else 0):
        address = follow(client, address, page.follow)
    if page.chosen:
        return lambda: client.post(address, {"_selected_action": examples[page.chosen]})
    return lambda: client.get(address)


def follow(client: Any, address: str, part: str) -> str:
    """The last link on the page with that in it, to the same page; the page itself if there is none."""
    path = address.split("?")[0]
    links = re.findall(rf'href="(\?[^"]*{part}[^"]*)"', client.get(address).content.decode())
    links = [link for link in links if "format=" not in link]
    return path + unescape(links[-1]) if links else address


def read(client: Any, page: Page, examples: Examples) -> tuple[int, list[Statement]]:
    """The status of the answer, and its statements."""
    ask = open_page(client, page, examples)
    explained = PagesRead()
    with connection.execute_wrapper(explained):
        answer = ask()
        b"".join(answer) if answer.streaming else answer.content
    return answer.status_code, explained.statements
