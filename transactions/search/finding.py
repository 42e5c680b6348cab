"""Answering what somebody has of a person or of a movement of money: so many at most, the best ones first."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q

from accounts.models import Hold, User
from ledger.sql import fetch
from transactions.models import Transaction
from transactions.reading.search import find_by_reference
from transactions.search import keys, statements
from transactions.search.folding import is_near
from transactions.search.questions import Question

FOUND_MAX = 500  # of one kind; what is beyond is not told apart
CANDIDATES_MAX = 1000  # movements that are looked at for the parts of a reference
QUARTERS_MAX = 60  # of a year, from now on backwards
PURSES_MAX = 10  # accounts of a person that are looked at
ANY_DAY = [(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))]
EXACT, STARTS, NEAR = range(3)


class Ids(NamedTuple):
    """The ids of what was found, the best first; `is_cut`: there may be more than these."""

    ids: list[Any]
    is_cut: bool


class Purse(NamedTuple):
    """An account of a person."""

    id: UUID
    name: str
    currency: str
    status: str
    balance: Decimal
    moved_at: datetime | None  # when money last moved there


def find_people(asked: Question) -> Ids:
    """Account holders by the words of their name, external id, e-mail or phone; and whoever has exactly this
    external id or user name, known to the search or not.
    """
    first = list(
        User.objects.filter(Q(external_id=asked.text) | Q(username=asked.text)).values_list("id", flat=True)
    )
    conditions = _ask_for_exact(asked), _ask_for_near(asked)
    rows: dict[UUID, tuple[int, str]] = {}
    is_cut = False
    for some in filter(None, conditions):
        sql = " OR ".join(condition for condition, _ in some)
        values = [value for _, values in some for value in values]
        found = fetch(statements.FIND_PEOPLE.format(sql), [*values, FOUND_MAX])
        is_cut = is_cut or len(found) == FOUND_MAX
        for id, name, *others in found:
            if (rank := rank_person(asked, name, *others)) is not None:
                rows[id] = rank, name
        if is_cut:
            break
    ranked = sorted(rows, key=lambda id: (rows[id], id))
    return Ids(list(dict.fromkeys([*first, *ranked])), is_cut)


def rank_person(asked: Question, name: str, external_id: str, contacts: Sequence[str]) -> int | None:
    """How well somebody is what was asked for; None: not at all, only their keys are the same."""
    if asked.address and any(asked.address in (each, each.partition("@")[0]) for each in contacts):
        return EXACT
    if asked.digits and any(is_same_number(asked.digits, each) for each in contacts):
        return EXACT
    ranks = [_rank_word(word, name.split()) for word in asked.words]
    if ranks and None not in ranks:
        return max(rank for rank in ranks if rank is not None)
    if asked.words and external_id and keys.has_parts(external_id, asked.words):
        return EXACT if external_id == " ".join(asked.words) else STARTS
    return None


def is_same_number(asked: str, known: str) -> bool:
    """Whether one ends as the other does, with or without the code of a country."""
    shorter = min(len(asked), len(known), keys.NATIONAL)
    return "@" not in known and known.endswith(asked[-shorter:]) and len(known) >= shorter


def _rank_word(word: str, name: list[str]) -> int | None:
    if word in name:
        return EXACT
    if any(each.startswith(word) for each in name):
        return STARTS
    if len(word) >= keys.ERRORS_FROM and any(is_near(word, each) for each in name):
        return NEAR
    return None


Condition = tuple[str, list[Any]]


def _ask_for_exact(asked: Question) -> list[Condition]:
    """All of a name's words as they are; or a way to reach somebody; or parts of an external id."""
    conditions: list[Condition] = []
    if asked.words:
        conditions.append((statements.HAS_ALL, [[keys.of_word(word) for word in asked.words]]))
        if parts := keys.of_asked_parts(asked.words, "/"):
            conditions.append((statements.HAS_ALL, [sorted(parts)]))
    if asked.address:
        conditions.append((statements.HAS_ALL, [[keys.of_address(asked.address)]]))
    if asked.digits:
        conditions.append((statements.HAS_ANY, [sorted(keys.of_digits(asked.digits))]))
    return conditions


