"""Crossings: the thresholds on whose other side a unit has left its account, each told by one event."""

from typing import Any
from uuid import UUID

from accounts.currencies import format_amount
from accounts.models import Threshold, replace_row
from events import outbox
from transactions.posting.state import AccountState, Decision, State

FELL, ROSE = "balance.fell_below", "balance.rose_above"


def find_crossings(account: AccountState, state: State) -> Decision | None:
    """What is told of the account, if its figures are not between its nearest thresholds any more.

    First of the thresholds that it fell below, from the highest down, then of those that it reached, from the
    lowest up. Where it was in between, within the unit, does not count.
    """
    if account.nearest is None or lies_between(account):
        return None
    has = {"balance": account.balance, "available": account.available}
    crossed = [each for each in state.get_thresholds(account) if each.is_missed(**has) != each.below]
    # Whoever has fallen below two hears of the higher one first, and so in the other direction.
    crossed.sort(key=lambda each: (each.below, each.amount if each.below else -each.amount, each.of))
    changed: dict[UUID, Threshold | None] = {}
    events = []
    since = max(account.last_recorded_at, state.clock)  # as the events that tell it
    for sequence, before in enumerate(crossed, account.event_sequence + 1):
        after = replace_row(before, below=not before.below, since=since, event_sequence=sequence)
        changed[after.id] = after
        told = outbox.Told(_describe(after, account), {"below": before.below}, "", account.user_id, ())
        events.append((FELL if after.below else ROSE, told))
    account = account._replace(event_sequence=account.event_sequence + len(events))
    return Decision(crossed[0], account, tuple(events), thresholds=changed)


def _describe(threshold: Threshold, account: AccountState) -> dict[str, Any]:
    """The threshold that was crossed, and what the account then has."""
    shown = threshold.to_dict()
    return {
        "threshold": shown["id"],
        **{name: shown[name] for name in ("account", "of", "amount", "below")},
        "balance": format_amount(account.balance, account.currency),
        "held": format_amount(account.held, account.currency),
        "available": format_amount(account.available, account.currency),
    }


def lies_between(account: AccountState) -> bool:
    """Whether its figures are between its nearest thresholds, as a trigger of the database has it."""
    low, high, low_available, high_available = account.nearest or (None,) * 4
    balance, available = account.balance, account.available
    return (
        (low is None or low <= balance)
        and (high is None or balance < high)
        and (low_available is None or low_available <= available)
        and (high_available is None or available < high_available)
    )
