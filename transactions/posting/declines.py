"""What makes the ledger answer no, for ever: the rules that depend on the state of an account or a hold."""

from datetime import date
from decimal import Decimal

from accounts.currencies import format_amount
from accounts.errors import ACCOUNT_CLOSED, ACCOUNT_FROZEN, INSUFFICIENT_FUNDS, LIMIT_EXCEEDED
from accounts.models import BALANCE_MAX, Account, Hold
from ledger.values import format_time
from transactions import errors
from transactions.models import Transaction
from transactions.posting.state import AccountState, State

Decline = tuple[str, dict[str, str]]


def find_decline(
    row: Transaction,
    account: AccountState,
    state: State,
    *,
    hold: Hold | None = None,
    expected_version: int | None = None,
) -> Decline | None:
    """Why the row cannot be posted, with the extensions, or None. `hold` is the one that it captures."""
    if expected_version is not None and expected_version != account.version:
        return errors.VERSION_MISMATCH, {
            "expected_version": str(expected_version),
            "version": str(account.version),
        }
    if account.status == Account.Status.CLOSED:
        return ACCOUNT_CLOSED, {}
    if row.reverses and row.reverses in state.reversed_by:
        return errors.ALREADY_REVERSED, {"reversed_by": str(state.reversed_by[row.reverses])}
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
    return _find_limit(row, account, hold) or _find_lack_of_funds(row, account, hold, state)


def _find_limit(row: Transaction, account: AccountState, hold: Hold | None) -> Decline | None:
    """What the hold and the account's own limits say; a reversal is no withdrawal of the user's."""

    def exceed(rule: str, limit: Decimal, **extensions: Decimal) -> Decline:
        extensions |= {"limit": limit, "required": row.amount}
        amounts = {name: format_amount(value, account.currency) for name, value in extensions.items()}
        return LIMIT_EXCEEDED, {"rule": rule, **amounts}

    if hold and row.amount > hold.remaining:
        return exceed("hold", hold.remaining)
    if row.reverses:
        return None
    if account.withdraw_max is not None and row.amount > account.withdraw_max:
        return exceed("withdraw_max", account.withdraw_max)
    if account.withdraw_day_max is not None:
        withdrawn = find_withdrawn(account, row.recorded_at.date())
        if withdrawn + row.amount > account.withdraw_day_max:
            return exceed("withdraw_day_max", account.withdraw_day_max, withdrawn=withdrawn)
    return None


def find_withdrawn(account: AccountState, day: date) -> Decimal:
    """What was withdrawn from the account before, on that UTC day."""
    return account.withdrawn if account.withdrawn_on == day else Decimal(0)


def _find_lack_of_funds(
    row: Transaction, account: AccountState, hold: Hold | None, state: State
) -> Decline | None:

    def extensions(available: Decimal) -> dict[str, str]:
        return {
            "available": format_amount(available, account.currency),
            "required": format_amount(row.amount, account.currency),
        }

    available = account.available + (row.amount if hold else 0)  # a capture spends what is held for it
    if row.amount > available:
        return INSUFFICIENT_FUNDS, extensions(available)
    if row.late:
        broken = state.find_broken(account, row.effective_at, row.amount, state.rows)
        if broken:
            instant, balance = broken
            return errors.INSUFFICIENT_FUNDS_AT, {
                "instant": format_time(instant),
                **extensions(balance + account.credit_limit),
            }
    return None
