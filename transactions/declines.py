"""What makes the ledger answer no, for ever: the rules that depend on the state of an account or a hold."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from accounts.currencies import format_amount
from accounts.errors import ACCOUNT_CLOSED, ACCOUNT_FROZEN, INSUFFICIENT_FUNDS, LIMIT_EXCEEDED
from accounts.models import BALANCE_MAX, Account, Hold
from events.wire import format_time
from transactions import errors, ledger_sql
from transactions.models import Transaction
from transactions.orders import Order

Decline = tuple[str, dict[str, str]]


def find_decline(
    order: Order,
    row: Transaction,
    account: Account,
    hold: Hold | None,
    *,
    reversals: Mapping[UUID, UUID],
    unwritten: Sequence[Transaction],
) -> Decline | None:
    """Why the row cannot be posted, with the particulars, or None. `hold` is the one that it captures.

    `reversals` are the transactions that were taken back, and by which; `unwritten` are the rows that were
    decided before in the same posting.
    """
    if order.expected_version is not None and order.expected_version != account.version:
        return errors.VERSION_MISMATCH, {
            "expected_version": str(order.expected_version),
            "version": str(account.version),
        }
    if account.status == Account.Status.CLOSED:
        return ACCOUNT_CLOSED, {}
    if row.reverses and row.reverses in reversals:
        return errors.ALREADY_REVERSED, {"reversed_by": str(reversals[row.reverses])}
    if row.type == Transaction.Type.DEPOSIT:
        if account.balance + row.amount > BALANCE_MAX:
            return errors.BALANCE_LIMIT_EXCEEDED, {
                "balance": format_amount(account.balance, account.currency),
                "limit": format_amount(BALANCE_MAX, account.currency),
            }
        return None
    if hold and hold.status != Hold.Status.OPEN:
        return errors.HOLD_NOT_OPEN, {"hold_status": hold.status}
    if account.status == Account.Status.FROZEN:
        return ACCOUNT_FROZEN, {}
    return _find_limit(row, account, hold) or _find_lack_of_funds(row, account, hold, unwritten)


def _find_limit(row: Transaction, account: Account, hold: Hold | None) -> Decline | None:
    """What the hold and the account's own limits say; a reversal is no withdrawal of the user's."""

    def exceed(rule: str, limit: Decimal, **particulars: Decimal) -> Decline:
        particulars |= {"limit": limit, "required": row.amount}
        amounts = {name: format_amount(value, account.currency) for name, value in particulars.items()}
        return LIMIT_EXCEEDED, {"rule": rule, **amounts}

    if hold and row.amount > hold.remaining:
        return exceed("hold", hold.remaining)
    if row.reverses:
        return None
    if account.withdraw_max is not None and row.amount > account.withdraw_max:
        return exceed("withdraw_max", account.withdraw_max)
    if account.withdraw_day_max is not None:
        withdrawn = find_withdrawn(row, account)
        if withdrawn + row.amount > account.withdraw_day_max:
            return exceed("withdraw_day_max", account.withdraw_day_max, withdrawn=withdrawn)
    return None


def find_withdrawn(row: Transaction, account: Account) -> Decimal:
    """What was withdrawn from the account before, on the UTC day of the row."""
    return account.withdrawn if account.withdrawn_on == row.recorded_at.date() else Decimal(0)


def _find_lack_of_funds(
    row: Transaction, account: Account, hold: Hold | None, unwritten: Sequence[Transaction]
) -> Decline | None:

    def particulars(available: Decimal) -> dict[str, str]:
        return {
            "available": format_amount(available, account.currency),
            "required": format_amount(row.amount, account.currency),
        }

    available = account.available + (row.amount if hold else 0)  # a capture spends what is held for it
    if row.amount > available:
        return INSUFFICIENT_FUNDS, particulars(available)
    if row.late:
        broken = ledger_sql.find_broken_instant(account, row.effective_at, row.amount, unwritten)
        if broken:
            instant, balance = broken
            return errors.INSUFFICIENT_FUNDS_AT, {
                "instant": format_time(instant),
                **particulars(balance + account.credit_limit),
            }
    return None
