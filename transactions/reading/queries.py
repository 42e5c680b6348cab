"""Reading transactions and balances, now and at any moment of both time axes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.transaction import atomic

from accounts.currencies import format_amount
from accounts.errors import AccountNotFound, CurrencyRequired
from accounts.models import MAIN, Account, ClockTimestamp, HeldDue, Is
from ledger.errors import gettext_noop
from ledger.times import format_time
from transactions.errors import TransactionNotFound
from transactions.models import SIGNED_AMOUNT, Transaction

# A recorded moment is stamped before its commit; older than this, nothing is in flight any more.
SETTLED_AFTER = timedelta(seconds=10)


def begin_snapshot() -> None:
    """The transaction that has just begun reads one moment, and may take its time. Not inside another one."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SET LOCAL enable_seqscan = on")  # it reads whole tables


def with_resources(transactions: QuerySet[Transaction]) -> QuerySet[Transaction]:
    """The transactions with all that `to_dict` reads."""
    reversal = Transaction.objects.filter(Is("status", value="POSTED"), reverses=OuterRef("id"))
    return transactions.select_related(
        "account"
    ).annotate(  # type: ignore[no-redef]
        reversed_by=Subquery(reversal.values("id")[:1])
    )


def find_transactions(ids: Iterable[UUID]) -> dict[UUID, Transaction]:
    """The decided transactions of these ids. Identities are looked up here and nowhere else."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = with_resources(Transaction.objects.filter(id__in=wanted))
    return {row.id: row for row in rows}


def find_reversals(ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Which transaction took back which: the posted reversals of these ids."""
    wanted = list(ids)
    if not wanted:
        return {}
    found = Transaction.objects.filter(Is("status", value="POSTED"), reverses__in=wanted)
    return {reverses: id for reverses, id in found.values_list("reverses", "id") if reverses}


def find_whole(transactions: QuerySet[Transaction], id: UUID) -> list[Transaction]:
    """The transaction among `transactions`, or both legs when it is one of a transfer, source first.

    Raises `TransactionNotFound`, also when the other leg is not among them.
    """
    rows = list(transactions.filter(id=id))
    if rows and rows[0].transfer:
        rows = sorted(transactions.filter(transfer=rows[0].transfer), key=lambda row: row.type, reverse=True)
        if len(rows) < 2:
            rows = []
    if not rows:
        raise TransactionNotFound(gettext_noop("There is no such transaction."))
    return rows


def find_account_ids(
    accounts: QuerySet[Account], user_ids: Iterable[UUID], name: str = MAIN
) -> dict[UUID, dict[str, UUID]]:
    """The users' accounts of that name among `accounts`: by user, then by currency."""
    found: dict[UUID, dict[str, UUID]] = {}
    named = accounts.filter(user_id__in=list(user_ids), name=name)
    for user_id, currency, id in named.values_list("user_id", "currency", "id"):
        found.setdefault(user_id, {})[currency] = id
    return found


