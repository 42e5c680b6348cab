"""Personal text, apart from what tells of it: in one table that can be erased (`events.models.Text`)."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any, NamedTuple
from uuid import UUID

import uuid_utils.compat

from events.models import Text
from ledger import macs

# By these names, wherever they stand in what is told.
PERSONAL = frozenset({"name", "external_id", "metadata", "status_reason", "reason", "words", "link"})
ERASED = "[erased]"  # in the place of a text that was erased; it is nobody's, and stays where it is told
ERASED_PARTS: Mapping[str, Any] = {"external_id": None, "metadata": {}}  # of the others `ERASED`
SEPARATOR = "/"  # between the keys of a place


class NewText(NamedTuple):
    """A row of `Text` that is to be written, and its MAC."""

    id: UUID
    owner: UUID | None
    content: dict[str, Any]
    mac: bytes

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it: for `events.outbox`."""
        return {"id": str(self.id), "owner": self.owner and str(self.owner), "content": self.content}


def split(
    told: Mapping[str, Any], owner: UUID | None, personal: Collection[str] = PERSONAL
) -> tuple[dict[str, Any], NewText | None]:
    """What is told, with null for its `personal` parts, and these; None if all of them are empty."""
    content: dict[str, Any] = {}
    public = {name: _take(name, name, value, personal, content) for name, value in told.items()}
    if not content:
        return public, None
    id = uuid_utils.compat.uuid7()
    return public, NewText(id, owner, content, compute_mac(id, owner, content))


def join(public: Mapping[str, Any], content: Mapping[str, Any] | None) -> dict[str, Any]:
    """What was told, with its personal parts; None: they were erased, and their places say so."""
    if content is None:
        return {name: _show_erased(name, value) for name, value in public.items()}
    told = deepcopy(dict(public))
    for place, value in content.items():
        *keys, last = place.split(SEPARATOR)
        part: Any = told
        for key in keys:
            part = part[int(key) if isinstance(part, list) else key]
        part[last] = value
    return told


def read(ids: Collection[UUID]) -> dict[UUID | None, dict[str, Any] | None]:
    """The contents by the ids of the texts; what has no text has nothing personal."""
    found: dict[UUID | None, dict[str, Any] | None] = {None: {}}
    if ids:
        found |= dict(Text.objects.filter(id__in=ids).values_list("id", "content"))
    return found


def _show_erased(name: str, value: Any) -> Any:
    """A part of what was told, with placeholders where personal parts were: there is null instead of them."""
    if value is None and name in PERSONAL:
        return deepcopy(ERASED_PARTS.get(name, ERASED))
    if isinstance(value, dict):
        return {key: _show_erased(key, part) for key, part in value.items()}
    if isinstance(value, list):
        return [_show_erased("", part) for part in value]
    return value


def compute_mac(id: UUID, owner: UUID | None, content: Mapping[str, Any]) -> bytes:
    return macs.compute("text", id, owner, content)


def is_right(mac: bytes | None, id: UUID, owner: UUID | None, content: Mapping[str, Any]) -> bool:
    return macs.is_right(mac, "text", id, owner, content)


def _take(place: str, name: str, value: Any, personal: Collection[str], content: dict[str, Any]) -> Any:
    """The value without its personal parts, which are put into `content`."""
    if name in personal and value and value != ERASED:
        content[place] = value
        return None
    if isinstance(value, dict):
        return {
            key: _take(f"{place}{SEPARATOR}{key}", key, part, personal, content)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [
            _take(f"{place}{SEPARATOR}{number}", "", part, personal, content)
            for number, part in enumerate(value)
        ]
    return value
