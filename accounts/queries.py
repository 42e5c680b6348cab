"""Reading users, accounts and holds."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import CharField, Prefetch, Q, QuerySet, Value, prefetch_related_objects
from django.db.models.functions import Collate, Concat, Lower

from accounts.errors import HoldNotFound
from accounts.models import Account, Hold, User

# Asked every second: by the index `hold_to_expire`, with a clock that is read once.
WITH_DUE_HOLDS = """
SELECT DISTINCT account_id FROM accounts_hold
WHERE status = 'OPEN' AND expires_at <= (SELECT clock_timestamp()) LIMIT %s
"""
LAST_CHARACTER = "\U0010ffff"  # in the order of the collation "C"


def find_caller(words: str, id: UUID | None) -> User | None:
    """Who calls the API: a service by its user name, anybody by `id`."""
    return User.objects.filter(Q(username=words) | Q(id=id)).first()


def find_users_by_name(start: str, *, limit: int) -> list[User]:
    """Whose name starts so, in capitals or not: a range of the index `user_by_start_of_name`."""
    if not start:
        return []
    low = Lower(Value(start, output_field=CharField()))
    named = User.objects.alias(folded=Collate(Lower("name"), "C")).filter(
        folded__gte=low, folded__lt=Concat(low, Value(LAST_CHARACTER))
    )
    return list(named.order_by("folded", "id")[:limit])


def find_users_by_words(words: str, *, limit: int) -> list[User]:
    """Whose external id it is, then up to `limit` others whose name starts so."""
    handled = list(User.objects.filter(external_id=words))
    return list(dict.fromkeys([*handled, *find_users_by_name(words, limit=limit)]))


def with_accounts(users: QuerySet[User]) -> QuerySet[User]:
    """The users with all that `to_dict` reads."""
    return users.prefetch_related(_prefetch_accounts())


def read_accounts(user: User) -> User:
    """The user with all that `to_dict` reads."""
    prefetch_related_objects([user], _prefetch_accounts())
    return user


def _prefetch_accounts() -> Any:
    return Prefetch("accounts", Account.objects.with_held_due(), to_attr="accounts_now")


def find_hold(id: UUID) -> Hold:
    """Raises `HoldNotFound`."""
    hold = Hold.objects.with_clock().filter(id=id).first()
    if hold is None:
        raise HoldNotFound("There is no such hold.")
    return hold


def find_accounts_with_due_holds(limit: int) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(WITH_DUE_HOLDS, [limit])
        return [id for [id] in cursor.fetchall()]
