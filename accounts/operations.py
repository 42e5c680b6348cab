"""Writing users and accounts. Each function owns its transaction and names its actor's request."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import orjson
import uuid_utils.compat
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, connection
from django.db.transaction import TransactionManagementError, atomic

from accounts import currencies, errors, idempotency, queries
from accounts.models import MAIN, Account, Hold, User
from events import outbox
from ledger.callers import Caller
from ledger.sql import fetch
from ledger.text import Rule, require_metadata, require_text
from ledger.values import write_ids

Answer = TypeVar("Answer")
Asked = ParamSpec("Asked")

ERASED = "This user was erased: nobody is made, and nothing changed, in their place."
CHANGE_USER = """
UPDATE accounts_user SET name = %s, metadata = %s::jsonb, event_sequence = %s, last_recorded_at = %s
WHERE id = %s
"""


def once_more_after_a_race(find_or_create: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """In a transaction; if another request just created the same thing, in another one, which finds that."""
    attempt = atomic(find_or_create)

    @wraps(find_or_create)
    def find_or_create_once_more(*args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        try:
            return attempt(*args, **kwargs)
        except IntegrityError:
            return attempt(*args, **kwargs)

    return find_or_create_once_more


def lock_rows(ids: Iterable[UUID], columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Lock the accounts until the end of the transaction, in the order of their ids, and read `columns`.

    Whoever locks several accounts calls this, or runs its statement (`compile_lock`). A later statement sees
    what was committed while this one waited; this one's own rows are the newest. Ids of no account are
    missing from the answer.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("A lock lasts until the end of a transaction, and there is none.")
    return fetch(compile_lock(columns, False), [write_ids(set(ids))])


@cache
def compile_lock(columns: tuple[str, ...], skip_locked: bool) -> str:
    """The statement that locks the accounts of an array of ids and reads `columns` of them.

    The array stands in a sub-select: PostgreSQL cannot see how long it is, so it plans the statement once in
    a connection and not each time, which takes longer than to run it. For the same reason the plan does not
    depend on what is known of the table.
    """
    locked = Account._base_manager.select_for_update(no_key=True, of=("self",), skip_locked=skip_locked)
    wanted = locked.extra(where=["accounts_account.id = ANY((SELECT %s::uuid[])::uuid[])"], params=["{}"])
    with atomic(savepoint=False):  # Django compiles a lock in a transaction only
        return wanted.only(*columns).order_by("id").query.sql_with_params()[0]


def read_clock() -> datetime:
    """The database's clock. Read after a lock, it is later than all that was recorded under it before."""
    clock: datetime = fetch("SELECT clock_timestamp()")[0][0]
    return clock


@once_more_after_a_race
def create_user(
    *,
    id: UUID | None,
    name: str,
    external_id: str | None = None,
    currency: str | None = None,
    metadata: dict[str, str] | None = None,
    account_id: UUID | None = None,
    caller: Caller,
) -> tuple[User, bool]:
    """The user with its `main` account, and whether it was there before: the same command is answered again.

    The user is known again by `id`, or without one by `external_id`, also when no new account can have its
    currency any more. `account_id` is that of a new account; None: one of its own. Raises `Text…`,
    `Metadata…`, `CurrencyUnknown`, `CurrencyClosed`, `ExternalIdTaken`, `IdempotencyKeyReused`, `UserErased`.
    """
    require_text(name, Rule.NAME, "name")
    require_text(external_id or "", Rule.IDENTIFIER, "external_id")
    require_metadata(metadata or {})
    currency = settings.DEFAULT_CURRENCY if currency is None else currency
    currencies.get_decimals(currency)
    asked = {"name": name, "external_id": external_id, "currency": currency}
    # In this order: a user of both, made between the two looks, is found by the second one.
    namesake = User.objects.filter(external_id=external_id).first() if external_id else None
    if found := User.objects.filter(id=id).first() if id else namesake:
        if not found.is_holder:  # of whom nothing is told
            raise errors.IdempotencyKeyReused("This identity was used before, for another user.")
        _require_not_erased(found)
        before = found.created_as or {}
        if name == found.name:  # who sends what the user is called now means this user
            before = before | {"name": name}
        if differs := idempotency.find_differences(asked, before):
            raise errors.IdempotencyKeyReused(
                "This identity was used before, for another user.",
                differs=differs,
                confidential_to=(found.id, "accounts.add_user"),
            )
        return queries.read_accounts(found), True
    if namesake:
        raise errors.ExternalIdTaken(f"The external_id {external_id!r} belongs to another user.")
    # After the look for the namesake: whoever was forgotten meanwhile has left the hash.
    if external_id and queries.is_erased(external_id):
        raise errors.UserErased(ERASED)
    currencies.require_open(currency)
    new_id = id or uuid_utils.compat.uuid7()
    user = User.objects.create(
        id=new_id,
        username=str(new_id),
        password=make_password(None),
        name=name,
        external_id=external_id,
        metadata=metadata or {},
        created_as=asked,
        event_sequence=1,
    )
    _open_account(user, id=account_id, currency=currency, name=MAIN, metadata={}, caller=caller)
    tell(user, "user.created", queries.read_accounts(user).to_dict(), caller)
    return user, False


