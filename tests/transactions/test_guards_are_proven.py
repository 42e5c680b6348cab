"""Every way to take a guard away, or to leave its name and take its strength: the audit names it."""

import pytest

from tests.transactions.test_audit import execute
from transactions.proof import guards

pytestmark = pytest.mark.django_db

NO_OP = """
CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$
"""
ROWS, ACCOUNTS = "transactions_transaction", "accounts_account"
ATTACKS = {
    "a function that does nothing": (NO_OP, "ledger_refuse"),
    "a function that looks elsewhere first": (
        "ALTER FUNCTION ledger_refuse() SET search_path = pg_temp, public",
        "ledger_refuse",
    ),
    "a function as somebody else": ("ALTER FUNCTION ledger_refuse() SECURITY DEFINER", "ledger_refuse"),
    "no function": ("DROP FUNCTION ledger_require_forward() CASCADE", "ledger_require_forward"),
    "a trigger dropped": (
        f"DROP TRIGGER transaction_is_never_changed ON {ROWS}",
        "transaction_is_never_changed",
    ),
    "a trigger off": (
        f"ALTER TABLE {ROWS} DISABLE TRIGGER transaction_is_never_changed",
        "transaction_is_never_changed",
    ),
    "a trigger not for replicas": (
        f"ALTER TABLE {ROWS} ENABLE TRIGGER transaction_is_never_changed",
        "transaction_is_never_changed",
    ),
    "a trigger of another function": (
        f"CREATE OR REPLACE TRIGGER transaction_is_never_changed BEFORE UPDATE OR DELETE ON {ROWS}"
        " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "transaction_is_never_changed",
    ),
    "a trigger with another condition": (
        f"CREATE OR REPLACE TRIGGER rules_have_their_events AFTER UPDATE ON {ACCOUNTS}"
        " FOR EACH ROW WHEN (false) EXECUTE FUNCTION ledger_require_events_of_account()",
        "rules_have_their_events",
    ),
    "a trigger more": (
        f"CREATE TRIGGER a_helping_hand BEFORE INSERT ON {ROWS}"
        " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "a_helping_hand",
    ),
    "a CHECK dropped": (
        f"ALTER TABLE {ACCOUNTS} DROP CONSTRAINT account_balance_covers_holds",
        "account_balance_covers_holds",
    ),
    "a weaker CHECK": (
        f"ALTER TABLE {ACCOUNTS} DROP CONSTRAINT account_balance_covers_holds,"
        " ADD CONSTRAINT account_balance_covers_holds CHECK (balance >= held - credit_limit - 1000)",
        "account_balance_covers_holds",
    ),
    "a CHECK of new rows only": (
        f"ALTER TABLE {ACCOUNTS} DROP CONSTRAINT account_balance_covers_holds,"
        " ADD CONSTRAINT account_balance_covers_holds CHECK (balance >= (held - credit_limit)) NOT VALID",
        "account_balance_covers_holds",
    ),
    "an id twice": (
        f"ALTER TABLE {ROWS} DROP CONSTRAINT transaction_id_is_used_once",
        "transaction_id_is_used_once",
    ),
    "another key": (
        f"ALTER TABLE {ROWS} DROP CONSTRAINT transactions_transaction_pkey, ADD PRIMARY KEY (id)",
        "transactions_transaction_pkey",
    ),
    "an id twice, of some": (
        f"ALTER TABLE {ROWS} DROP CONSTRAINT transaction_id_is_used_once;"
        f" CREATE UNIQUE INDEX transaction_id_is_used_once ON {ROWS} (id) WHERE amount < 1000",
        "transaction_id_is_used_once",
    ),
    "no index of reversals": ("DROP INDEX transaction_by_reversal", "transaction_by_reversal"),
    "reversals beyond their original": (
        f"DROP TRIGGER reversals_never_exceed_their_original ON {ROWS}",
        "reversals_never_exceed_their_original",
    ),
    "another sum of what was taken back": (
        "CREATE OR REPLACE FUNCTION ledger_sum_taken_back(taken uuid) RETURNS numeric LANGUAGE plpgsql AS"
        " 'BEGIN RETURN 0; END'",
        "ledger_sum_taken_back",
    ),
    "a sum as it was when the statement began": (
        "ALTER FUNCTION ledger_sum_taken_back(uuid) STABLE",
        "ledger_sum_taken_back",
    ),
    "no number": (f"ALTER TABLE {ROWS} ALTER version TYPE numeric", "version"),
    "null where there must be something": (f"ALTER TABLE {ROWS} ALTER actor DROP NOT NULL", "actor"),
    "another sum": (
        f"ALTER TABLE {ROWS} DROP change;"
        f" ALTER TABLE {ROWS} ADD change numeric(28, 8) GENERATED ALWAYS AS (amount) STORED",
        "change",
    ),
    "an account of nobody": (f"ALTER TABLE {ACCOUNTS} DISABLE TRIGGER ALL", "balance_has_its_transactions"),
}


def test_the_guards_are_as_the_migrations_made_them():
    assert list(guards.find_wrong()) == []
    assert len(guards.list_triggers()) == 82


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_guard_that_is_not_as_it_was_made_is_named(attack):
    statement, name = ATTACKS[attack]
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute(statement)
    assert name in {wrong.name for wrong in guards.find_wrong()}


def test_the_triggers_of_foreign_keys_count_too():
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute(f"ALTER TABLE {ACCOUNTS} DISABLE TRIGGER ALL")
    assert any(wrong.name.startswith("RI_ConstraintTrigger") for wrong in guards.find_wrong())


def test_what_cannot_be_compared_is_not_proven():
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("CREATE TEMPORARY TABLE accounts_account (id uuid)")
    [wrong] = guards.find_wrong()
    assert wrong.found.startswith("not proven")
