"""Long rows of things, worked through a slice at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def slice_up(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of `size` items, the last one of what is left; nothing is read before it is asked for."""
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some
