"""Reading a long list along an index, a page at a time, and past no more than so many rows.

What an index carries is a condition of the queryset. Everything else is tried on each row that the walk comes
to: no plan can choose another index for it, whatever the statistics say, and the walk ends where it must.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db.models import BooleanField, F, Q, QuerySet, Value

from ledger.sql import fetch

LOOKED_AT_MAX = 5000  # rows for one page
COUNTED_MAX = 1000  # rows that fit; of more nobody says how many
Key = tuple[Any, ...]  # a row's place in the order


class Stretch(NamedTuple):
    """What was found on the way from one place to another."""

    ids: list[Any]  # the primary keys of the rows that fit, in the order of the walk
    end: Key | None  # where to go on from; None: there is no more
    has_stopped: bool  # it has looked at as many rows as it may, and found too few


class Count(NamedTuple):
    number: int
    is_bounded: bool  # there may be more


@dataclass(frozen=True, kw_only=True)
class Walk:
    """The `rows` in their order, of which those are wanted that `fits`; None: all of them."""

    rows: QuerySet[Any]
    order: Sequence[str]  # fields, of which the last one or all together are unique; with - from the last on
    fits: Q | None = None
    looked_at_max: int = LOOKED_AT_MAX

    def read(self, size: int, after: Key | None = None) -> Stretch:
        """Up to `size` rows that come after that place; from the beginning, if there is none."""
        rows = self.rows.filter(lie_beyond(self.order, after)) if after else self.rows
        names = [f"walk_{number}" for number in range(len(self.order))]
        try:
            statement, parameters = self._look(rows)
        except EmptyResultSet:  # Django knows before it asks
            return Stretch([], None, has_stopped=False)
        # PostgreSQL numbers the rows as they come, and stops at the last one that is wanted.
        found = fetch(
            f"SELECT walk_id, walk_fits, place, {', '.join(names)}"  # noqa: S608, names of our own
            f" FROM (SELECT looked_at.*, row_number() OVER () AS place FROM ({statement}) AS looked_at)"
            f" AS one WHERE walk_fits OR place = {self.looked_at_max} LIMIT {size + 1}",
            parameters,
        )
        fitting = [row for row in found if row[1]][:size]
        ids = [row[0] for row in fitting]
        if len(found) > size:
            return Stretch(ids, tuple(fitting[-1][3:]), has_stopped=False)
        if found and found[-1][2] == self.looked_at_max:
            return Stretch(ids, tuple(found[-1][3:]), has_stopped=True)
        return Stretch(ids, None, has_stopped=False)

    def count(self) -> Count:
        """How many fit, as far as one walk goes."""
        counted_max = min(COUNTED_MAX, self.looked_at_max) if self.fits is None else COUNTED_MAX
        try:
            statement, parameters = self._look(self.rows)
        except EmptyResultSet:
            return Count(0, is_bounded=False)
        [(fitting, looked_at)] = fetch(
            "SELECT count(*) FILTER (WHERE walk_fits), max(place) FROM (SELECT * FROM ("  # noqa: S608
            f"SELECT walk_fits, row_number() OVER () AS place FROM ({statement}) AS looked_at"
            f") AS one WHERE walk_fits OR place = {self.looked_at_max} LIMIT {counted_max + 1}) AS counted",
            parameters,
        )
        is_bounded = fitting > counted_max or (self.fits is not None and looked_at == self.looked_at_max)
        return Count(min(fitting, counted_max), is_bounded)

    def _look(self, rows: QuerySet[Any]) -> tuple[str, Any]:
        """The statement of as many rows as may be looked at: the key of each, its place, whether it fits."""
        keys = {f"walk_{number}": F(name.lstrip("-")) for number, name in enumerate(self.order)}
        fits = Value(True, BooleanField()) if self.fits is None else self.fits
        looked_at = rows.order_by(*self.order).values(walk_id=F("pk"), walk_fits=fits, **keys)
        return looked_at[: self.looked_at_max + (self.fits is None)].query.sql_with_params()


def lie_beyond(order: Sequence[str], key: Key) -> Q:
    """The rows that come after the one with this key. What an index is searched by is the first condition."""
    (name, *names), (value, *values) = order, key
    field, beyond = (name[1:], "lt") if name.startswith("-") else (name, "gt")
    further = Q(**{f"{field}__{beyond}": value})
    if not names:
        return further
    return Q(**{f"{field}__{beyond}e": value}) & (further | lie_beyond(names, tuple(values)))
