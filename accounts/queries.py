"""Finding users and what they may, and accounts whose holds are due."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db.models import CharField, Prefetch, Q, QuerySet, Value, prefetch_related_objects
from django.db.models.functions import Collate, Concat

from accounts.models import Account, Claim, ClockTimestamp, Erasure, Folded, Is, Threshold, User
from ledger import macs
from ledger.sql import fetch

# Asked every second: by the index `hold_to_expire`, with a clock that is read once.
WITH_DUE_HOLDS = """
SELECT DISTINCT account_id FROM accounts_hold
WHERE status = 'OPEN' AND expires_at <= (SELECT clock_timestamp()) LIMIT %s
"""


PAYEES = """
WITH RECURSIVE payee (id) AS (
    SELECT unnest(%s::uuid[])
    UNION
    SELECT claim.destination FROM payee JOIN accounts_claim AS claim ON claim.account_id = payee.id
    WHERE claim.status = 'OPEN' AND claim.destination IS NOT NULL
)
SELECT id FROM payee
"""


def find_caller(words: str, id: UUID | None) -> User | None:
    """Who calls the API: a service by its user name, anybody by `id`."""
    return User.objects.filter(Q(username=words) | Q(id=id)).first()


def is_erased(external_id: str) -> bool:
    """Whether it was that of a person who was forgotten, as long as its hash is kept."""
    return Erasure.objects.filter(
        external_id_hash__in=macs.compute_all("external_id", external_id),
        hash_until__gt=ClockTimestamp(),
    ).exists()


def list_groups(user: User) -> list[str]:
    """The names of the groups whose permissions the user has."""
    return sorted(user.groups.values_list("name", flat=True))


def name_permissions(permissions: QuerySet[Permission]) -> set[str]:
    """Their names as Django asks for them: `accounts.add_user`."""
    pairs = permissions.order_by().values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in pairs}


def find_users_by_words(words: str, *, limit: int) -> list[User]:
    """The user whose external id it is, then up to `limit` others whose name starts with it, folded.

    Names are a range of the index `user_by_start_of_name`. An empty text finds nobody by name.
    """
    low = Folded(Value(words, output_field=CharField()))
    named = User.objects.alias(folded=Collate(Folded("name"), "C")).filter(
        folded__gte=low,
        folded__lt=Concat(low, Value("\U0010ffff")),  # the last character in the order of "C"
    )
    others = named.order_by("folded", "id")[:limit] if words else ()
    return list(dict.fromkeys([*User.objects.filter(external_id=words), *others]))


def prefetch_accounts() -> Any:
    """For `prefetch_related`: all that `User.to_dict` reads beside the user's own row."""
    return Prefetch("accounts", Account.objects.with_held_due(), to_attr="accounts_now")


def read_accounts(user: User) -> User:
    """The user with all that `to_dict` reads."""
    prefetch_related_objects([user], prefetch_accounts())
    return user


def find_accounts_with_due_holds(limit: int) -> list[UUID]:
    """The ids of at most so many accounts whose holds are due, in no order."""
    return [id for [id] in fetch(WITH_DUE_HOLDS, [limit])]


def find_open_claims(account_ids: Iterable[UUID]) -> Iterable[Claim]:
    """Those on these accounts, the oldest first."""
    ids = list(account_ids)
    found = Claim.objects.select_related("account").filter(Is("status", value="OPEN"), account__in=ids)
    return found.order_by("created_at", "id") if ids else ()


def find_payees(account_ids: Iterable[UUID]) -> set[UUID]:
    """The accounts that open claims on these are paid to, and those that claims on them are, and so on."""
    return {id for (id,) in fetch(PAYEES, [list(account_ids)])}


def find_thresholds(account_id: UUID) -> list[Threshold]:
    """The thresholds of an account, by what is compared and their amounts."""
    return list(Threshold.objects.filter(account=account_id).order_by("of", "amount"))
