"""The text form of a moment, the same in answers, events, files and the chain."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=1024)
def format_time(instant: datetime) -> str:
    """RFC 3339, UTC, always six digits of a second: `2023-01-04T00:00:00.000000Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def format_optional_time(instant: datetime | None) -> str | None:
    """As `format_time`; of None it is None."""
    return format_time(instant) if instant else None
