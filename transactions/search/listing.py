"""Pages of lists that no index of the ledger finds.

What is asked for is looked up in the tables of the search. If one part of it is rare, what has it is all that
may be in the list. If all are common, the rows of one of them, or else of all, are gone through in the order
of the list, so many at most for a page: a page may then end before it is full.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from ledger.sql import fetch
from transactions.models import SearchedPerson
from transactions.search import keys, statements
from transactions.search.folding import fold
from transactions.search.following import Knowledge, read_knowledge

FEW = 500  # rows that have something rare
LOOKED_AT_MAX = 5000  # of a page
AMOUNT_MAX = Decimal(10) ** 20
FIRST = (datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
LAST = (datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))

Position = tuple[datetime, UUID]


class Source(NamedTuple):
    """Rows in an order, to be gone through: SQL, with its values, for so many beyond a position."""

    sql: str
    values: dict[str, Any] = {}
    is_of_search: bool = True


class Lookup(NamedTuple):
    """A part of what is asked for: SQL, with its values, for the ids of so many rows that have it, and the
    rows that have it in their order, if they can be read in it.
    """

    sql: str
    values: Sequence[Any]
    source: Source | None = None
    is_of_search: bool = True


class Key(NamedTuple):
    """Where a row stands in its list."""

    id: UUID
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list: `rows` with every condition that is asked of them, in the order of a column and the id.

    It stands later than `since` and not later than `until`, if they are known. `source`: what is gone through
    if nothing is rare; None: the ledger's own indexes find the rows, and they are read as they are now.
    """

    rows: QuerySet[Any]
    order: str
    is_newest_first: bool = True
    since: datetime | None = None
    until: datetime | None = None
    lookups: Sequence[Lookup] = ()
    source: Source | None = None


class Keys(NamedTuple):
    """Keys of a list, as they were asked for. `last`: what was looked at last, or the end; `is_cut`: after
    so many, and there may be more. `knowledge`: of the search, if it has answered.
    """

    found: list[Key]
    last: Key | None = None
    is_cut: bool = False
    knowledge: Knowledge | None = None


BY_RECORDING = Source(statements.BY_RECORDING, is_of_search=False)
BY_EFFECT = Source(statements.BY_EFFECT)
BY_CREATION = Source(statements.PEOPLE_BY_CREATION, is_of_search=False)


def look_up_term(name: str, value: str) -> Lookup:
    """Transactions that have it: a pair of their metadata, named `metadata.KEY`, or a `decline_reason`."""
    term = f"{name}={value}"
    return Lookup(statements.FEW_OF_TERM, [term], Source(statements.IN_TERM, {"term": term}))


def look_up_amounts(least: Decimal | None, most: Decimal | None) -> Lookup:
    """Transactions of an amount, or of amounts from one to another."""
    source = Source(statements.IN_AMOUNT, {"amount": least}) if least is not None and least == most else None
    bounds = [Decimal(0) if least is None else least, AMOUNT_MAX if most is None else most]
    return Lookup(statements.FEW_OF_AMOUNTS, bounds, source)


def look_up_prefix(prefix: str) -> Lookup:
    """People whose external id begins so."""
    return Lookup(statements.FEW_OF_PREFIX, [prefix, prefix + chr(0x10FFFF)], is_of_search=False)


def look_up_words(words: Sequence[str]) -> Lookup:
    """People who have all of the folded words in their name, each whole or as it begins."""
    asked = sorted({keys.of_start(word) for word in words[: keys.WORDS_MAX]})
    return Lookup(statements.FEW_OF_WORDS, [asked])


def filter_by_words(people: QuerySet[Any], words: Sequence[str]) -> QuerySet[Any]:
    """Those of the people who have them."""
    known = SearchedPerson.objects.filter(user_id=OuterRef("pk"))
    for word in words:
        known = known.filter(Q(name__startswith=word) | Q(name__contains=f" {word}"))
    return people.filter(Exists(known))


