"""The text form of values in answers, events and the chain: one form everywhere."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

CURSOR_TEXT = re.compile(r"([0-9a-f]{32})-(0|[1-9][0-9]{0,17})")


@lru_cache(maxsize=1024)
def format_time(instant: datetime) -> str:
    """RFC 3339, UTC, always six digits of a second: `2023-01-04T00:00:00.000000Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def format_optional_time(instant: datetime | None) -> str | None:
    return format_time(instant) if instant else None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the feed: everything up to `position` was read. Its text is opaque to its owner."""

    epoch: UUID
    position: int

    def __str__(self) -> str:
        return f"{self.epoch.hex}-{self.position}"


def parse_cursor(text: str) -> Cursor | None:
    """None: that is no cursor."""
    match = CURSOR_TEXT.fullmatch(text)
    return Cursor(UUID(match[1]), int(match[2])) if match else None
