"""Whether the ledger's balances are those of another system."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.errors import AccountNotFound, UserNotFound
from accounts.models import MAIN, Account
from ledger.errors import LedgerError
from ledger.values import slice_up
from transactions import reading
from transactions.exchange import imports
from transactions.exchange.rows import Named
from transactions.exchange.staging import PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Expected:
    """A line of the other system: the account it names, and its balance there."""

    line: int
    named: Named
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Compared:
    """`account` says which one: as the line names it, and its id. `expected` None: it is in no line. `found`
    None: `refusal` says why there is no balance; there is no currency either."""

    line: int | None
    account: str
    currency: str
    expected: Decimal | None
    found: Decimal | None
    refusal: str = ""


def compare(lines: Iterable[Expected], *, at: datetime | None, all: bool) -> Iterator[Compared]:
    """Each line with the ledger's balance, now or effective at a moment; then, of `all` accounts, those that
    no line names and that are not empty. An account that is not there is an empty one.
    """
    with closing(sqlite3.connect("")) as seen:  # a file that goes with its process
        seen.execute("CREATE TABLE account (id TEXT PRIMARY KEY)")
        for page in slice_up(lines, PAGE_SIZE):
            found = imports.find_named([line.named for line in page])
            balances = _read_balances(
                [account[0] for account in found.values() if not isinstance(account, LedgerError)], at
            )
            for line in page:
                account = found[line.named]
                if isinstance(account, LedgerError):
                    is_empty = isinstance(account, AccountNotFound | UserNotFound) and line.balance == 0
                    yield Compared(
                        line.line,
                        f"{line.named.kind} {line.named.who}",
                        "",
                        line.balance,
                        Decimal(0) if is_empty else None,
                        "" if is_empty else account.detail,
                    )
                else:
                    id, currency = account
                    added = seen.execute("INSERT OR IGNORE INTO account VALUES (?)", [str(id)]).rowcount
                    yield Compared(
                        line.line,
                        _describe(line.named, id),
                        currency,
                        line.balance,
                        balances[id] if added else None,
                        "" if added else "Another line names this account too.",
                    )
        if all:
            yield from _find_others(seen, at)


def _find_others(seen: sqlite3.Connection, at: datetime | None) -> Iterator[Compared]:
    last = UUID(int=0)
    accounts = Account._base_manager.order_by("id")
    columns = ("id", "currency", "name", "user__external_id")
    while page := list(accounts.filter(id__gt=last).values_list(*columns)[:PAGE_SIZE]):
        balances = _read_balances([id for id, *_ in page], at)
        for last, currency, name, external_id in page:
            is_seen = seen.execute("SELECT 1 FROM account WHERE id = ?", [str(last)]).fetchone()
            if balances[last] and not is_seen:
                named = Named(
                    "external_id" if external_id else "account", external_id or str(last), name=name
                )
                yield Compared(None, _describe(named, last), currency, None, balances[last])


def _describe(named: Named, id: UUID) -> str:
    """As whoever has the file knows it, and its id in the ledger."""
    if named.kind == "account":
        return f"account {id}"
    name = "" if named.name == MAIN else f" ({named.name})"
    return f"{named.kind} {named.who}{name}, account {id}"


def _read_balances(ids: list[UUID], at: datetime | None) -> dict[UUID, Decimal]:
    if at is None:
        return dict(Account._base_manager.filter(id__in=ids).values_list("id", "balance"))
    return {id: reading.read_balance_at(id, at=at, known_at=None).balance for id in ids}
