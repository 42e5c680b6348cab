"""Every rule the database keeps, attacked in plain SQL: as an ordinary session and as a replica.

A replica's session switches off foreign keys and ordinary triggers. The guards have to hold without them.
"""

import re
from contextlib import contextmanager

import pytest
from django.db import Error
from django.db.transaction import atomic

from tests import cast
from tests.database import execute

pytestmark = pytest.mark.django_db

# Columns and what SQL puts into them.
KEY = {"stream": "'00000000-0000-4000-8000-000000000001'", "sequence": "1"}
EVENT = KEY | {
    "type": "'account.frozen'", "recorded_at": "now()", "about": "NULL", "actor": "NULL",
    "actor_kind": "'service'", "request_id": "''", "data": "'{}'", "before": "NULL", "text": "NULL",
    "text_mac": "NULL", "mac": "'x'",
}  # fmt: skip
OF_A_ROW = EVENT | {
    "type": "'transaction.posted'", "about": "1", "actor": "NULL", "actor_kind": "NULL",
    "request_id": "NULL", "data": "NULL", "mac": "NULL",
}  # fmt: skip
TEXT = {"id": "'00000000-0000-4000-8000-000000000001'", "content": "'{}'"}
AUDIT_RUN = {
    "id": "'00000000-0000-4000-8000-000000000001'", "started_at": "now()", "seen_through": "now()",
    "is_whole": "true", "accounts": "0", "rows": "0", "findings": "0",
}  # fmt: skip
ACCOUNT = {
    "id": "gen_random_uuid()", "name": "'spare'", "currency": "'USD'", "status": "'ACTIVE'", "balance": "0",
    "held": "0", "credit_limit": "0", "credit_limit_max": "0", "seq": "0", "version": "0",
    "event_sequence": "0", "chain_head": "''", "metadata": "'{}'",
}  # fmt: skip
FIRST = {
    "id": "gen_random_uuid()", "type": "'DEPOSIT'", "amount": "5", "reference": "''", "metadata": "'{}'",
    "status": "'POSTED'", "seq": "1", "version": "1", "balance_after": "5", "recorded_at": "'2999-01-02'",
    "effective_at": "'2026-01-01'", "late": "false", "actor": "gen_random_uuid()", "actor_kind": "'service'",
    "request_id": "''", "chain_format": "1", "chain_hash": "sha256('')",
}  # fmt: skip
SECOND = FIRST | {"seq": "2", "version": "2", "balance_after": "10", "recorded_at": "'2999-01-03'"}
DECLINED = FIRST | {
    "status": "'DECLINED'", "version": "NULL", "balance_after": "0", "decline_reason": "'account_closed'",
    "decline_details": "'{}'",
}  # fmt: skip
AFTER_FIRST = {
    "balance": "5",
    "seq": "1",
    "version": "1",
    "event_sequence": "9",
    "last_recorded_at": "'2999-01-02'",
}
AFTER_SECOND = AFTER_FIRST | {"balance": "10", "seq": "2", "version": "2", "last_recorded_at": "'2999-01-03'"}
AFTER_DECLINED = {"seq": "1", "event_sequence": "9", "last_recorded_at": "'2999-01-02'"}


@pytest.fixture(params=["origin", "replica"], autouse=True)
def session(request, db):
    execute(f"SET LOCAL session_replication_role = {request.param}")
    return request.param


@contextmanager
def refused_by(rule):
    """`rule` is how the message ends: the name of a constraint or a trigger, or a guard's own words."""
    execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    with pytest.raises(Error) as refusal, atomic():
        yield
    first_line = str(refusal.value).splitlines()[0]
    assert re.search(rf'(^| )"?{re.escape(rule)}"?$', first_line), first_line


def insert(table, *rows):
    values = ", ".join(f"({', '.join(row.values())})" for row in rows)
    return f"INSERT INTO public.{table} ({', '.join(rows[0])}) VALUES {values}"


