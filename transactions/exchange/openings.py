"""What a file says of balances: what was there before its first row, and what is there after each.

A file that says what an account has after some row says, with its rows, what it had before the first. That is
an opening deposit if the ledger knows nothing of that time, and else it must be what the ledger has: then a
next, overlapping file goes on where the last one ended, and one that leaves a gap is found.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
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
        moment = row.sent["effective_at"]
        found, is_known = _read_balance(account_id, moment)
        earlier = Transaction.objects.filter(id=row.id).first()
        if earlier and earlier.effective_at > moment:
            detail = "The opening balance of this account is of a later moment: files come in another order."
            yield Problem(first.row.line, "balance", DIFFERS, detail)
        elif is_told and is_known and found != opening:
            detail = (
                f"Before this row the file has {opening:f}, the ledger {found.normalize():f}: a file in "
                "between is missing, or something was posted that is in none."
            )
            yield Problem(first.row.line, "balance", DIFFERS, detail)
        elif opening and not is_known:
            openings.append(row)
    for row in openings:
        staging.add(row)


def check_ends(staging: Staging) -> Iterator[Problem]:
    """Compare the last balance that the file tells of each account with what the ledger will have then.

    To be called when it is known which rows are in the ledger already.
    """
    for account_id, rows in groupby(staging.read_with_balances(all=False), lambda staged: staged.account_id):
        told: Row | None = None
        new = new_until_then = expected = Decimal(0)
        for staged in rows:
            row, change = staged.row, _find_change(staged.row)
            new += 0 if staged.is_decided else change
            if row.balance is not None:
                told, expected, new_until_then = row, row.balance, new
            elif told and row.sent.get("effective_at") == told.sent["effective_at"]:
                expected, new_until_then = expected + change, new
        if told is None:
            continue
        found, _ = _read_balance(account_id, told.sent["effective_at"])
        found += new_until_then
        if found != expected:
            detail = (
                f"With this file the ledger would have {found.normalize():f} then, and not {expected:f}: "
                "rows came under other keys before, or something was posted that is in no file."
            )
            yield Problem(told.line, "balance", DIFFERS, detail)


def _find_change(row: Row) -> Decimal:
    amount: Decimal = row.sent["amount"]
    return amount if row.sent["type"] == Transaction.Type.DEPOSIT else -amount


def _add_up(
    first: Staged, others: Iterable[Staged], given: Decimal | None
) -> tuple[Decimal | None, bool, list[Problem]]:
    """What was there before the first row, None if nobody says it; whether the file does; and the first
    balance of it that is wrong."""
    opening, is_told, moved = given, False, Decimal(0)
    problems: list[Problem] = []
    for row in (staged.row for staged in chain((first,), others)):
        moved += _find_change(row)
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


def _read_balance(account_id: UUID, moment: datetime) -> tuple[Decimal, bool]:
    """What the account has at the moment, and whether the ledger knows anything of it until then."""
    try:
        balance = reading.read_balance_at(account_id, at=moment, known_at=None).balance
    except AccountNotFound:  # it is yet to be made
        return Decimal(0), False
    posted = Transaction.objects.filter(Is("status", value="POSTED"), account_id=account_id)
    return balance, posted.filter(effective_at__lte=moment).exists()
