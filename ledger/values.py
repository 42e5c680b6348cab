"""Ids and moments as texts, the same everywhere: in paths, bodies, answers, events, files, SQL and the chain.

And what is done to texts that a spreadsheet reads, to values before and after, and to long lists of them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, Self, TypeVar
from uuid import UUID

Item = TypeVar("Item")

UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
# Nil and max are what broken generators make; version 8 belongs to derived ids.
CHOSEN_ID_TEXT = re.compile(r"(?![0-]+$)(?![fF-]+$)(?!.{14}8.{4}[89abAB])" + UUID_TEXT.pattern)
NO_CHOSEN_ID = "An id is a UUID of its own: not nil, not max, not of version 8; best of version 7."
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class LastMoment(datetime):
    """The last microsecond of a day: what a day means of which nobody has said the time.

    `begins_at` is the first moment of that day. Of one that has begun and is not over it means now.
    """

    begins_at: datetime | None = None  # None of what is computed from one: that is a moment like others

    @classmethod
    def of(cls, moment: datetime, *, begins_at: datetime) -> Self:
        last = cls.combine(moment.date(), moment.timetz())
        last.begins_at = begins_at
        return last


class UUIDConverter:
    """A UUID in a path, in either case of letters."""

    regex = UUID_TEXT.pattern
    to_python = staticmethod(UUID)
    to_url = staticmethod(str)


def write_ids(ids: Iterable[UUID]) -> str:
    """The ids as a text that PostgreSQL reads as uuid[]: much cheaper than to adapt the list."""
    return "{" + ",".join(map(str, ids)) + "}"


@lru_cache(maxsize=1024)
def format_time(instant: datetime) -> str:
    """RFC 3339, UTC, always six digits of a second: `2023-01-04T00:00:00.000000Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def format_optional_time(instant: datetime | None) -> str | None:
    """As `format_time`; of None it is None."""
    return format_time(instant) if instant else None


def write_bytes(value: bytes) -> str:
    """As PostgreSQL reads a bytea out of JSON."""
    return "\\x" + value.hex()


def find_changes(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of the one is otherwise in the other, as it was and as it is."""
    names = [name for name in after if after[name] != before.get(name)]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


def escape_formula(text: str) -> str:
    """The text, with a quote before what would make a spreadsheet compute it."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def slice_up(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of `size` items, the last one of what is left; nothing is read before it is asked for."""
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some