def split(text: str) -> list[str]:
    """The folded words of it."""
    return fold(text).split()


def find_keys(listing: Listing, position: Position | None, *, is_forward: bool, limit: int) -> Keys:
    """So many keys of the list at most, beyond the position, or from its end on."""
    is_descending = listing.is_newest_first == is_forward
    source = listing.source and next((each.source for each in listing.lookups if each.source), listing.source)
    is_of_search = any(each.is_of_search for each in listing.lookups)
    knowledge = read_knowledge() if is_of_search or (source and source.is_of_search) else None
    few = find_few(listing.lookups)
    if few is not None:
        rows = listing.rows.filter(id__in=few)
        found = read_keys(listing, rows, position, is_descending, limit)
        return Keys(found, knowledge=knowledge if is_of_search else None)
    if source is None:
        return Keys(read_keys(listing, listing.rows, position, is_descending, limit))
    gone_through = go_through(listing, source, position, is_descending, limit)
    return gone_through._replace(knowledge=knowledge if source.is_of_search else None)


def find_few(lookups: Sequence[Lookup]) -> set[UUID] | None:
    """The ids of all rows that can have everything; None: nothing of it is rare."""
    few: set[UUID] | None = None
    for each in lookups:
        found = fetch(each.sql, [*each.values, FEW + 1])
        if len(found) <= FEW:
            ids = {id for (id,) in found}
            few = ids if few is None else few & ids
    return few


def read_keys(
    listing: Listing, rows: QuerySet[Any], position: Position | None, is_descending: bool, limit: int
) -> list[Key]:
    """As the database finds them."""
    order, sign, beyond = listing.order, *(("-", "lt") if is_descending else ("", "gt"))
    if position is not None:
        at, id = position
        # The first condition alone is what an index is searched by.
        rows = rows.filter(
            Q(**{f"{order}__{beyond}e": at}), Q(**{f"{order}__{beyond}": at}) | Q(**{f"id__{beyond}": id})
        )
    found = rows.order_by(f"{sign}{order}", f"{sign}id").values_list("id", order)
    return [Key(*each) for each in found[:limit]]


def go_through(
    listing: Listing, source: Source, position: Position | None, is_descending: bool, limit: int
) -> Keys:
    """As they come in the source, until there are enough, or so many were looked at."""
    sql = source.sql.format(*(("<", "DESC") if is_descending else (">", "ASC")))
    at, id = begin(listing, position, is_descending)
    found: list[Key] = []
    end_at, end_id = FIRST if is_descending else LAST
    last, looked_at, size = Key(end_id, end_at), 0, limit
    while looked_at < LOOKED_AT_MAX:
        size = min(size, LOOKED_AT_MAX - looked_at)
        some = fetch(sql, {**source.values, "at": at, "id": id, "limit": size})
        inside = [Key(id, at) for at, id in some if not is_over(listing, at, is_descending)]
        moments = dict(
            listing.rows.filter(id__in={key.id for key in inside}).values_list("id", listing.order)
        )
        found += [key for key in inside if moments.get(key.id) == key.at]
        if len(found) >= limit:
            return Keys(found[:limit])
        if some:
            at, id = some[-1]
            last = Key(id, at)
        if len(inside) < size:
            return Keys(found, last)
        looked_at, size = looked_at + size, size * 4
    return Keys(found, last, is_cut=True)


def begin(listing: Listing, position: Position | None, is_descending: bool) -> Position:
    """The position beyond which the first one is."""
    if is_descending:
        end = (listing.until, LAST[1]) if listing.until else LAST
        return min(position, end) if position else end
    end = (listing.since, LAST[1]) if listing.since else FIRST
    return max(position, end) if position else end


def is_over(listing: Listing, at: datetime, is_descending: bool) -> bool:
    if is_descending:
        return listing.since is not None and at <= listing.since
    return listing.until is not None and at > listing.until