def _ask_for_near(asked: Question) -> list[Condition]:
    """Words of a name by their start, or with a typing error."""
    if not asked.words:
        return []
    spellings = [
        sorted({keys.of_start(word)} | (keys.of_spellings(word) if len(word) >= keys.ERRORS_FROM else set()))
        for word in asked.words
    ]
    return [(f"({' AND '.join([statements.HAS_ANY] * len(spellings))})", spellings)]


def find_movements(asked: Question) -> Ids:
    """Transactions and holds, newest first: pairs of their id and whether it is a hold. By their whole
    reference, known to the search or not; by an amount, on a day; by parts of the reference.
    """
    first = [(id, False) for id in find_by_reference(asked.text)]
    found: list[tuple[Any, ...]] = []
    is_cut = False
    if asked.amounts:
        days = asked.days or ANY_DAY
        firsts, afters = map(list, zip(*days, strict=True))
        found = fetch(statements.FIND_AMOUNTS, [asked.amounts, firsts, afters, FOUND_MAX])
        is_cut = len(found) >= FOUND_MAX
    if not asked.days and (quarters := _list_quarters(asked)):
        looked_at = fetch(statements.FIND_REFERENCES, [quarters, CANDIDATES_MAX])
        is_cut = is_cut or len(looked_at) == CANDIDATES_MAX
        found += [
            (id, is_hold, recorded_at)
            for id, is_hold, recorded_at, reference in looked_at
            if keys.has_parts(reference, asked.words)
        ]
    found.sort(key=lambda row: (row[2], row[0]), reverse=True)
    ids = list(dict.fromkeys([*first, *((id, is_hold) for id, is_hold, _ in found)]))
    return Ids(ids[:FOUND_MAX], is_cut or len(ids) > FOUND_MAX)


def _list_quarters(asked: Question) -> list[str]:
    """The keys of the parts in each quarter of a year in which there may be any, the last one first."""
    if not keys.of_asked_parts(asked.words, "") or not (first := fetch(statements.FIRST)):
        return []
    last = keys.number_quarter(asked.now)
    oldest = max(keys.number_quarter(first[0][0]), last - QUARTERS_MAX)
    quarters = (
        keys.of_asked_parts(asked.words, keys.name_kind(each)) for each in range(last, oldest - 1, -1)
    )
    return ["{" + ",".join(map(str, sorted(each))) + "}" for each in quarters]


def read_people(ids: Sequence[UUID]) -> list[User]:
    """In this order, as they are now; each with `purses`, those where money moved last first."""
    found = User.objects.in_bulk(ids)
    purses: dict[UUID, list[Purse]] = {id: [] for id in found}
    for user_id, *values in fetch(statements.PURSES, [list(found), PURSES_MAX]):
        purses[user_id].append(Purse(*values))
    people = [found[id] for id in ids if id in found]
    never = datetime.min.replace(tzinfo=UTC)
    for person in people:
        person.purses = sorted(purses[person.id], key=lambda each: each.moved_at or never, reverse=True)  # type: ignore[attr-defined]
    return people


def read_movements(ids: Sequence[tuple[UUID, bool]]) -> list[Transaction | Hold]:
    """In this order, with their accounts and users."""
    rows = Transaction.objects.filter(id__in=[id for id, is_hold in ids if not is_hold])
    holds = Hold.objects.with_clock().filter(id__in=[id for id, is_hold in ids if is_hold])
    found: dict[tuple[UUID, bool], Transaction | Hold] = {
        (row.id, False): row for row in rows.select_related("account__user")
    }
    found |= {(hold.id, True): hold for hold in holds.select_related("account__user")}
    return [found[key] for key in ids if key in found]
