"""Every rule that the database keeps is in place, always on, and attacked by a test."""

import pytest
from django.apps import apps

from tests import test_guards, test_hold_guards
from tests.events import test_feed_guards
from tests.test_guards import (
    execute,
    session,  # noqa: F401, a fixture
)

pytestmark = pytest.mark.django_db

DOMAIN = ("events", "accounts", "transactions")
ATTACKS = [
    test_guards.TRANSACTION_CHECKS,
    test_guards.TRANSACTION_UNIQUES,
    test_guards.ACCOUNT_CHECKS,
    test_guards.ACCOUNT_INSERTS,
    test_guards.OTHER_ATTACKS,
    test_guards.REFUSALS,
    test_hold_guards.INSERTS,
    test_hold_guards.CHANGES,
    test_hold_guards.REFUSALS,
    test_feed_guards.SUBSCRIPTIONS,
    test_feed_guards.ATTACKS,
    test_feed_guards.OLD_ATTACKS,
    test_feed_guards.PRUNED_ATTACKS,
]
TRIGGERS = {
    "accounts_account": [
        "account_is_never_deleted",
        "account_keeps_its_identity",
        "account_starts_at_zero",
        "accounts_are_never_emptied",
        "balance_has_its_transactions",
        "held_has_its_holds",
    ],
    "accounts_hold": [
        "changed_holds_have_their_account",
        "hold_is_never_deleted",
        "hold_keeps_what_was_asked",
        "hold_starts_open_or_declined",
        "holds_are_never_emptied",
        "new_holds_have_their_account",
    ],
    "events_event": [
        "event_is_kept_until_pruned",
        "event_is_never_changed",
        "events_are_never_emptied",
    ],
    "events_feed_state": [
        "feed_goes_forward",
        "feed_state_is_never_deleted",
        "feed_state_is_never_emptied",
    ],
    "events_pending": [
        "pending_event_gets_its_place",
        "pending_event_is_never_changed",
        "pending_events_are_never_emptied",
    ],
    "events_placement": [
        "place_is_kept_until_pruned",
        "place_is_never_changed",
        "places_are_never_emptied",
        "places_have_no_gaps",
    ],
    "transactions_transaction": [
        "transaction_is_never_changed",
        "transactions_are_never_emptied",
        "transactions_have_their_account",
    ],
}


def test_every_guard_is_in_place_and_always_on():
    found = execute(
        "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger"
        " JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace ORDER BY 1, 2"
    )
    assert found == [(table, name, "A") for table, names in TRIGGERS.items() for name in names]


def test_every_rule_is_attacked():
    attacked = {rule for attacks in ATTACKS for rule, _ in attacks}
    models = [model for app in DOMAIN for model in apps.get_app_config(app).get_models()]
    tables = ", ".join(f"'{model._meta.db_table}'::regclass" for model in models)
    feed = ", ".join(f"'{table}'::regclass" for table in TRIGGERS if table.startswith("events_"))
    rules = execute(
        f"SELECT conname FROM pg_constraint WHERE contype IN ('c', 'x') AND conrelid IN ({tables})"
        f" UNION SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
        f" WHERE indisunique AND indrelid IN ({tables})"
        # The others, which refuse in their own words, are attacked in the tests of their apps.
        " UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        f" AND (tgfoid = 'ledger_refuse'::regproc OR tgrelid IN ({feed}))"
    )
    assert attacked == {name for (name,) in rules}