@once_more_after_a_race
def create_account(
    *,
    user_id: UUID,
    currency: str,
    name: str = MAIN,
    metadata: dict[str, str] | None = None,
    account_id: UUID | None = None,
    caller: Caller,
) -> tuple[Account, bool]:
    """The account of that currency and name of an account holder, and whether it was there before.

    `account_id` is that of a new one; None: one of its own. Raises `Text…`, `Metadata…`, `UserNotFound`,
    `UserErased`, `CurrencyUnknown`, `CurrencyClosed`.
    """
    require_text(name, Rule.IDENTIFIER, "name")
    require_metadata(metadata or {})
    currencies.get_decimals(currency)
    named = Account.objects.with_held_due().filter(user_id=user_id, currency=currency, name=name)
    if found := named.first():
        return found, True
    currencies.require_open(currency)
    user = User.objects.select_for_update(no_key=True).filter(id=user_id, is_holder=True).first()
    if user is None:
        raise errors.UserNotFound("There is no such user.").about("user")
    _require_not_erased(user)
    account = _open_account(
        user, id=account_id, currency=currency, name=name, metadata=metadata or {}, caller=caller
    )
    return account, False


@atomic
def change_user(
    *, id: UUID, changes: dict[str, Any], if_match: Collection[str] | None = None, caller: Caller
) -> User:
    """Set `name` and `metadata` of an account holder where `changes` has them.

    Returns the user, with all that `to_dict` reads. What is so already is not changed, and not told. To
    change anything, the user must have one of the ETags of `if_match`, if there are any. Raises `Text…`,
    `Metadata…`, `UserErased`, `EtagMismatch`.
    """
    require_text(changes.get("name", ""), Rule.NAME, "name")
    require_metadata(changes.get("metadata", {}))
    user = User.objects.select_for_update(no_key=True).get(id=id, is_holder=True)
    _require_not_erased(user)
    changes = {name: value for name, value in changes.items() if value != getattr(user, name)}
    if not changes:
        return queries.read_accounts(user)
    require_etag(user, if_match)
    before = {name: getattr(user, name) for name in changes}
    for name, value in changes.items():
        setattr(user, name, value)
    user.event_sequence += 1
    user.last_recorded_at = max(read_clock(), user.last_recorded_at)
    values = [user.name, orjson.dumps(user.metadata).decode(), user.event_sequence, user.last_recorded_at]
    data = queries.read_accounts(user).to_dict()
    tell(user, "user.changed", data, caller, before, CHANGE_USER, [*values, user.id])
    return user


def require_etag(row: User | Account | Hold, if_match: Collection[str] | None) -> None:
    """Under its lock. Raises `EtagMismatch` if its ETag is none of these; None expects nothing."""
    if if_match is not None and row.etag not in if_match:
        raise errors.EtagMismatch("It was changed meanwhile: If-Match names none of its ETags of now.")


def _require_not_erased(user: User) -> None:
    if user.erased_at:
        raise errors.UserErased(ERASED)


def _open_account(
    user: User, *, id: UUID | None, currency: str, name: str, metadata: dict[str, str], caller: Caller
) -> Account:
    account = Account.objects.create(
        id=id or uuid_utils.compat.uuid7(),
        user=user,
        currency=currency,
        name=name,
        metadata=metadata,
        event_sequence=1,
    )
    account.held_due, account.holds_due = Decimal(0), 0
    tell(account, "account.opened", account.to_dict(), caller)
    return account


def tell(
    stream: User | Account,
    type: str,
    data: dict[str, Any],
    caller: Caller,
    before: dict[str, Any] | None = None,
    change: str = "SELECT",
    values: Sequence[Any] = (),
) -> None:
    """Write the event that the stream has counted last, in the caller's transaction; in the same statement as
    the `change`, if there is one, which has these values.
    """
    owner = stream.user_id if isinstance(stream, Account) else stream.id
    event, text = outbox.tell(
        stream=stream.id,
        sequence=stream.event_sequence,
        type=type,
        recorded_at=stream.last_recorded_at,
        told=outbox.Told(data, before, "", owner),
        caller=caller,
    )
    outbox.record(event, text, change, values)
