"""Every rule of a hold, attacked in plain SQL, as tests/test_guards.py attacks the others.

That a hold and its account change only together is attacked in tests/accounts/test_hold_guards.py.
"""

import pytest
from django.db import DataError
from django.db.transaction import atomic

from accounts.models import Hold
from tests import cast
from tests.test_guards import (
    execute,
    insert,
    refused_by,
    session,  # noqa: F401, a fixture
)

pytestmark = pytest.mark.django_db

ALONE = "a hold was written without its account"
HOLD = {
    "id": "gen_random_uuid()", "amount": "5", "captured": "0", "status": "'OPEN'", "expires_at": "NULL",
    "reference": "''", "metadata": "'{}'", "created_at": "'2026-01-01'", "closed_at": "NULL",
    "actor": "gen_random_uuid()", "request_id": "''", "decline_reason": "NULL", "decline_details": "NULL",
}  # fmt: skip
DECLINED = {
    "status": "'DECLINED'", "closed_at": "'2026-01-01'", "decline_reason": "'account_closed'",
    "decline_details": "'{}'",
}  # fmt: skip
CLOSED = ", closed_at = '2026-01-02'"

# What a new hold has that it must not have.
INSERTS = [
    ("accounts_hold_pkey", {"id": "'00000000-0000-4000-8000-000000000001'"}),
    *(
        ("hold_amount_is_positive_and_bounded", {"amount": amount})
        for amount in ("0", "-5", "1e12 + 0.00000001", "'NaN'")
    ),
    *(
        ("hold_is_declined_with_reason", values)
        for values in (
            DECLINED | {"decline_reason": "NULL"},
            DECLINED | {"decline_details": "NULL"},
            {"decline_reason": "'account_closed'"},
            {"decline_details": "'{}'"},
        )
    ),
    ("hold_status_fits_what_was_captured", DECLINED | {"closed_at": "NULL"}),
    ("hold_status_fits_what_was_captured", {"closed_at": "'2026-01-01'"}),
    *(
        ("hold_times_are_finite", values)
        for moment in ("'infinity'", "'-infinity'")
        for values in ({"created_at": moment}, {"expires_at": moment}, DECLINED | {"closed_at": moment})
    ),
    ("hold_metadata_is_an_object", {"metadata": "'[]'"}),
    ("hold_metadata_is_an_object", {"metadata": "'null'"}),
    *(
        ("hold_starts_open_or_declined", values)
        for values in (
            {"captured": "1"},
            {"captured": "-1"},
            {"captured": "'NaN'"},
            {"status": "'PENDING'"},
            {"status": "'RELEASED'", "closed_at": "'2026-01-01'"},
            {"status": "'CAPTURED'", "captured": "5", "closed_at": "'2026-01-01'"},
            {"status": "'EXPIRED'", "expires_at": "'2026-01-01'", "closed_at": "'2026-01-01'"},
        )
    ),
]
# What an open hold of 5 is made of.
CHANGES = [
    ("hold_captures_at_most_its_amount", "captured = 5.00000001"),
    ("hold_captures_at_most_its_amount", "captured = 'NaN'"),
    *(
        ("hold_status_fits_what_was_captured", change)
        for change in (
            "status = 'PENDING'",
            "captured = 5",
            "closed_at = '2026-01-02'",
            "status = 'CAPTURED', captured = 5",
            "status = 'RELEASED'",
            "status = 'CAPTURED'" + CLOSED,
            "status = 'RELEASED', captured = 5" + CLOSED,
            "status = 'EXPIRED'" + CLOSED,
        )
    ),
    ("hold_times_are_finite", "status = 'RELEASED', closed_at = 'infinity'"),
    ("hold_times_are_finite", "status = 'RELEASED', closed_at = '-infinity'"),
    ("hold_keeps_what_was_asked", "captured = -1"),
    ("hold_keeps_what_was_asked", "amount = 'NaN'"),
]
REFUSALS = [
    ("hold_is_never_deleted", "DELETE FROM accounts_hold"),
    ("holds_are_never_emptied", "TRUNCATE accounts_hold"),
    ("hold_keeps_what_was_asked", "UPDATE accounts_hold SET amount = amount WHERE status <> 'OPEN'"),
]


