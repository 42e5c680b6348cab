"""The text form of values in answers, events and the chain: one form everywhere."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=1024)
def format_time(instant: datetime) -> str:
    """RFC 3339, UTC, always six digits of a second: `2023-01-04T00:00:00.000000Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def format_optional_time(instant: datetime | None) -> str | None:
    return format_time(instant) if instant else None
