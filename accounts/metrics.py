"""When tokens end, what is set aside and what is owed; the relay serves it (`ledger_project.metrics`)."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from ledger.figures import DatabaseCollector, gauge, gauges
from ledger.sql import fetch

NEAREST = """
SELECT extract(epoch FROM expiry) FROM accounts_token JOIN accounts_user AS holder ON holder.id = user_id
WHERE revoked_at IS NULL AND expiry > clock_timestamp() AND is_active ORDER BY expiry LIMIT 1
"""
# Of open holds, by their index; and since when the one has been due that waits longest for its end.
HOLDS = """
SELECT (SELECT count(*) FROM (SELECT FROM accounts_hold WHERE status = 'OPEN' LIMIT 100000) AS counted),
    coalesce(greatest(extract(epoch FROM clock_timestamp() - (
        SELECT expires_at FROM accounts_hold WHERE status = 'OPEN' AND expires_at IS NOT NULL
        ORDER BY expires_at LIMIT 1
    )), 0), 0)
"""


# By currency, of open claims: by their index.
CLAIMS = """
SELECT currency, count(*), sum(amount - collected)
FROM accounts_claim AS claim JOIN accounts_account AS account ON account.id = account_id
WHERE claim.status = 'OPEN' GROUP BY currency
"""


class TokenMetrics(DatabaseCollector):
    """The nearest end of a token that is still taken; no value when there is no such token."""

    def read(self) -> Iterator[Metric]:
        yield gauges(
            "ledger_token_nearest_end_timestamp_seconds",
            "When the next of the tokens that are taken now expires, in Unix time.",
            (),
            fetch(NEAREST),
        )


class HoldMetrics(DatabaseCollector):
    def read(self) -> Iterator[Metric]:
        [[open_holds, seconds_late]] = fetch(HOLDS)
        yield gauge("ledger_holds_open", "Open holds (counted up to 100,000).", open_holds)
        yield gauge(
            "ledger_hold_end_late_seconds",
            "For how long a hold has been due whose end nobody has written yet; 0 when there is none.",
            seconds_late,
        )


class ClaimMetrics(DatabaseCollector):
    def read(self) -> Iterator[Metric]:
        found = fetch(CLAIMS)
        counts = [(currency, count) for currency, count, _ in found]
        owed = [(currency, amount) for currency, _, amount in found]
        yield gauges("ledger_claims_open", "Claims that are not collected yet.", ("currency",), counts)
        yield gauges("ledger_owed", "What they have left.", ("currency",), owed)
