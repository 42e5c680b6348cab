"""What events tell of that do not hold it themselves: whoever keeps the rows registers how they are read."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from events import texts
from events.models import Event, Resource

Key = tuple[UUID, int]  # a row's stream and number
# Nobody is asked for one: of the others it was erased, if there was one.
WITHOUT_REASON = {"user.created", "user.changed", "user.erased", "account.opened", "account.changed"}
Reader = Callable[[Collection[Key]], Mapping[Key, Resource]]

_readers: list[Reader] = []


def register(reader: Reader) -> None:
    """Read with `reader` what events are `about`: those that it finds none of are not shown."""
    _readers[:] = [reader]


def find(events: Sequence[Event]) -> Mapping[Key, Resource]:
    """What the events tell of, by the stream and sequence of each."""
    keys = {event.pk: (event.stream, event.about) for event in events if event.about is not None}
    rows = _readers[0](keys.values()) if keys else {}
    contents = texts.read({event.text for event in events if event.text})
    found = {event.pk: _read(event, contents.get(event.text)) for event in events if event.data is not None}
    return found | {pk: rows[key] for pk, key in keys.items() if key in rows}


def _read(event: Event, content: Mapping[str, Any] | None) -> Resource:
    told = texts.join({"data": event.data, "before": event.before, "reason": None}, content)
    if event.type in WITHOUT_REASON:
        told["reason"] = None
    return Resource(
        told["data"],
        event.actor,
        event.actor_kind or "",
        event.request_id or "",
        told["before"],
        told["reason"],
    )
