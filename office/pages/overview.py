"""What the dashboard says besides the statistics: what waits, what is stuck, what was proven.

Each reading walks an index and has an end: it takes as long on a ledger of any size. The conditions are
written out, not passed: a plan that was made for any status would not use the indexes of one.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from accounts.models import Account, Hold
from events import feed
from events.errors import FeedStopped
from events.models import Health, Subscription
from ledger.sql import fetch
from transactions import audits

COUNTED_MAX = 1000  # further than that nothing is counted
SHOWN = 5
TROUBLES_SHOWN = 10
AUDIT_EVERY = timedelta(days=2)  # without one for so long something is wrong

COUNT = f"""
SELECT
    (SELECT count(*) FROM (
        SELECT FROM accounts_hold WHERE status = 'OPEN' ORDER BY account_id LIMIT {COUNTED_MAX + 1}
    ) AS holds),
    (SELECT count(*) FROM (
        SELECT FROM accounts_hold WHERE status = 'OPEN' AND expires_at <= (SELECT clock_timestamp())
        LIMIT {COUNTED_MAX + 1}
    ) AS due),
    (SELECT count(*) FROM (
        SELECT FROM accounts_claim WHERE status = 'OPEN' ORDER BY account_id, created_at, id
        LIMIT {COUNTED_MAX + 1}
    ) AS claims),
    (SELECT count(*) FROM (
        SELECT FROM accounts_account WHERE status <> 'ACTIVE' AND status = 'FROZEN' ORDER BY status, id
        LIMIT {COUNTED_MAX + 1}
    ) AS accounts),
    (SELECT count(*) FROM (
        SELECT FROM transactions_correction WHERE status = 'WAITING' ORDER BY made_at, id
        LIMIT {COUNTED_MAX + 1}
    ) AS corrections),
    (SELECT count(*) FROM (
        SELECT FROM events_pending ORDER BY recorded_at LIMIT {COUNTED_MAX + 1}
    ) AS pending),
    (SELECT min(recorded_at) FROM events_pending)
"""  # noqa: S608, a number of our own
ENDING = f"""
SELECT hold.id, hold.account_id, hold.amount, hold.captured, hold.status, hold.expires_at
FROM accounts_hold AS hold WHERE status = 'OPEN' AND expires_at IS NOT NULL ORDER BY expires_at LIMIT {SHOWN}
"""  # noqa: S608
FROZEN = f"""
SELECT account.*, coalesce(nullif(holder.name, ''), holder.username) AS holder
FROM (
    SELECT id, user_id, name, currency, status, balance FROM accounts_account
    WHERE status <> 'ACTIVE' AND status = 'FROZEN' ORDER BY status DESC, id DESC LIMIT {SHOWN}
) AS account JOIN accounts_user AS holder ON holder.id = account.user_id ORDER BY account.id DESC
"""  # noqa: S608
OF_HOLDS = """
SELECT account.id, account.user_id, account.name, account.currency,
    coalesce(nullif(holder.name, ''), holder.username) AS holder
FROM accounts_account AS account JOIN accounts_user AS holder ON holder.id = account.user_id
WHERE account.id = ANY(%s)
"""


def count() -> dict[str, Any]:
    """How many open holds, open claims, frozen accounts, waiting corrections, and events without a place.

    A hold that is due is open no more. Each is a `number`; if it `is_bounded`, there are more.
    `pending_since` is when the oldest event without a place was recorded.
    """
    [[holds, due, *found, pending_since]] = fetch(COUNT)
    found = [holds if holds > COUNTED_MAX else holds - due, *found]
    counts = {
        name: {"number": min(number, COUNTED_MAX), "is_bounded": number > COUNTED_MAX}
        for name, number in zip(("holds", "claims", "frozen", "waiting", "pending"), found, strict=True)
    }
    return {**counts, "pending_since": pending_since}


def find_holds_to_end() -> list[Hold]:
    """The open holds that end next, with their accounts and the names of their holders."""
    holds = list(Hold._base_manager.raw(ENDING))
    found = Account._base_manager.raw(OF_HOLDS, [[hold.account_id for hold in holds]])
    accounts = {account.id: account for account in found}
    for hold in holds:
        hold.account = accounts[hold.account_id]
    return holds


def find_frozen_accounts() -> list[Account]:
    """The newest frozen accounts, each with the name of its `holder`."""
    return list(Account._base_manager.raw(FROZEN))


def read_delivery() -> dict[str, Any]:
    """How the feed and its subscriptions (a hundred at most) are.

    `last_position` is None while the feed is stopped. `unsent_since` is when the oldest event was recorded
    that was not sent to an active subscription. `troubles` are subscriptions that do not get their events as
    they should, with their `host` alone since a url may hold a secret; `more` is how many there are besides.
    """
    try:
        last_position = feed.read_state().last_position
    except FeedStopped:
        last_position = None
    subscriptions = list(Subscription.objects.with_lag())
    lags = [each.lag_seconds for each in subscriptions if each.is_active and each.lag_seconds > 0]
    troubled = sorted(
        (each for each in subscriptions if each.health != Health.ACTIVE),
        key=lambda each: (each.status != Subscription.Status.DISABLED, -each.lag_seconds),
    )
    return {
        "last_position": last_position,
        "unsent_since": timezone.now() - timedelta(seconds=max(lags)) if lags else None,
        "troubles": [
            {"subscription": each, "host": urlsplit(each.url or "").hostname or ""}
            for each in troubled[:TROUBLES_SHOWN]
        ],
        "more": max(0, len(troubled) - TROUBLES_SHOWN),
    }


def find_proof() -> dict[str, Any]:
    """How the books stand by the audits; `is_old`, if everything was last audited too long ago."""
    standing = audits.find_standing()
    whole = standing.whole
    is_old = whole is not None and whole.finished_at < timezone.now() - AUDIT_EVERY
    return {
        **standing._asdict(),
        "is_old": is_old,
        "is_alarming": whole is None or standing.findings > 0 or is_old,
    }
