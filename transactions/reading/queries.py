"""Transactions and accounts by their ids, and the SQL of balances at any moment of both time axes."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db.models import Func, QuerySet, TextField

from accounts.currencies import get_decimals
from accounts.errors import AccountNotFound, CurrencyRequired, UserNotFound
from accounts.models import CLAIMS_MAX, MAIN, Account, Hold, Kind, MoneyField, make_row
from events.models import Resource
from ledger.errors import gettext_noop
from ledger.sql import fetch
from transactions.errors import TransactionNotFound
from transactions.models import TABLE, Transaction

NO_TRANSACTION = gettext_noop("There is no such transaction.")
# A recorded moment is stamped before its commit; older than this, nothing is in flight any more.
SETTLED_AFTER = timedelta(seconds=10)
# The transaction that has just begun reads one moment. Not inside another one.
ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# And it may take its time.
SNAPSHOT = f"""
{ONE_MOMENT};
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL enable_seqscan = on  -- it reads whole tables
"""


# What of a transaction has been taken back, by its id and transfer: how much, and by which, oldest first.
# What else counts as taken back counts here, in TAKEN_BACK and in the database's `ledger_sum_taken_back`.
# A claim names a transfer by the id of all of it, and then counts for both of its legs.
PARTS = """(
    SELECT reversal.id, reversal.amount, reversal.recorded_at AS at
    FROM transactions_transaction AS reversal
    WHERE reversal.reverses = {0} AND reversal.status = 'POSTED'
    UNION ALL
    SELECT claim.id, claim.amount, claim.created_at FROM accounts_claim AS claim
    WHERE claim.status <> 'DECLINED' AND claim.reverses = coalesce({1}, {0})
)"""
AMOUNT = "coalesce(sum(part.amount), 0)"
IN_ORDER = "coalesce(array_agg(part.id::text ORDER BY part.at, part.id), '{}')"
OF_ROW = PARTS.format("row.id", "row.transfer")
TAKEN_BACK_OF_ROW = f"(SELECT {AMOUNT} AS reversed, {IN_ORDER} AS reversed_by FROM {OF_ROW} AS part)"  # noqa: S608
OF_EXPRESSIONS = f"""
FROM (SELECT %(expressions)s) AS row (id, transfer), LATERAL {OF_ROW} AS part)"""


class AmountTakenBack(Func):
    template = f"(SELECT {AMOUNT} {OF_EXPRESSIONS}"
    output_field = MoneyField()


class TakenBackBy(Func):
    template = f"(SELECT {IN_ORDER} {OF_EXPRESSIONS}"
    output_field = ArrayField(TextField())


class TakenBack(NamedTuple):
    """What has been taken back of a transaction: how much of its amount, and by which one at last."""

    amount: Decimal = Decimal(0)
    by: UUID | None = None


NOTHING = TakenBack()
TAKEN_BACK = f"""
SELECT taken.id, sum(part.amount), (array_agg(part.id ORDER BY part.at DESC, part.id DESC))[1]
FROM unnest(%s::uuid[]) AS asked (id), LATERAL (
    SELECT id, transfer FROM transactions_transaction WHERE id = asked.id OFFSET 0
) AS taken, LATERAL {PARTS.format("taken.id", "taken.transfer")} AS part
GROUP BY taken.id
"""  # noqa: S608, of constants


def with_resources(transactions: QuerySet[Transaction]) -> QuerySet[Transaction]:
    """The transactions with all that `to_dict` reads."""
    taken_back = {
        "reversed": AmountTakenBack("id", "transfer"),
        "reversed_by": TakenBackBy("id", "transfer"),
    }
    return transactions.select_related("account").annotate(**taken_back)


def get_transactions(ids: Collection[UUID]) -> dict[UUID, Transaction]:
    """The decided transactions of these ids, with what was taken back, and the account's user and currency.

    What else there is of a row, and its account, Django reads when somebody asks for it.
    """
    found = {}
    for values in fetch(BY_ID, [list(ids)]):
        row = _make_transaction(values)
        found[row.id] = row
    return found


def _make_transaction(values: Sequence[Any]) -> Transaction:
    """Of a row of `BY_ID` or `BY_NUMBER`."""
    names = ("user_id", "currency", "reversed", "reversed_by", *OBJECTS, *COLUMNS)
    known = dict(zip(names, values, strict=True))
    known |= {name: known[name] and orjson.loads(known[name]) for name in OBJECTS}
    return make_row(Transaction, known, is_stored=True)


def read_resources(keys: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], Resource]:
    """What events tell of the transactions with these accounts and numbers: each as it was decided."""
    accounts, numbers = zip(*keys, strict=True)
    found = {}
    for values in fetch(BY_NUMBER, [list(accounts), list(numbers)]):
        row = _make_transaction(values)
        found[row.account_id, row.seq] = Resource(row.to_dict(), row.actor, row.actor_kind, row.request_id)
    return found


def find_transactions(ids: Iterable[UUID]) -> dict[UUID, Transaction]:
    """The decided transactions of these ids, whole and with their accounts. Identities are looked up here and
    in `get_transactions`, and nowhere else."""
    return {row.id: row for row in with_resources(Transaction.objects.filter(id__in=list(ids)))}


def find_taken_back(ids: Iterable[UUID]) -> dict[UUID, TakenBack]:
    """What has been taken back of the transactions of these ids; of one that is missing nothing has."""
    return {id: TakenBack(amount, by) for id, amount, by in fetch(TAKEN_BACK, [list(ids)])}


def find_collections(cause: UUID, rows: Sequence[Transaction]) -> list[Transaction]:
    """What was collected on the accounts of the rows because of the command, which has made them."""
    after = {row.account_id: row.seq for row in sorted(rows, key=lambda row: row.seq)}
    found: list[Transaction] = []
    while after:
        page = list(map(_make_transaction, fetch(COLLECTED, [list(after), list(after.values()), cause])))
        found += page
        after = {id: after[id] + CLAIMS_MAX for id in {row.account_id for row in page}}
    found = [row for row in found if row.type == Transaction.Type.WITHDRAW]
    return sorted(found, key=lambda row: row.recorded_at)


def find_whole(transactions: QuerySet[Transaction], id: UUID) -> list[Transaction]:
    """The transaction among `transactions`, or both legs when it is one of a transfer, source first.

    Raises `TransactionNotFound`, also when the other leg is not among them.
    """
    rows = list(transactions.filter(id=id))
    if rows and rows[0].transfer:
        rows = sorted(transactions.filter(transfer=rows[0].transfer), key=lambda row: row.type, reverse=True)
    if not rows or (rows[0].transfer and len(rows) < 2):
        raise TransactionNotFound(NO_TRANSACTION)
    return rows


def find_wholes(transactions: QuerySet[Transaction], ids: Collection[UUID]) -> dict[UUID, list[Transaction]]:
    """As `find_whole`, of many: by the ids. What is not among them, or not whole, is missing."""
    named = {row.id: row for row in transactions.filter(id__in=list(ids))}
    legs: dict[UUID, list[Transaction]] = {}
    transfers = [row.transfer for row in named.values() if row.transfer]
    for row in transactions.filter(transfer__in=transfers).order_by("-type") if transfers else ():
        legs.setdefault(row.transfer or row.id, []).append(row)
    wholes = {id: legs[row.transfer] if row.transfer else [row] for id, row in named.items()}
    return {id: rows for id, rows in wholes.items() if not rows[0].transfer or len(rows) == 2}


def find_batch_rows(batch_id: UUID) -> list[Transaction]:
    """All that a list has made of transactions, with all that `to_dict` reads, in the order of recording."""
    rows = with_resources(Transaction.objects.filter(batch=batch_id))
    return list(rows.order_by("recorded_at", "id"))


def find_batch_collections(batch_id: UUID) -> list[Transaction]:
    """What the list has taken for claims, in the order of recording."""
    rows = with_resources(
        Transaction.objects.filter(batch=batch_id, claim__isnull=False, type=Transaction.Type.WITHDRAW)
    )
    return list(rows.order_by("recorded_at", "id"))


def find_account_ids(
    accounts: QuerySet[Account], user_ids: Iterable[UUID], name: str = MAIN
) -> dict[UUID, dict[str, UUID]]:
    """The users' accounts of that name among `accounts`: by user, then by currency."""
    found: dict[UUID, dict[str, UUID]] = {}
    for user_id, currency, id in accounts.filter(user_id__in=list(user_ids), name=name).values_list(
        "user_id", "currency", "id"
    ):
        found.setdefault(user_id, {})[currency] = id
    return found


