"""What a body is before its fields: one JSON object in UTF-8, read in one way only."""

import json
from typing import Any

LEVELS_MAX = 100


class NumberText(str):
    """The digits of a JSON number."""


def refuse(*_: Any) -> Any:
    raise ValueError


def read_object(body: bytes) -> dict[str, Any] | None:
    """The object that the bytes are in one reading only, or None."""

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(pairs) if len({name for name, _ in pairs}) == len(pairs) else refuse()

    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=build,
            parse_int=NumberText,
            parse_float=NumberText,
            parse_constant=refuse,
        )
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and count_levels(value) <= LEVELS_MAX else None


def count_levels(value: Any) -> int:
    """How many objects and lists are in each other."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if items is None else 1 + max(map(count_levels, items), default=0)