def write(account, *rows):
    return insert("transactions_transaction", *({"account_id": f"'{account.id}'"} | row for row in rows))


def move(account, after):
    changes = ", ".join(f"{column} = {value}" for column, value in after.items())
    return f"UPDATE public.accounts_account SET {changes} WHERE id = '{account.id}'"


def post(account, after, *rows):
    return f"WITH moved AS ({move(account, after)}) {write(account, *rows)}"


def name_changes(value):
    """The id of a case: what a row has that the valid row has not."""
    if isinstance(value, dict):
        return ", ".join(f"{column} {new}" for column, new in value.items() if FIRST.get(column) != new)
    return None


TRANSACTION_CHECKS = [
    ("transaction_type_is_known", FIRST | {"type": "'GIFT'"}),
    *(
        (f"transaction_{amount}_is_positive_and_bounded", FIRST | {amount: value})
        for amount in ("amount", "amount_asked")
        for value in ("0", "-5", "1e12 + 0.00000001", "'NaN'")
    ),
    ("transaction_times_are_finite", FIRST | {"recorded_at": "'infinity'"}),
    ("transaction_times_are_finite", FIRST | {"recorded_at": "'infinity'", "effective_at": "'infinity'"}),
    ("transaction_effective_at_asked_is_finite", FIRST | {"effective_at_asked": "'infinity'"}),
    ("transaction_effective_at_asked_is_finite", FIRST | {"effective_at_asked": "'-infinity'"}),
    ("transaction_balance_after_is_bounded", FIRST | {"balance_after": "'NaN'"}),
    ("transaction_balance_after_is_bounded", FIRST | {"balance_after": "1e15 + 1"}),
    ("transaction_balance_after_is_bounded", FIRST | {"balance_after": "-1e15 - 1"}),
    ("transaction_seq_is_positive", DECLINED | {"seq": "0"}),
    ("transaction_metadata_has_texts", FIRST | {"metadata": "'[]'"}),
    ("transaction_metadata_has_texts", FIRST | {"metadata": "'null'"}),
    ("transaction_metadata_has_texts", FIRST | {"metadata": "'{\"a\": 1}'"}),
    ("transaction_has_a_whole_chain_hash", FIRST | {"chain_hash": "''"}),
    ("transaction_has_a_whole_chain_hash", FIRST | {"chain_hash": "sha512('')"}),
    *(
        ("transaction_is_not_effective_before_1970_or_in_the_future", FIRST | {"effective_at": moment})
        for moment in ("'1969-12-31T23:59:59.999999Z'", "'2999-01-02T00:00:00.000001Z'", "'-infinity'")
    ),
    *(
        ("transaction_is_posted_with_version_or_declined_with_reason", row)
        for row in (
            FIRST | {"status": "'PENDING'"},
            FIRST | {"version": "0"},
            FIRST | {"version": "NULL"},
            FIRST | {"decline_reason": "'account_closed'"},
            FIRST | {"decline_details": "'{}'"},
            DECLINED | {"version": "1"},
            DECLINED | {"decline_reason": "NULL"},
            DECLINED | {"decline_details": "NULL"},
        )
    ),
]  # fmt: skip
TRANSACTION_UNIQUES = [
    ("transaction_id_is_used_once", {"id": "'00000000-0000-4000-8000-000000000001'"}),
    ("transactions_transaction_pkey", {"seq": "1"}),
    ("transaction_recorded_at_is_used_once", {"recorded_at": "'2999-01-02'"}),
]
ACCOUNT_CHECKS = [
    ("account_status_is_known", "status = 'OPEN'"),
    ("account_balance_is_bounded", "balance = 1e15 + 0.00000001"),
    ("account_balance_is_bounded", "balance = 'NaN'"),
    ("account_held_is_bounded", "held = -1"),
    ("account_held_is_bounded", "held = 1e15 + 1, balance = 1, credit_limit = 1e15, credit_limit_max = 1e15"),
    ("account_owed_is_bounded", "owed = -1"),
    ("account_owed_is_bounded", "owed = 'NaN'"),
    ("account_owed_is_bounded", "owed = 1e15 + 1"),
    ("account_balance_covers_holds", "balance = -0.00000001"),
    ("account_balance_covers_holds", "held = 'NaN'"),
    ("account_balance_covers_holds", "balance = 5, held = 8, credit_limit = 2, credit_limit_max = 2"),
    ("account_credit_limit_is_within_its_highest", "credit_limit = 1"),
    ("account_credit_limit_is_within_its_highest", "credit_limit = -1, balance = 1"),
    ("account_credit_limit_max_is_bounded", "credit_limit_max = 1e15 + 1"),
    ("account_credit_limit_max_is_bounded", "credit_limit_max = 'NaN'"),
    *(
        (f"account_{limit}_is_bounded", f"{limit} = {value}")
        for limit in ("withdraw_max", "withdraw_day_max")
        for value in ("-0.00000001", "1e15 + 1", "'NaN'")
    ),
    *(
        ("account_withdrawn_is_of_a_day", change)
        for change in (
            "withdrawn = 1",
            "withdrawn = 'NaN'",
            "withdrawn = -1, withdrawn_on = '2026-01-01'",
            "withdrawn = 'NaN', withdrawn_on = '2026-01-01'",
        )
    ),
    ("closed_account_is_empty", "status = 'CLOSED', balance = 5"),
    ("closed_account_is_empty", "status = 'CLOSED', held = 5, credit_limit = 5, credit_limit_max = 5"),
    ("account_has_an_event_for_every_transaction", "version = -1"),
    ("account_has_an_event_for_every_transaction", "version = seq + 1"),
    ("account_has_an_event_for_every_transaction", "seq = event_sequence + 1"),
    ("account_last_recorded_at_is_finite", "last_recorded_at = 'infinity'"),
    ("account_last_recorded_at_is_finite", "last_recorded_at = '-infinity'"),
    *(
        ("account_last_effective_at_is_not_in_the_future", change)
        for change in (
            "last_effective_at = '2999-01-02'",
            "last_effective_at = '2026-01-02', last_recorded_at = '2026-01-01'",
            "last_effective_at = '-infinity', last_recorded_at = '2026-01-01'",
        )
    ),
    ("account_metadata_has_texts", "metadata = '[]'"),
    ("account_metadata_has_texts", "metadata = '{\"a\": 1}'"),
]
ACCOUNT_INSERTS = [
    ("accounts_account_pkey", {"id": "'00000000-0000-4000-8000-000000000001'"}),
    ("account_is_unique_by_name", {"name": "'main'"}),
    *(
        ("account_created_at_is_finite", {"created_at": moment, "last_recorded_at": moment})
        for moment in ("'infinity'", "'-infinity'")
    ),
    *(
        ("account_starts_at_zero", values)
        for values in (
            {"balance": "5"},
            {"balance": "'NaN'"},
            {"held": "1"},
            {"credit_limit": "1"},
            {"credit_limit_max": "1"},
            {"version": "1", "event_sequence": "1"},
            {"seq": "1", "event_sequence": "1"},
            {"chain_head": "'x'"},
            {"last_recorded_at": "'2026-01-01'"},
            {"last_effective_at": "'2026-01-01'"},
        )
    ),
]
OTHER_ATTACKS = [
    ("events_event_pkey", insert("events_event", *[EVENT] * 2)),
    ("events_pending_pkey", insert("events_pending", *[KEY | {"recorded_at": "now()"}] * 2)),
    ("transactions_auditrun_pkey", insert("transactions_auditrun", *[AUDIT_RUN] * 2)),
    ("event_sequence_is_positive", insert("events_event", EVENT | {"sequence": "0"})),
    *(
        ("event_has_data_or_is_about_a_transaction", insert("events_event", row))
        for row in (
            EVENT | {"data": "NULL"},
            EVENT | {"request_id": "NULL"},
            EVENT | {"actor_kind": "NULL"},
            EVENT | {"mac": "NULL"},
            EVENT | {"about": "1"},
            EVENT | {"about": "1", "data": "NULL", "request_id": "NULL"},
            *(OF_A_ROW | {"about": "NULL"}, OF_A_ROW | {"data": "'{}'"}, OF_A_ROW | {"before": "'{}'"}),
            *(OF_A_ROW | {"request_id": "''"}, OF_A_ROW | {"actor_kind": "'service'"}),
            OF_A_ROW | {"actor": "gen_random_uuid()"},
            OF_A_ROW | {"text": "gen_random_uuid()", "text_mac": "'x'"},
            OF_A_ROW | {"mac": "'x'"},
        )
    ),
]
REFUSALS = [
    ("transaction_is_never_changed", "UPDATE transactions_transaction SET amount = amount"),
    ("transaction_is_never_changed", "DELETE FROM transactions_transaction"),
    ("transactions_are_never_emptied", "TRUNCATE transactions_transaction"),
    ("event_is_never_changed", "UPDATE events_event SET data = data"),
    ("event_is_kept_until_pruned", "DELETE FROM events_event"),
    ("events_are_never_emptied", "TRUNCATE events_event"),
    ("account_is_never_deleted", "DELETE FROM accounts_account"),
    ("accounts_are_never_emptied", "TRUNCATE accounts_account CASCADE"),
    ("account_keeps_its_identity", "UPDATE accounts_account SET id = gen_random_uuid()"),
    ("account_keeps_its_identity", "UPDATE accounts_account SET user_id = gen_random_uuid()"),
    ("account_keeps_its_identity", "UPDATE accounts_account SET currency = 'EUR'"),
    ("account_keeps_its_identity", "UPDATE accounts_account SET created_at = '2020-01-01'"),
]