def choose_account_id(
    by_currency: dict[str, UUID], currency: str | None, command_id: UUID | None = None
) -> UUID:
    """Out of a user's accounts the one in that currency; without a currency, the only one.

    A command repeated after the user got a second currency still means the account it meant at first:
    `command_id`, of a transaction or a hold, finds it. Everybody has an account: without any it raises
    `UserNotFound`, else `CurrencyRequired`, `CurrencyUnknown`, `AccountNotFound`.
    """
    if currency is None and len(by_currency) > 1:
        asked = [command_id] if command_id else []
        decided = [row.account_id for row in find_transactions(asked).values()]
        decided += [hold.account_id for hold in Hold.objects.filter(id__in=asked)]
        if meant := [id for id in by_currency.values() if id in decided]:
            return meant[0]
        raise CurrencyRequired("The user has accounts in several currencies: name one.")
    ids = [id for code, id in by_currency.items() if currency in (None, code)]
    if ids:
        return ids[0]
    if not by_currency:
        raise UserNotFound("There is no such user.")
    get_decimals(currency or "")
    raise AccountNotFound(f"The user has accounts in {', '.join(by_currency)}.").about("currency")


def write_known(account: str, known_at: str) -> str:
    """SQL: `seq` and `version` of the account's last posted row that was known then; no row without any.

    The account is one of an array, so that only an index that begins with it gives the order: a plan that is
    kept from a small ledger must not go through the rows of all accounts.
    """
    return f"""
        SELECT seq, version FROM transactions_transaction
        WHERE account_id = ANY(ARRAY[{account}]) AND recorded_at <= {known_at} AND status = 'POSTED'
        ORDER BY account_id DESC, recorded_at DESC LIMIT 1"""  # noqa: S608, of names, never of values


