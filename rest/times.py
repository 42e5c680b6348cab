"""Strict times: an instant of RFC 3339, a day, a zone; and what of them has two readings, or none."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from drf_spectacular.utils import extend_schema_field as describe_as

from ledger.values import MICROSECOND, LastMoment, format_time
from rest.fields import Field, refuse

DATE_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME_TEXT = re.compile(
    rf"(?P<date>{DATE_TEXT.pattern})"
    r"([Tt ](?P<minute>[0-9]{2}:[0-9]{2}:)(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]+))?"
    r"(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)
PLUS_LOST = re.compile(r".*[0-9] [0-9]{2}:[0-9]{2}")  # in a query a plus sign is a space
PLUS_LOST_HINT = " A plus sign in a query is written %2B."
DAY_MIN, DAY_MAX = date(1970, 1, 1), date(9998, 12, 31)  # every zone has the midnights around them
LEAP_SECOND = "60"
NO_SUCH_TIME = "There is no such day or time."

find_time_zones = cache(available_timezones)


@describe_as(
    {
        "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
        "description": "RFC 3339; without an offset it is read in UTC (or in `tz` where there is one); "
        "a date alone is the end of that day. A leap second is the last microsecond of its minute.",
        "examples": ["2023-01-04T00:00:00Z"],
    }
)
class TimeField(Field):
    def to_internal_value(self, value: Any) -> datetime:
        return parse_time(value)


@describe_as({"type": "string", "format": "date"})
class DateField(Field):
    """A day, like 2023-01-04."""

    def to_internal_value(self, value: Any) -> date:
        if type(value) is not str or not DATE_TEXT.fullmatch(value):
            raise refuse("datetime_invalid", "Not a day like 2023-01-04.")
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise refuse("datetime_invalid", "There is no such day.") from None
        if not DAY_MIN <= day <= DAY_MAX:
            raise refuse("datetime_invalid", f"A day is from {DAY_MIN} to {DAY_MAX}.")
        return day


@describe_as({"type": "string", "examples": ["Europe/Berlin"]})
class TimeZoneField(Field):
    """A name of the IANA time zone database."""

    def to_internal_value(self, value: Any) -> ZoneInfo:
        if value not in find_time_zones():
            raise refuse("timezone_invalid", "Not the name of a time zone, like Europe/Berlin.")
        return ZoneInfo(value)


def parse_time(value: Any, zone: tzinfo = UTC) -> datetime:
    """An instant in UTC. A date is the `LastMoment` of that day in the zone, 23- and 25-hour days included.

    A leap second, which no clock of a computer has, is the microsecond before its end. Raises
    `ValidationError`.
    """
    match = TIME_TEXT.fullmatch(value) if type(value) is str else None
    if match is None:
        is_plus_lost = type(value) is str and PLUS_LOST.fullmatch(value)
        hint = PLUS_LOST_HINT if is_plus_lost else ""
        raise refuse("datetime_invalid", "Not a time like 2023-01-04T00:00:00Z." + hint)
    day, minute, second, fraction, offset = match.group("date", "minute", "second", "fraction", "offset")
    if (fraction or "")[6:].strip("0"):
        raise refuse("datetime_precision", "Times are whole microseconds.")
    try:
        if minute is None:
            return _find_day(date.fromisoformat(day), zone)
        is_leap = second == LEAP_SECOND
        time_of_day = minute + ("59" if is_leap else f"{second}.{fraction or 0}")
        instant = datetime.fromisoformat(f"{day}T{time_of_day}{(offset or '').upper()}")
        instant = instant.astimezone(UTC) if offset else _find_instant(instant, zone)
    except (ValueError, OverflowError):
        raise refuse("datetime_invalid", NO_SUCH_TIME) from None
    return _find_leap_second(instant) if is_leap else instant


def _find_day(day: date, zone: tzinfo) -> LastMoment:
    first = datetime.combine(day, time(), zone).astimezone(UTC)
    beyond = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    return LastMoment.of(beyond - MICROSECOND, begins_at=first)


def _find_instant(local: datetime, zone: tzinfo) -> datetime:
    """When the clocks of the zone show it. Where they are turned they may do so twice, or never."""
    instants = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    if len(instants) == 1:
        return instants.pop()
    first, last = sorted(instants)
    exists = first.astimezone(zone).replace(tzinfo=None) == local
    raise refuse(
        "datetime_ambiguous",
        f"In {zone} the clocks show {local.isoformat()} {'twice' if exists else 'never'}: "
        f"say {format_time(first)} or {format_time(last)}.",
    )


def _find_leap_second(minute: datetime) -> datetime:
    """The last microsecond of a minute that may have 61 seconds: the last of a month, in UTC."""
    next_day = minute + timedelta(seconds=1)
    if (next_day.day, next_day.hour, next_day.minute) != (1, 0, 0):
        raise refuse("datetime_invalid", NO_SUCH_TIME)
    return next_day - MICROSECOND
