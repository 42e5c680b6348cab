"""What a file says of balances: what was there before its first row, and what is there after each.

A file that says what an account has after some row says, with its rows, what it had before the first. That is
an opening deposit if the ledger knows nothing of that time, and else it must be what the ledger has: then a
next, overlapping file goes on where the last one ended, and one that leaves a gap is found.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain, groupby
from uuid import UUID

from accounts.errors import AccountNotFound
from accounts.models import Is
from ledger.values import MICROSECOND, LastMoment
from transactions import reading
from transactions.exchange import imports
from transactions.exchange.rows import Problem, Row, Staged
from transactions.exchange.staging import Staging
from transactions.models import Transaction

REFERENCE = "opening balance"
DIFFERS = "balance_differs"


class SeveralAccounts(Exception):
    """One balance was given for several accounts."""


def check_balances(staging: Staging, *, source: str | None, given: Decimal | None) -> Iterator[Problem]:
    """Compare what the file says of balances with its rows and with the ledger, and add opening rows.

    `given` is what was on the account of the file before its first row, where the file does not say it; it
    counts once, for an account of which the ledger knows nothing at that time. Raises `SeveralAccounts`.
    """
    openings: list[Row] = []
    accounts = groupby(staging.read_with_balances(all=given is not None), lambda staged: staged.account_id)
    for number, (account_id, rows) in enumerate(accounts, start=1):
        if given is not None and number > 1:
            raise SeveralAccounts
        first = next(rows)
        opening, is_told, problems = _add_up(first, rows, given)
        if not problems and "effective_at" not in first.row.sent:
            detail = "An opening balance is of the time before the rows: this one has no effective_at."
            problems = [Problem(first.row.line, "effective_at", "required", detail)]
        if problems or opening is None:
            yield from problems
            continue
        row = _make_opening(-number, first, opening, source)
        found, is_known = _read_before(account_id, row)
        if is_told and is_known and found != opening:
            detail = (
                f"Before this row the file has {opening:f}, the ledger {found:f}: a file in between is "
                "missing, or files come in another order."
            )
            yield Problem(first.row.line, "balance", DIFFERS, detail)
        elif opening and not is_known:
            openings.append(row)
    for row in openings:
        staging.add(row)


def _add_up(
    first: Staged, others: Iterable[Staged], given: Decimal | None
) -> tuple[Decimal | None, bool, list[Problem]]:
    """What was there before the first row, None if nobody says it; whether the file does; and the first
    balance of it that is wrong."""
    opening, is_told, moved = given, False, Decimal(0)
    problems: list[Problem] = []
    for row in (staged.row for staged in chain((first,), others)):
        moved += row.sent["amount"] if row.sent["type"] == Transaction.Type.DEPOSIT else -row.sent["amount"]
        if row.balance is None or problems:
            continue
        is_told = True
        if opening is None:
            opening = row.balance - moved
        if row.balance != opening + moved:
            detail = (
                f"The file says {row.balance:f}, its rows come to {opening + moved:f}: a row before is "
                "missing or of another amount, or the rows stand in another order than is said."
            )
            problems.append(Problem(row.line, "balance", DIFFERS, detail))
    return opening, is_told, problems


def _make_opening(line: int, first: Staged, amount: Decimal, source: str | None) -> Row:
    """The row that has the opening balance right before the first one: of days, at the end of the day before.

    One for each account and source, for ever.
    """
    named, effective_at = first.row.named, first.row.sent["effective_at"]
    begins_at = effective_at.begins_at if isinstance(effective_at, LastMoment) else None
    key = "\x1f".join(("opening", named.kind, named.who, first.currency, named.name))
    sent = {
        "type": Transaction.Type.DEPOSIT if amount >= 0 else Transaction.Type.WITHDRAW,
        "amount": abs(amount),
        "effective_at": (begins_at or effective_at) - MICROSECOND,
        "reference": REFERENCE,
    }
    return Row(line, named, imports.derive_id(source or "", key), sent)


def _read_before(account_id: UUID, opening: Row) -> tuple[Decimal, bool]:
    """What the account has at the moment of its opening, and whether the ledger knows anything of it until
    then, or that opening, of whatever moment."""
    moment = opening.sent["effective_at"]
    try:
        balance = reading.read_balance_at(account_id, at=moment, known_at=None).balance
    except AccountNotFound:
        return Decimal(0), False
    posted = Transaction.objects.filter(Is("status", value="POSTED"))
    is_known = posted.filter(account_id=account_id, effective_at__lte=moment).exists()
    return balance, is_known or posted.filter(id=opening.id).exists()
