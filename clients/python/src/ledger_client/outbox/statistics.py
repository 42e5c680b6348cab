"""How the outbox is: for a metric, a page of health, or an alarm."""

from dataclasses import dataclass

from django.db.models import Count, F, Max, Min, Q
from django.utils import timezone

from ledger_client.outbox import settings
from ledger_client.outbox.models import MoneyIntent


@dataclass(frozen=True)
class Statistics:
    waiting: int
    oldest_seconds: float  # the age of the oldest intent that waits; 0 if none does
    attempts_max: int  # of an intent that waits: above 5, somebody is down
    parked: int


def measure() -> Statistics:
    """Now. An alarm: `oldest_seconds` above what you have promised, and `parked` above 0."""
    waiting, parked = Q(status=MoneyIntent.Status.WAITING), Q(status=MoneyIntent.Status.PARKED)
    found = (
        MoneyIntent.objects.using(settings.get_database())
        .filter(waiting | parked)
        .aggregate(
            waiting=Count("pk", filter=waiting),
            oldest=Min("created_at", filter=waiting),
            attempts=Max(F("attempts"), filter=waiting),
            parked=Count("pk", filter=parked),
        )
    )
    age = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    return Statistics(found["waiting"], max(age, 0.0), found["attempts"] or 0, found["parked"])
