"""When money may have moved."""

from datetime import datetime, timedelta

from ledger.values import LastMoment
from transactions import errors

CLOCK_SKEW_MAX = timedelta(minutes=5)


def require_begun(asked: datetime, clock: datetime) -> None:
    """Refuse a moment that is yet to come; a day has come when it has begun. Raises `EffectiveAtInFuture`."""
    begins_at = asked.begins_at if isinstance(asked, LastMoment) else None
    if (begins_at or asked) > clock + CLOCK_SKEW_MAX:
        raise errors.EffectiveAtInFuture("Money cannot move later than now.")
