"""How much may leave an account: by its hold, by its own limits, and by what there is."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from accounts.currencies import format_amount
from accounts.errors import INSUFFICIENT_FUNDS, LIMIT_EXCEEDED
from accounts.models import Hold
from ledger.values import format_time
from transactions import errors
from transactions.posting.state import AccountState, State

if TYPE_CHECKING:
    from transactions.posting.legs import Leg

Decline = tuple[str, dict[str, Any]]  # why the ledger answers no, for ever, and the extensions of the rule


def find_limit(leg: "Leg", account: AccountState, day: date, hold: Hold | None) -> Decline | None:
    """What the hold and the account's own limits say; a reversal is no withdrawal of the user's."""

    def exceed(rule: str, limit: Decimal, **extensions: Decimal) -> Decline:
        extensions |= {"limit": limit, "required": leg.amount}
        amounts = {name: format_amount(value, account.currency) for name, value in extensions.items()}
        return LIMIT_EXCEEDED, {"rule": rule, **amounts}

    if hold and leg.amount > hold.remaining:
        return exceed("hold", hold.remaining)
    if leg.reverses:
        return None
    if account.withdraw_max is not None and leg.amount > account.withdraw_max:
        return exceed("withdraw_max", account.withdraw_max)
    if account.withdraw_day_max is not None:
        withdrawn = find_withdrawn(account, day)
        if withdrawn + leg.amount > account.withdraw_day_max:
            return exceed("withdraw_day_max", account.withdraw_day_max, withdrawn=withdrawn)
    return None


def find_withdrawn(account: AccountState, day: date) -> Decimal:
    """What was withdrawn from the account before, on that UTC day."""
    return account.withdrawn if account.withdrawn_on == day else Decimal(0)


def find_lack_of_funds(
    leg: "Leg", account: AccountState, state: State, late_at: datetime | None, hold: Hold | None
) -> Decline | None:
    """Whether the money is there: now, and at the end of every instant from a backdated one on."""

    def extensions(available: Decimal) -> dict[str, str]:
        return {
            "available": format_amount(available, account.currency),
            "required": format_amount(leg.amount, account.currency),
        }

    available = account.available + (leg.amount if hold else 0)  # a capture spends what is held for it
    if leg.amount > available:
        return INSUFFICIENT_FUNDS, extensions(available)
    if late_at is not None:
        broken = state.find_broken(account, late_at, leg.amount, state.rows)
        if broken:
            instant, balance = broken
            return errors.INSUFFICIENT_FUNDS_AT, {
                "instant": format_time(instant),
                **extensions(balance + account.credit_limit),
            }
    return None
