"""What events tell of that do not hold it themselves: whoever keeps the rows registers how they are read."""

from collections.abc import Callable, Collection, Mapping, Sequence
from uuid import UUID

from events.models import Event, Resource

Key = tuple[UUID, int]  # a row's stream and number
Reader = Callable[[Collection[Key]], Mapping[Key, Resource]]

_readers: list[Reader] = []


def register(reader: Reader) -> None:
    """Read with `reader` what events are `about`: those that it finds none of are not shown."""
    _readers[:] = [reader]


def find(events: Sequence[Event]) -> Mapping[Key, Resource]:
    """What the events tell of, by the stream and sequence of each."""
    keys = {event.pk: (event.stream, event.about) for event in events if event.about is not None}
    rows = _readers[0](keys.values()) if keys else {}
    found = {
        event.pk: Resource(event.data, event.actor, event.actor_kind or "", event.request_id or "")
        for event in events
        if event.data is not None
    }
    return found | {pk: rows[key] for pk, key in keys.items() if key in rows}