def place(account, **values):
    """A hold and what its account holds for it, in one statement."""
    row = HOLD | {"account_id": f"'{account.id}'"} | values
    held = f"UPDATE public.accounts_account SET held = held + {row['amount']} WHERE id = '{account.id}'"
    return f"WITH held AS ({held}) {insert('accounts_hold', row)}"


@pytest.fixture
def rich(account):
    cast.deposit(account, "100")
    return account


@pytest.mark.parametrize(("rule", "values"), INSERTS)
def test_a_hold_that_cannot_be_is_refused(rich, rule, values):
    if rule == "accounts_hold_pkey":
        execute(place(rich, **values))
    with refused_by(rule):
        execute(insert("accounts_hold", HOLD | {"account_id": f"'{rich.id}'"} | values))


@pytest.mark.parametrize(("rule", "change"), CHANGES)
def test_an_open_hold_is_not_made_into_what_cannot_be(rich, rule, change):
    cast.hold(rich, "5")
    with refused_by(rule):
        execute(f"UPDATE accounts_hold SET {change}")


@pytest.mark.parametrize(("rule", "attack"), REFUSALS)
@pytest.mark.parametrize("status", ["CAPTURED", "RELEASED", "EXPIRED", "DECLINED"])
def test_a_closed_hold_stays_as_it_is(rich, rule, attack, status):
    if status == "DECLINED":
        assert cast.hold(rich, "101").status == status
    else:
        placed = cast.hold(rich, "5", expires_at=cast.day("2999-01-01"))
        held = f"WITH held AS (UPDATE accounts_account SET held = 0 WHERE id = '{rich.id}')"
        captured = 5 if status == "CAPTURED" else 0
        execute(f"{held} UPDATE accounts_hold SET status = '{status}', captured = {captured}{CLOSED}")
        assert Hold.objects.get(id=placed.id).status == status
    with refused_by(rule):
        execute(attack)


def test_infinite_money_is_not_held(rich):
    cast.hold(rich, "5")
    for infinite in ("'Infinity'", "'-Infinity'"):
        for attack in (
            insert("accounts_hold", HOLD | {"account_id": f"'{rich.id}'", "amount": infinite}),
            f"UPDATE accounts_hold SET captured = {infinite}",
            f"UPDATE accounts_account SET withdraw_max = {infinite}",
            f"UPDATE accounts_account SET withdraw_day_max = {infinite}",
            f"UPDATE accounts_account SET withdrawn = {infinite}, withdrawn_on = '2026-01-01'",
        ):
            with pytest.raises(DataError, match="numeric field overflow"), atomic():
                execute(attack)


def test_a_hold_on_the_account_of_another_is_refused(rich):
    row = HOLD | {"account_id": f"'{cast.AccountFactory().id}'"}
    held = f"UPDATE public.accounts_account SET held = 5 WHERE id = '{rich.id}'"
    with refused_by(ALONE):
        execute(f"WITH held AS ({held}) {insert('accounts_hold', row)}")


def test_a_hold_of_an_unknown_account_is_refused(session):  # noqa: F811
    row = HOLD | {"account_id": "gen_random_uuid()"}
    with refused_by(ALONE):
        execute(insert("accounts_hold", row))


@pytest.mark.parametrize("table", ["accounts_hold", "accounts_account", "new_holds"])
def test_a_temporary_table_does_not_fool_the_guards(rich, table):
    """In the first two all would be in order, if the guards looked there."""
    source = "accounts_hold" if table == "new_holds" else table
    execute(f"CREATE TEMPORARY TABLE {table} AS SELECT * FROM public.{source}")
    if table == "accounts_hold":
        execute(insert("accounts_hold", HOLD | {"account_id": f"'{rich.id}'"}).replace("public", "pg_temp"))
    elif table == "accounts_account":
        execute("UPDATE pg_temp.accounts_account SET held = 5")
    with refused_by(ALONE):
        execute(insert("accounts_hold", HOLD | {"account_id": f"'{rich.id}'"}))
    with refused_by("holds is not what its holds have left"):
        execute(f"UPDATE public.accounts_account SET held = 5 WHERE id = '{rich.id}'")