@pytest.mark.parametrize(("rule", "row"), TRANSACTION_CHECKS, ids=name_changes)
def test_a_transaction_that_breaks_a_rule_is_refused(account, rule, row):
    with refused_by(rule):
        execute(post(account, AFTER_FIRST, row))


@pytest.mark.parametrize(("rule", "repeated"), TRANSACTION_UNIQUES, ids=name_changes)
def test_what_a_transaction_uses_once_is_not_used_again(account, rule, repeated):
    execute(post(account, AFTER_FIRST, FIRST | repeated))
    with refused_by(rule):
        execute(post(account, AFTER_SECOND, SECOND | repeated))


@pytest.mark.parametrize(("rule", "change"), ACCOUNT_CHECKS)
def test_an_account_that_breaks_a_rule_is_refused(account, rule, change):
    with refused_by(rule):
        execute(f"UPDATE accounts_account SET {change}")


@pytest.mark.parametrize(("rule", "values"), ACCOUNT_INSERTS, ids=name_changes)
def test_an_account_that_cannot_be_added_is_refused(petya, rule, values):
    row = ACCOUNT | {"user_id": f"'{petya.id}'"} | values
    with refused_by(rule):
        execute(insert("accounts_account", row, row | {"name": "'main'"}))


@pytest.mark.parametrize(("rule", "attack"), OTHER_ATTACKS)
def test_an_event_or_an_audit_that_breaks_a_rule_is_refused(petya, rule, attack):
    cast.UserFactory()
    with refused_by(rule):
        execute(attack)


@pytest.mark.parametrize(("rule", "attack"), REFUSALS)
def test_what_was_written_stays(account, rule, attack):
    cast.deposit(account, "5")
    with refused_by(rule):
        execute(attack)


def test_an_account_of_nobody_is_refused(session):
    if session == "replica":
        return  # foreign keys are ordinary triggers: a replica's session has none
    with refused_by("accounts_account_user_id_d61b40c6_fk_accounts_user_id"):
        execute(insert("accounts_account", ACCOUNT | {"user_id": "gen_random_uuid()"}))
        execute("SET CONSTRAINTS ALL IMMEDIATE")
