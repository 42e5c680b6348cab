"""What is not as it was decided is found, and put right by making the roles again."""

import re

import pytest
from django.core.management import call_command
from django.db import connection

from ledger_project.database.check import find_differences
from ledger_project.database.roles import Roles
from tests.ledger_project.test_database_roles import (
    APP,
    AUDITOR,
    MAINTENANCE,
    OWNER,
    PREFIX,
    execute,
    roles,  # noqa: F401, a fixture
    run,
)
from tests.roles import KIND

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(KIND != "", reason="the roles of the tests themselves are strangers here"),
]

DAMAGES = [
    (f"GRANT UPDATE ON transactions_transaction TO {APP}", "has UPDATE on transactions_transaction"),
    (f"GRANT TRUNCATE ON events_event TO {APP}", "has TRUNCATE on events_event"),
    (f"GRANT UPDATE (user_id) ON accounts_account TO {APP}", r"has UPDATE \(user_id\) on accounts_account"),
    (f"GRANT SELECT (password) ON accounts_user TO {AUDITOR}", r"has SELECT \(password\) on accounts_user"),
    (f"GRANT INSERT ON events_feed_state TO {APP}", "has INSERT on events_feed_state"),
    (f"GRANT SELECT ON accounts_hold TO {AUDITOR} WITH GRANT OPTION", "has SELECT WITH GRANT OPTION"),
    (f"GRANT UPDATE ON SEQUENCE auth_group_id_seq TO {APP}", "has UPDATE on auth_group_id_seq"),
    ("GRANT DELETE ON events_pending TO PUBLIC", "PUBLIC has DELETE on events_pending"),
    ("GRANT SELECT ON accounts_token TO PUBLIC", "PUBLIC has SELECT on accounts_token"),
    (f"REVOKE INSERT ON accounts_hold FROM {APP}", "has no INSERT on accounts_hold"),
    (f"REVOKE UPDATE (held) ON accounts_account FROM {APP}", r"has no UPDATE \(held\) on accounts_account"),
    ("ALTER TABLE accounts_account OWNER TO CURRENT_USER", "accounts_account belongs to"),
    (f"ALTER TABLE events_event OWNER TO {APP}", f"{APP} owns something"),
    ("ALTER FUNCTION ledger_refuse() OWNER TO CURRENT_USER", "function ledger_refuse belongs to"),
    ("GRANT CREATE ON SCHEMA public TO PUBLIC", "may CREATE in the schema"),
    (f"REVOKE USAGE ON SCHEMA public FROM PUBLIC, {APP}", "no USAGE of the schema"),
    (f"ALTER ROLE {APP} SUPERUSER", "is SUPERUSER"),
    (f"ALTER ROLE {MAINTENANCE} CREATEROLE BYPASSRLS", "is BYPASSRLS"),
    (f"ALTER ROLE {AUDITOR} NOLOGIN", "cannot log in"),
    (f"ALTER ROLE {OWNER} LOGIN", "can log in"),
    (f"GRANT {OWNER} TO {APP}", f"is a member of {OWNER}"),
    (f"GRANT pg_write_all_data TO {AUDITOR}", "is a member of pg_write_all_data"),
    (f"ALTER ROLE {APP} SET lock_timeout = '1h'", "lock_timeout = 1h, not 1s"),
    (f"ALTER ROLE {AUDITOR} RESET default_transaction_read_only", "read_only = None, not on"),
]
HERE = [
    ("GRANT TEMPORARY ON DATABASE {} TO PUBLIC", "may make TEMPORARY tables"),
    (
        f"REVOKE TEMPORARY ON DATABASE {{}} FROM PUBLIC, {MAINTENANCE}",
        f"{MAINTENANCE} may not make TEMPORARY tables",
    ),
    (f"GRANT CREATE ON DATABASE {{}} TO {APP}", "may CREATE in the database"),
    (f"REVOKE CONNECT ON DATABASE {{}} FROM PUBLIC, {APP}", "may not CONNECT"),
    (f"ALTER DATABASE {{}} OWNER TO {APP}", f"{APP} owns something"),
    (
        f"ALTER ROLE {APP} IN DATABASE {{}} SET statement_timeout = 0",
        "statement_timeout = 0 in this database",
    ),
]
if_parameters = pytest.mark.skipif("connection.pg_version < 150000", reason="PostgreSQL 15 has it first")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        *DAMAGES,
        *HERE,
        pytest.param(
            f"GRANT SET ON PARAMETER session_replication_role TO {APP}",
            "may SET session_replication_role",
            marks=if_parameters,
        ),
    ],
)
def test_a_difference_is_found_and_put_right(damage, says, capsys):
    assert run("--check") == "The roles are as they should be.\n"
    execute(damage.format(connection.settings_dict["NAME"]))
    with pytest.raises(SystemExit, match="1"):
        call_command("database_roles", "--check", prefix=PREFIX)
    found = capsys.readouterr().out
    assert re.search(says, found), found
    run("--apply")
    assert list(find_differences(Roles(PREFIX))) == []


def test_a_stranger_who_writes_is_named_and_one_who_reads_is_not():
    execute("CREATE ROLE test_stranger")
    execute("GRANT SELECT ON transactions_transaction TO test_stranger")
    assert list(find_differences(Roles(PREFIX))) == []
    execute("GRANT INSERT ON transactions_transaction TO test_stranger")
    [found] = find_differences(Roles(PREFIX))
    assert found == "test_stranger has INSERT on transactions_transaction."


def test_roles_that_are_not_there_are_named():
    [first, *_] = find_differences(Roles("test_nobodys"))
    assert first == "There is no role test_nobodys_owner."
