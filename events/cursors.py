"""A position in the feed as callers keep it."""

import re
from dataclasses import dataclass
from uuid import UUID

CURSOR_TEXT = re.compile(r"([0-9a-f]{32})-(0|[1-9][0-9]{0,17})")


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