def write_balance_at(account: str, at: str, known_seq: str) -> str:
    """SQL: the balance effective at that moment, as far as the row that was known.

    The rows that are not late are in the order of both axes, so those effective by then and known are a run
    from the first one to the last effective by then or, when that was not known yet, to the last one known.
    Its `balance_after` holds everything before it; only late rows after it are summed.

    What is nearest is looked for among the rows of all accounts: so only the index in that order is cheap,
    whatever the statistics. `IS TRUE` keeps late rows from being found by their effect, except in a ledger
    that was never analyzed, where a plan may read all late rows of the account.
    """
    return f"""
        SELECT base.balance + coalesce((
            SELECT sum(change) FROM transactions_transaction
            WHERE account_id = {account} AND status = 'POSTED' AND late AND (effective_at <= {at}) IS TRUE
                AND seq > base.seq AND seq <= {known_seq}
        ), 0)
        FROM (SELECT 1) AS one
        LEFT JOIN LATERAL (
            SELECT account_id, seq, balance_after FROM transactions_transaction
            WHERE (account_id, effective_at) <= ({account}, {at}) AND status = 'POSTED' AND NOT late
            ORDER BY account_id DESC, effective_at DESC, seq DESC LIMIT 1
        ) AS effective ON effective.account_id = {account}
        LEFT JOIN LATERAL (
            SELECT account_id, seq, balance_after FROM transactions_transaction
            WHERE effective.seq > {known_seq} AND {known_seq} > 0
                AND (account_id, seq) <= ({account}, {known_seq}) AND status = 'POSTED' AND NOT late
            ORDER BY account_id DESC, seq DESC LIMIT 1
        ) AS known ON known.account_id = {account}
        CROSS JOIN LATERAL (
            SELECT CASE WHEN effective.seq > {known_seq} THEN coalesce(known.seq, 0)
                    ELSE coalesce(effective.seq, 0) END AS seq,
                CASE WHEN effective.seq > {known_seq} THEN coalesce(known.balance_after, 0)
                    ELSE coalesce(effective.balance_after, 0) END AS balance
        ) AS base"""  # noqa: S608, of names, never of values


COLUMNS = [column.column for column in TABLE.stored if column.kind not in (Kind.OBJECT, Kind.HASH)]
COLUMNS.append("change")
OBJECTS = [column.column for column in TABLE.stored if column.kind is Kind.OBJECT]
# Each row is looked up by itself, for the reason that `reading.balances` gives.
ACCOUNT = "(SELECT user_id, currency FROM accounts_account WHERE id = row.account_id OFFSET 0) AS account"
BY_ID = f"""
SELECT account.user_id, account.currency, taken.reversed, taken.reversed_by,
    {", ".join(f"row.{name}" for name in (*OBJECTS, *COLUMNS))}
FROM unnest(%s::uuid[]) AS asked(id),
    LATERAL (SELECT * FROM transactions_transaction WHERE id = asked.id OFFSET 0) AS row, LATERAL {ACCOUNT},
    LATERAL {TAKEN_BACK_OF_ROW} AS taken
"""  # noqa: S608
# As they were decided: nobody had taken them back yet. In the order of the key, so that no other index that
# begins with the account is as cheap.
BY_NUMBER = f"""
SELECT account.user_id, account.currency, 0::numeric, '{{}}'::text[],
    {", ".join(f"row.{name}" for name in (*OBJECTS, *COLUMNS))}
FROM unnest(%s::uuid[], %s::bigint[]) AS asked (account_id, seq), LATERAL (
    SELECT * FROM transactions_transaction AS t
    WHERE t.account_id = asked.account_id AND t.seq >= asked.seq ORDER BY t.seq LIMIT 1
) AS row, LATERAL {ACCOUNT} WHERE row.seq = asked.seq
"""  # noqa: S608
# They follow the rows of their unit; so many at a time.
COLLECTED = f"""
SELECT account.user_id, account.currency, 0::numeric, '{{}}'::text[],
    {", ".join(f"row.{name}" for name in (*OBJECTS, *COLUMNS))}
FROM unnest(%s::uuid[], %s::bigint[]) AS asked (account_id, seq), LATERAL (
    SELECT * FROM transactions_transaction AS t
    WHERE t.account_id = asked.account_id AND t.seq > asked.seq AND t.seq <= asked.seq + {CLAIMS_MAX}
        AND t.claim IS NOT NULL AND t.actor_kind = 'ledger' AND t.actor = %s
    OFFSET 0
) AS row, LATERAL {ACCOUNT} ORDER BY row.recorded_at
"""  # noqa: S608
