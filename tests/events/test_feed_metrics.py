"""How far the feed and its subscribers have come can be watched, also when no relay runs."""

import re

from tests.cast import deposit
from tests.events.conftest import relay_once, subscribe
from tests.receivers import answering


def scrape(client):
    text = client.get("/metrics").content.decode()
    found = re.findall(
        r"^(ledger_(?:feed|subscription|deliveries)\w+?)(\{.*\})? ([0-9.e+-]+)$", text, flags=re.M
    )
    return {name: float(value) for name, _, value in found}


def test_what_waits_and_for_how_long_is_a_number(client, hook, account):
    subscribe(hook.url)
    deposit(account, "1")
    before = scrape(client)
    assert (before["ledger_feed_pending_events"], before["ledger_feed_position"]) == (1, 2)
    assert before["ledger_feed_oldest_pending_seconds"] > 0
    hook.behaviour = answering(500)
    relay_once()
    after = scrape(client)
    assert (after["ledger_feed_pending_events"], after["ledger_feed_oldest_pending_seconds"]) == (0, 0)
    assert (after["ledger_subscription_lag_events"], after["ledger_subscription_active"]) == (1, 1)
    assert after["ledger_subscription_lag_seconds"] > 0
    assert after["ledger_subscription_failed_attempts"] == 1
    assert after["ledger_deliveries_failed_total"] == 1
    assert after["ledger_deliveries_sent_total"] == after["ledger_deliveries_unroutable_total"] == 0