def choose_account_id(
    by_currency: dict[str, UUID], currency: str | None, transaction_id: UUID | None = None
) -> UUID:
    """Out of a user's accounts the one in that currency; without a currency, the only one.

    A command repeated after the user got a second currency still means the account it meant at first:
    `transaction_id` finds it. Raises `AccountNotFound`, `CurrencyRequired`.
    """
    if currency is None and len(by_currency) > 1:
        before = find_transactions([transaction_id] if transaction_id else [])
        for transaction in before.values():
            if transaction.account_id in by_currency.values():
                return transaction.account_id
        raise CurrencyRequired("The user has accounts in several currencies: name one.")
    ids = [id for code, id in by_currency.items() if currency in (None, code)]
    if not ids:
        raise AccountNotFound("There is no such account.")
    return ids[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account held: effective at `at`, as the ledger knew it at `known_at`.

    `held` and `available` are of now only; None for a past moment. `version` is the account's last
    transaction that was known.
    """

    account: Account
    balance: Decimal
    held: Decimal | None
    available: Decimal | None
    version: int
    at: datetime
    known_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """The balance as the API shows it."""
        currency = self.account.currency
        return {
            "user": str(self.account.user_id),
            "account": str(self.account.id),
            "currency": currency,
            "balance": format_amount(self.balance, currency),
            "held": None if self.held is None else format_amount(self.held, currency),
            "available": None if self.available is None else format_amount(self.available, currency),
            "version": self.version,
            "at": format_time(self.at),
            "known_at": format_time(self.known_at),
        }


def read_balance(
    accounts: QuerySet[Account], *, at: datetime | None = None, known_at: datetime | None = None
) -> Balance:
    """The balance of the one account in `accounts`; bounds inclusive, later than now means now.

    Without a moment it is one row read, and `at` is when it was read. An answer for a named moment stays
    true for ever. Raises `AccountNotFound`.
    """
    accounts = accounts.annotate(clock=ClockTimestamp(), held_due=HeldDue(F("id")))  # type: ignore[no-redef]
    account = next(iter(accounts), None)
    if account is None:
        raise AccountNotFound("There is no such account.")
    clock: datetime = account.clock
    if at is None and known_at is None:
        return _current(account, clock)
    if known_at is not None and known_at < clock - SETTLED_AFTER:
        return _read_past(account, min(at or clock, clock), known_at)
    with atomic():
        # Whoever is posting holds the account; once it has committed, nothing before the clock can come.
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM accounts_account WHERE id = %s FOR SHARE", [account.id])
        account = accounts.get()
        clock = account.clock
        at, known_at = min(at or clock, clock), min(known_at or clock, clock)
        if at == known_at == clock:
            return _current(account, clock)
        return _read_past(account, at, known_at)


def read_balance_before(transaction: Transaction) -> Decimal:
    """What its account held when it was decided. All that came before was committed: nothing is locked."""
    if transaction.balance_after is not None:
        return transaction.balance_after - transaction.change
    then = transaction.recorded_at
    return _read_past(transaction.account, then, then).balance


def _current(account: Account, clock: datetime) -> Balance:
    return Balance(
        account=account,
        balance=account.balance,
        held=account.held_now,
        available=account.available,
        version=account.version,
        at=clock,
        known_at=clock,
    )


def _read_past(account: Account, at: datetime, known_at: datetime) -> Balance:
    with connection.cursor() as cursor:
        cursor.execute(BALANCE_AT, {"account": account.id, "at": at, "known_at": known_at})
        version, balance = cursor.fetchone()
    return Balance(
        account=account,
        balance=balance,
        held=None,
        available=None,
        version=version,
        at=at,
        known_at=known_at,
    )


def write_known_version(account: str, known_at: str) -> str:
    """SQL: the account's last version that was known then, 0 without any.

    The account is one of an array, so that only an index that begins with it gives the order: a plan that is
    kept from a small ledger must not go through the rows of all accounts.
    """
    return f"""coalesce((
        SELECT version FROM transactions_transaction
        WHERE account_id = ANY(ARRAY[{account}]) AND recorded_at <= {known_at} AND status = 'POSTED'
        ORDER BY account_id DESC, recorded_at DESC LIMIT 1
    ), 0)"""  # noqa: S608, of names, never of values


def write_balance_at(account: str, at: str, known_version: str) -> str:
    """SQL: the balance effective at that moment, as far as the version that was known.

    The rows that are not late are in the order of both axes, so those effective by then and known are a run
    from the first one to the last effective by then or, when that was not known yet, to the last one known.
    Its `balance_after` holds everything before it; only late rows after it are summed.

    What is nearest is looked for among the rows of all accounts: so only the index in that order is cheap,
    whatever the statistics. `IS TRUE` keeps late rows from being found by their effect, except in a ledger
    that was never analyzed, where a plan may read all late rows of the account.
    """
    return f"""
        SELECT base.balance + coalesce((
            SELECT sum({SIGNED_AMOUNT}) FROM transactions_transaction
            WHERE account_id = {account} AND status = 'POSTED' AND late AND (effective_at <= {at}) IS TRUE
                AND version > base.version AND version <= {known_version}
        ), 0)
        FROM (SELECT 1) AS one
        LEFT JOIN LATERAL (
            SELECT account_id, version, balance_after FROM transactions_transaction
            WHERE (account_id, effective_at) <= ({account}, {at}) AND status = 'POSTED' AND NOT late
            ORDER BY account_id DESC, effective_at DESC, version DESC LIMIT 1
        ) AS effective ON effective.account_id = {account}
        LEFT JOIN LATERAL (
            SELECT account_id, version, balance_after FROM transactions_transaction
            WHERE effective.version > {known_version} AND {known_version} > 0
                AND (account_id, version) <= ({account}, {known_version}) AND version IS NOT NULL AND NOT late
            ORDER BY account_id DESC, version DESC LIMIT 1
        ) AS known ON known.account_id = {account}
        CROSS JOIN LATERAL (
            SELECT CASE WHEN effective.version > {known_version} THEN coalesce(known.version, 0)
                    ELSE coalesce(effective.version, 0) END AS version,
                CASE WHEN effective.version > {known_version} THEN coalesce(known.balance_after, 0)
                    ELSE coalesce(effective.balance_after, 0) END AS balance
        ) AS base"""  # noqa: S608, of names, never of values


BALANCE_AT = f"""
SELECT last.version, ({write_balance_at("%(account)s", "%(at)s", "last.version")})
FROM (SELECT {write_known_version("%(account)s", "%(known_at)s")} AS version OFFSET 0) AS last
"""  # noqa: S608, of names, never of values
