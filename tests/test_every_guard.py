"""Every rule that the database keeps is in place, always on, and attacked by a test. Indexes have a use."""

import re

import pytest
from django.apps import apps
from django.conf import settings

from tests import (
    test_batch_guards,
    test_claim_guards,
    test_guards,
    test_hold_guards,
    test_record_guards,
    test_rule_guards,
    test_search_guards,
    test_text_guards,
    test_threshold_guards,
    test_token_guards,
)
from tests.accounts import test_erasure_guards, test_note_guards
from tests.events import test_feed_guards
from tests.test_guards import (
    execute,
    session,  # noqa: F401, a fixture
)
from tests.transactions import test_correction_guards
from transactions.proof.guards import list_triggers

pytestmark = pytest.mark.django_db

DOMAIN = ("events", "accounts", "transactions")
ATTACKS = [
    test_guards.TRANSACTION_CHECKS,
    test_guards.TRANSACTION_UNIQUES,
    test_guards.ACCOUNT_CHECKS,
    test_guards.ACCOUNT_INSERTS,
    test_guards.OTHER_ATTACKS,
    test_guards.REFUSALS,
    test_rule_guards.OTHERS,
    test_rule_guards.REFUSALS,
    test_search_guards.INSERTS,
    test_text_guards.ATTACKS,
    test_hold_guards.INSERTS,
    test_hold_guards.CHANGES,
    test_hold_guards.REFUSALS,
    test_claim_guards.INSERTS,
    test_claim_guards.CHANGES,
    test_claim_guards.REFUSALS,
    test_claim_guards.OTHERS,
    test_threshold_guards.INSERTS,
    test_threshold_guards.CHANGES,
    test_threshold_guards.REFUSALS,
    test_correction_guards.INSERTS,
    test_correction_guards.CHANGES,
    test_correction_guards.REFUSALS,
    test_correction_guards.OTHERS,
    test_token_guards.CHECKS,
    test_token_guards.REFUSALS,
    test_erasure_guards.INSERTS,
    test_erasure_guards.CHANGES,
    test_erasure_guards.REFUSALS,
    test_note_guards.INSERTS,
    test_note_guards.CHANGES,
    test_note_guards.REFUSALS,
    test_batch_guards.INSERTS,
    test_batch_guards.REFUSALS,
    test_record_guards.CHECKS,
    test_record_guards.REFUSALS,
    test_feed_guards.SUBSCRIPTIONS,
    test_feed_guards.ATTACKS,
    test_feed_guards.OLD_ATTACKS,
    test_feed_guards.PRUNED_ATTACKS,
]


def test_every_guard_is_in_place_and_always_on():
    found = execute(
        "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger"
        " JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace ORDER BY 1, 2"
    )
    assert found == sorted((table, name, "A") for table, name in list_triggers())


def test_every_rule_is_attacked():
    attacked = {rule for attacks in ATTACKS for rule, _ in attacks}
    models = [model for app in DOMAIN for model in apps.get_app_config(app).get_models()]
    models = [model for model in models if not model._meta.proxy]
    tables = ", ".join(f"'{model._meta.db_table}'::regclass" for model in models)
    feed = ", ".join(f"'{table}'::regclass" for table, _ in list_triggers() if table.startswith("events_"))
    rules = execute(
        f"SELECT conname FROM pg_constraint WHERE contype IN ('c', 'x') AND conrelid IN ({tables})"
        f" UNION SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
        f" WHERE indisunique AND indrelid IN ({tables})"
        # The others, which refuse in their own words, are attacked in the tests of their apps.
        " UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        f" AND (tgfoid = 'ledger_refuse'::regproc OR tgrelid IN ({feed})"
        " AND tgfoid <> 'ledger_require_stream_of_events'::regproc)"
    )
    assert attacked == {name for (name,) in rules}


INDEXES = """
SELECT indrelid::regclass::text, indexrelid::regclass::text, (
    SELECT string_agg(coalesce(attname, 'folded name'), ', ' ORDER BY place)
    FROM unnest(indkey) WITH ORDINALITY AS key (number, place)
    LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = number AND attnum > 0
) FROM pg_index
"""


def test_every_index_is_in_the_architecture_with_the_query_that_needs_it():
    page = (settings.BASE_DIR / "docs/architecture.md").read_text().partition("## The indexes\n")[2]
    listed, table = set(), ""
    for name, columns, need in re.findall(r"^\| \**`(\w+)`\** \|(.*?)\|(.*?)\|$", page, flags=re.M):
        if need.strip():
            listed.add((table, name, columns.partition(";")[0].strip()))
        else:
            table = name
    models = [model for app in DOMAIN for model in apps.get_app_config(app).get_models()]
    tables = {model._meta.db_table for model in models}
    assert listed == {row for row in execute(INDEXES) if row[0] in tables}
