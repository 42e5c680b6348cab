"""Each guard of the database without its strength, one kind after the other: the audit names every one."""

import pytest

from tests.database import execute
from tests.tampering.columns import list_tables
from transactions.proof import guards

pytestmark = pytest.mark.django_db
RULES = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = ANY(%s::regclass[]) AND contype = ANY(%s::"char"[])
    AND (confrelid = 0 OR confrelid = ANY(%s::regclass[]))
"""
KEYS = """
SELECT indrelid::regclass::text, indexrelid::regclass::text, EXISTS (
    SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid
) FROM pg_index WHERE indisunique AND indrelid = ANY(%s::regclass[])
"""


@pytest.fixture
def tables():
    """All of the ledger's own. Nothing of them waits for the end of the transaction."""
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    return [table.name for table in list_tables()]


def read_rules(tables, *kinds):
    """Of those kinds: c for CHECKs, f for foreign keys to tables of the ledger's own."""
    return execute(RULES, tables, list(kinds), tables)


def find_unnamed(wanted):
    """Those that no finding names."""
    return set(wanted) - {wrong.name for wrong in guards.find_wrong()}


def test_functions_that_do_nothing_are_named():
    texts = "\n".join(map(guards.read_guards, guards.PACKAGES))
    for signature, returned, _ in guards.FUNCTION.findall(texts):
        idle = "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;"
        execute(
            f"CREATE OR REPLACE FUNCTION {signature} RETURNS {returned} LANGUAGE plpgsql AS $$"
            f" BEGIN {idle if returned == 'trigger' else 'RETURN 0;'} END $$"
        )
    functions = [signature.partition("(")[0] for signature, *_ in guards.FUNCTION.findall(texts)]
    used = execute("SELECT DISTINCT tgfoid::regproc::text FROM pg_trigger WHERE NOT tgisinternal")
    assert {name for (name,) in used} <= set(functions)
    assert find_unnamed(functions) == set()


@pytest.mark.parametrize("how", ["DISABLE TRIGGER", "ENABLE TRIGGER", "ENABLE REPLICA TRIGGER"])
def test_triggers_that_are_not_always_on_are_named(tables, how):
    triggers = guards.list_triggers()
    for table, name in triggers:
        execute(f"ALTER TABLE {table} {how} {name}")
    assert find_unnamed(name for _, name in triggers) == set()


def test_triggers_that_are_gone_are_named(tables):
    triggers = guards.list_triggers()
    for table, name in triggers:
        execute(f"DROP TRIGGER {name} ON {table}")
    assert find_unnamed(name for _, name in triggers) == set()


@pytest.mark.parametrize("instead", ["", "ADD CONSTRAINT {name} {rule} NOT VALID"])
def test_rules_that_are_gone_or_not_of_what_is_there_are_named(tables, instead):
    rules = read_rules(tables, "c", "f")
    for table, name, rule in rules:
        execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        if instead:
            execute(f"ALTER TABLE {table} {instead.format(name=name, rule=rule)}")
    assert find_unnamed(name for _, name, _ in rules) == set()


def test_keys_that_are_gone_are_named(tables):
    keys = execute(KEYS, tables)
    for table, name, is_constraint in keys:
        execute(
            f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE" if is_constraint else f"DROP INDEX {name}"
        )
    assert find_unnamed(name for _, name, _ in keys) == set()


def test_columns_that_may_be_null_are_named(tables):
    columns = [
        (table.name, column.name)
        for table in list_tables()
        for column in table.columns
        if not column.is_nullable and column.name not in table.key
    ]
    for table, column in columns:
        execute(f"ALTER TABLE {table} ALTER {column} DROP NOT NULL")
    found = {(wrong.table, wrong.name) for wrong in guards.find_wrong()}
    assert set(columns) - found == set()
