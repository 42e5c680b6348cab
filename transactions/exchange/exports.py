"""What leaves the ledger: statements as tables, and the journal for hledger, which adds it all up again.

All of it comes piece by piece, so that memory stays small.
"""

import csv
import re
from collections import namedtuple
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby, starmap
from operator import attrgetter
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.db import connection
from django.db.transaction import atomic

from accounts.currencies import format_amount
from accounts.models import Account
from accounts.operations import read_clock
from ledger.values import escape_formula, format_time
from transactions.reading import queries, statements

ROWS_AT_ONCE = 1000
OUTSIDE = "outside"  # where money comes from and goes to


class Echo:
    """A file that hands back what is written: a CSV writer then gives each row as text."""

    def write(self, text: str) -> str:
        return text


def write_statement(statement: statements.Statement) -> Iterator[str]:
    """The lines as CSV between the two balances, which stand in lines of their own."""
    writer = csv.DictWriter(Echo(), statements.LINE, restval="")

    def write(line: dict[str, str]) -> Any:
        return writer.writerow({**line, "reference": escape_formula(line.get("reference", ""))})

    yield writer.writeheader() + write(
        {"type": "OPENING", "balance": statement.as_opening()["opening_balance"]}
    )
    for line in statement.read_lines():
        yield write(line)
    yield write({"type": "CLOSING", "balance": statement.as_closing()["closing_balance"]})


def write_journal(*, first_day: date | None = None, last_day: date | None = None) -> Iterator[str]:
    """The posted transactions effective on those days (UTC, inclusive) in hledger's format.

    They stand in the order of their effect, each with the balance right after it, which hledger compares with
    its own: it goes by day, then by place in the file, which is the same order. A transfer is one transaction
    of both accounts. What was on an account before the first day stands before it.
    """
    bounds = {
        "since": statements.find_start(first_day, UTC) if first_day else None,
        "beyond": statements.find_start(last_day + timedelta(days=1), UTC) if last_day else None,
    }
    with atomic(), connection.cursor() as cursor:
        cursor.execute(queries.SNAPSHOT)
        yield f"; The ledger as of {format_time(read_clock())}. Days are in UTC.\ndecimal-mark .\n"
        used = Account._base_manager.filter(version__gt=0)
        for currency in sorted(used.values_list("currency", flat=True).distinct()):
            point = "" if "." in format_amount(Decimal(1000), currency) else "."
            yield f"commodity {_write(Decimal(1000), currency).replace(' ', point + ' ', 1)}\n"
        yield f"account {OUTSIDE}\n"
        named = used.order_by("user_id", "currency", "name").values_list("user_id", "currency", "name")
        for account in named.iterator(chunk_size=ROWS_AT_ONCE):
            yield f"account {name_account(*account)}\n"
        if first_day:
            yield from _write_opening(first_day, bounds)
        for _, entries in groupby(_read(JOURNAL, bounds), key=attrgetter("movement")):
            yield _write_transaction(list(entries))


OPENING = """
SELECT user_id, currency, name, sum(change) AS balance
FROM transactions_transaction AS row JOIN accounts_account AS account ON account.id = row.account_id
WHERE row.status = 'POSTED' AND effective_at < %(since)s::timestamptz
GROUP BY account.id ORDER BY user_id, currency, name
"""
# `movement` is the transfer or the transaction itself; `balance` is that of its account after it, in order of
# effect. An account's rows are recorded in the order of their numbers; a transfer's legs at one moment.
JOURNAL = """
SELECT coalesce(transfer, row.id) AS movement, row.id, change, effect AS balance, effective_at, type,
    reference, transfer, reverses, hold, user_id, currency, name
FROM (
    SELECT *, sum(change) OVER (PARTITION BY account_id ORDER BY effective_at, seq) AS effect
    FROM (
        SELECT id, account_id, seq, effective_at, recorded_at, type, reference, transfer, reverses, hold,
            change
        FROM transactions_transaction
        WHERE status = 'POSTED' AND (effective_at < %(beyond)s::timestamptz) IS NOT FALSE
    ) AS posted
) AS row JOIN accounts_account AS account ON account.id = row.account_id
WHERE (effective_at >= %(since)s::timestamptz) IS NOT FALSE
ORDER BY effective_at, recorded_at, coalesce(transfer, row.id), type DESC
"""


def _read(query: str, values: dict[str, datetime | None]) -> Iterator[Any]:
    """The rows, with their columns by name."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, values)
        row = namedtuple("row", [column.name for column in cursor.description])  # type: ignore[misc]
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from starmap(row, rows)


def _write_opening(first_day: date, bounds: dict[str, datetime | None]) -> Iterator[str]:
    """One transaction for each account, all before the first day."""
    day = first_day - timedelta(days=1)
    for user, currency, name, balance in _read(OPENING, bounds):
        if balance:
            account, amount = name_account(user, currency, name), _write(balance, currency)
            yield f"\n{day} OPENING\n    {account}  {amount} = {amount}\n    {OUTSIDE}\n"


def _write_transaction(entries: list[Any]) -> str:
    """A movement from or to outside, or a transfer. The reference is the last tag of the first line."""
    first = entries[0]
    kind = "TRANSFER" if first.transfer else first.type
    tags = {
        "effective_at": format_time(first.effective_at),
        "transfer": first.transfer,
        "hold": first.hold,
        "reference": _escape(first.reference, _is_plain),
    }
    lines = [f"\n{first.effective_at.astimezone(UTC).date()} {kind}  ; {_write_tags(tags)}\n"]
    for entry in entries:
        account = name_account(entry.user_id, entry.currency, entry.name)
        amount, balance = _write(entry.change, entry.currency), _write(entry.balance, entry.currency)
        tags = {"transaction": entry.id, "reverses": entry.reverses}
        lines.append(f"    {account}  {amount} = {balance}  ; {_write_tags(tags)}\n")
    if not first.transfer:
        lines.append(f"    {OUTSIDE}  {_write(-first.change, first.currency)}\n")
    return "".join(lines)


def _write_tags(tags: dict[str, Any]) -> str:
    return ", ".join(f"{tag}:{value}" for tag, value in tags.items() if value)


def _write(amount: Decimal, currency: str) -> str:
    """`1234.50 USD`; a code that is not letters only stands in quotes."""
    code = currency if currency.isalpha() else f'"{currency}"'
    return f"{format_amount(amount, currency)} {code}"


def name_account(user: UUID, currency: str, name: str) -> str:
    """`users:<id>:USD:main`, another for each account: what hledger would read otherwise is in per cents."""
    return f"users:{user}:{_escape(currency, _is_word)}:{_escape(name, _is_word)}"


def _escape(text: str, is_safe: Callable[[str], bool]) -> str:
    """Per cent codes for what is not safe, and for spaces at the ends or in a row; `unquote` reads it."""
    kept = "".join(char if is_safe(char) else quote(char, safe="") for char in text)
    return re.sub(r"\A | (?= )| \Z", "%20", kept)


def _is_word(char: str) -> bool:
    return char.isalnum() or char in " ._-"


def _is_plain(char: str) -> bool:
    """Whether it can stand in a comment: a comma ends a tag, and a date in brackets would be one."""
    return char.isprintable() and char not in "%,;:[]"
