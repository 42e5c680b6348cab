"""What a time may be in a body, said a second time, for `strict_bodies`."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME = re.compile(
    rf"{DATE}([Tt ][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,6}}0*)?([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})?)?"
)


def read_time(value: Any) -> datetime | None:
    """The instant in UTC, of a date its last; None if it is not one."""
    if type(value) is not str or not TIME.fullmatch(value):
        return None
    try:
        if re.fullmatch(DATE, value):
            midnight = datetime.combine(date.fromisoformat(value) + timedelta(days=1), time(), UTC)
            return midnight - timedelta(microseconds=1)
        text = re.sub(r"\.([0-9]+)", lambda f: f".{f[1][:6]:0<6}", value.upper())
        if text[17:19] == "60":  # the 61st second of the last minute of a month
            before = read_time(f"{text[:17]}59.999999{re.sub(r'^[.0-9]*', '', text[19:])}")
            is_leap = before and (before + timedelta(microseconds=1)).strftime("%d %H:%M") == "01 00:00"
            return before if is_leap else None
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_time(value: Any) -> bool:
    """When money moved: a day that has begun is as good as over."""
    instant, now = read_time(value), datetime.now(UTC)
    if instant is not None and re.fullmatch(DATE, value):
        instant = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    return instant is not None and datetime(1970, 1, 1, tzinfo=UTC) <= instant <= now + timedelta(minutes=6)


def is_expiry(value: Any) -> bool:
    instant = read_time(value)
    return instant is not None and instant > datetime.now(UTC)
