"""Lists of any length, a page at a time."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic
from urllib.parse import parse_qs, urlsplit

from ledger_client.wire import Json, R, read

Ask = Callable[[str, Mapping[str, Any]], Json]


class Pages(Generic[R]):
    """What the ledger lists, newest first. To iterate asks for page after page; twice asks twice.

    Rows that are added meanwhile shift nothing: each one that was there is given once.
    """

    def __init__(self, ask: Ask, path: str, kind: type[R], query: Mapping[str, Any]) -> None:
        self.ask, self.path, self.kind, self.query = ask, path, kind, query

    def __iter__(self) -> Iterator[R]:
        for page in self.read_pages():
            yield from page

    def read_pages(self) -> Iterator[tuple[R, ...]]:
        """The same in pages of up to `page_size`."""
        query = dict(self.query)
        while True:
            page = self.ask(self.path, query)
            yield tuple(read(self.kind, row) for row in page["results"])
            cursor = find_cursor(page)
            if cursor is None:
                return
            query["cursor"] = cursor

    def first(self) -> R | None:
        """The newest one; None if there is none."""
        return next(iter(Pages(self.ask, self.path, self.kind, {**self.query, "page_size": 1})), None)


def find_cursor(page: Json) -> str | None:
    """Of the next page. Its url is not called: the token is for this ledger's address alone."""
    if page.get("next_cursor"):
        return str(page["next_cursor"])
    if not page.get("next"):
        return None
    [cursor] = parse_qs(urlsplit(page["next"]).query)["cursor"]
    return cursor
