"""Events with what they tell of, wherever that stands: in the event, or in the row that it is about."""

from events import resources
from events.models import Event


def read_events(**wanted):
    """Those that pass, along their streams, each with its `data`, actor, `request_id` and `reason`."""
    events = list(Event.objects.filter(**wanted).order_by("stream", "sequence"))
    found = resources.find(events)
    for event in events:
        vars(event).update(found[event.pk]._asdict())
    return events


def read_events_about(rows):
    """Those that tell of these transactions."""
    keys = {(row.account_id, row.seq) for row in rows}
    events = read_events(about__isnull=False, stream__in={account_id for account_id, _ in keys})
    return [event for event in events if (event.stream, event.about) in keys]
