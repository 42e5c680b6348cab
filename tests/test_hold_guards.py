"""Every rule of a hold, attacked in plain SQL, as tests/test_guards.py attacks the others.

What an account holds changes only together with its holds, and they only with it.
"""

import json
from decimal import Decimal

import pytest
from django.db import DataError
from django.db.transaction import atomic

from accounts.models import Account, Hold
from tests import cast
from tests.test_guards import (
    EVENT,
    execute,
    insert,
    refused_by,
    session,  # noqa: F401, a fixture
)

pytestmark = pytest.mark.django_db

ALONE = "a hold was written without its account"
UNTOLD = "a hold was written without the event that tells it"
LATER = "now() + interval '1 minute'"
UNEXPLAINED = "holds is not what its holds have left"
HOLD = {
    "id": "gen_random_uuid()", "amount": "5", "amount_asked": "5", "captured": "0", "status": "'OPEN'",
    "expires_at": "NULL", "expires_at_asked": "NULL",
    "reference": "''", "metadata": "'{}'", "created_at": "'2026-01-01'", "closed_at": "NULL",
    "actor": "gen_random_uuid()", "request_id": "''", "decline_reason": "NULL", "decline_details": "NULL",
    "event_sequence": "2",
}  # fmt: skip
HOLD_ID = cast.new_id()
TOLD = {
    "id": str(HOLD_ID), "amount": "5.00", "captured": "0.00", "status": "OPEN", "reference": "",
    "expires_at": None, "closed_at": None,
}  # fmt: skip
CLOSED_AT = "2026-01-02T00:00:00Z"
DECLINED = {
    "status": "'DECLINED'", "closed_at": "'2026-01-01'", "decline_reason": "'account_closed'",
    "decline_details": "'{}'",
}  # fmt: skip
CLOSED = ", closed_at = '2026-01-02'"

# What a new hold has that it must not have.
INSERTS = [
    ("accounts_hold_pkey", {"id": "'00000000-0000-4000-8000-000000000001'"}),
    ("hold_id_is_used_once", {"id": "'00000000-0000-4000-8000-000000000001'"}),
    *(
        ("hold_amount_is_positive_and_bounded", {"amount": amount})
        for amount in ("0", "-5", "1e12 + 0.00000001", "'NaN'")
    ),
    *(
        ("hold_amount_asked_is_positive_and_bounded", {"amount_asked": amount})
        for amount in ("0", "-5", "1e12 + 0.00000001", "'NaN'")
    ),
    ("hold_is_declined_with_reason", DECLINED | {"decline_reason": "NULL"}),
    ("hold_is_declined_with_reason", DECLINED | {"decline_details": "NULL"}),
    ("hold_is_declined_with_reason", {"decline_reason": "'account_closed'"}),
    ("hold_is_declined_with_reason", {"decline_details": "'{}'"}),
    ("hold_status_fits_what_was_captured", DECLINED | {"closed_at": "NULL"}),
    ("hold_status_fits_what_was_captured", {"closed_at": "'2026-01-01'"}),
    *(
        ("hold_times_are_finite", values)
        for moment in ("'infinity'", "'-infinity'")
        for values in ({"created_at": moment}, {"expires_at": moment}, DECLINED | {"closed_at": moment})
    ),
    ("hold_times_are_finite", {"expires_at_asked": "'infinity'"}),
    ("hold_metadata_has_texts", {"metadata": "'[]'"}),
    ("hold_metadata_has_texts", {"metadata": "'null'"}),
    ("hold_metadata_has_texts", {"metadata": "'{\"a\": 1}'"}),
    ("hold_captures_at_most_its_amount", {"captured": "-1"}),
    ("hold_captures_at_most_its_amount", {"captured": "'NaN'"}),
    ("hold_status_fits_what_was_captured", {"status": "'PENDING'"}),
    (
        "hold_never_starts_expired",
        {"status": "'EXPIRED'", "expires_at": "'2026-01-01'", "closed_at": "'2026-01-01'"},
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
    ("hold_times_are_finite", "expires_at = 'infinity'"),
    ("hold_amount_is_positive_and_bounded", "amount = 'NaN'"),
    ("hold_amount_is_positive_and_bounded", "amount = 1e12 + 0.00000001"),
    ("hold_captures_at_most_its_amount", "captured = 3, amount = 2"),
    *(
        ("hold_keeps_what_was_asked", change)
        for change in (
            "captured = -1",
            "amount_asked = 31",
            "expires_at_asked = now()",
            "id = gen_random_uuid()",
            "batch = gen_random_uuid()",
            "account_id = gen_random_uuid()",
            "reference = 'x'",
            'metadata = \'{"a": "b"}\'',
            "created_at = '2020-01-01'",
            "actor = gen_random_uuid()",
            "request_id = 'x'",
            "event_sequence = event_sequence",
            "status = 'DECLINED', closed_at = now(), decline_reason = 'x', decline_details = '{}'",
        )
    ),
]
STATUSES = ["OPEN", "CAPTURED", "RELEASED", "EXPIRED", "DECLINED"]
REFUSALS = [
    ("hold_is_never_deleted", "DELETE FROM accounts_hold"),
    ("holds_are_never_emptied", "TRUNCATE accounts_hold"),
    ("hold_keeps_what_was_asked", "UPDATE accounts_hold SET amount = amount WHERE status <> 'OPEN'"),
]


def add(account, **values):
    """A hold alone."""
    return insert("accounts_hold", HOLD | {"account_id": f"'{account.id}'"} | values)


def place(account, **values):
    """The same, as the next event of the account tells it."""
    number = Account.objects.get(id=account.id).event_sequence + 1
    return add(account, **{"id": f"'{HOLD_ID}'", "event_sequence": str(number)} | values)


def set_held(account, held):
    return f"UPDATE public.accounts_account SET held = {held} WHERE id = '{account.id}'"


def together(account, held, change, *, of=HOLD_ID, **told):
    """A change of a hold, what its account holds then, and the event that tells it, in one statement."""
    number = Account.objects.get(id=account.id).event_sequence + 1
    told = TOLD | {"id": str(of)} | told
    event = EVENT | {
        "stream": f"'{account.id}'",
        "sequence": str(number),
        "type": "'hold.placed'",
        "recorded_at": LATER,
        "data": f"'{json.dumps(told)}'",
    }
    held = set_held(account, held).replace(
        "SET ", f"SET event_sequence = {number}, last_recorded_at = {LATER}, "
    )
    change = change.replace("SET ", f"SET event_sequence = {number}, ")
    return f"WITH told AS ({insert('events_event', event)}), held AS ({held}) {change}"


@pytest.mark.parametrize(("rule", "values"), INSERTS)
def test_a_hold_that_cannot_be_is_refused(rich, rule, values):
    if "id" in values:
        first = rich if rule == "accounts_hold_pkey" else cast.AccountFactory()
        if first != rich:
            cast.deposit(first, "5")
        execute(together(first, 5, place(first, **values), of=values["id"].strip("'")))
    with refused_by(rule):
        execute(add(rich, **values))


@pytest.mark.parametrize(("rule", "change"), CHANGES)
def test_an_open_hold_is_not_made_into_what_cannot_be(rich, rule, change):
    cast.hold(rich, "5")
    if "event_sequence" not in change:
        change += ", event_sequence = event_sequence + 1"
    with refused_by(rule):
        execute(f"UPDATE accounts_hold SET {change}")


@pytest.mark.parametrize(
    ("rule", "attack", "status"),
    [
        (rule, attack, status)
        for rule, attack in REFUSALS
        for status in STATUSES
        if status != "OPEN" or "UPDATE" not in attack
    ],
)
def test_a_hold_stays_and_a_closed_one_stays_as_it_is(rich, rule, attack, status):
    asked = "101" if status == "DECLINED" else "5"
    placed = cast.hold(rich, asked, expires_at=cast.day("2999-01-01"))
    if status not in ("OPEN", "DECLINED"):
        captured = 5 if status == "CAPTURED" else 0
        closed = f"UPDATE accounts_hold SET status = '{status}', captured = {captured}{CLOSED}"
        told = {"expires_at": "2999-01-01T00:00:00Z", "closed_at": CLOSED_AT}
        execute(together(rich, 0, closed, of=placed.id, status=status, captured=str(captured), **told))
    assert Hold.objects.get().status == status
    with refused_by(rule):
        execute(attack)


def test_infinite_money_is_not_held(rich):
    cast.hold(rich, "5")
    for infinite in ("'Infinity'", "'-Infinity'"):
        for attack in (
            add(rich, amount=infinite),
            f"UPDATE accounts_hold SET captured = {infinite}",
            f"UPDATE accounts_account SET withdraw_max = {infinite}",
            f"UPDATE accounts_account SET withdraw_day_max = {infinite}",
            f"UPDATE accounts_account SET withdrawn = {infinite}, withdrawn_on = '2026-01-01'",
        ):
            with pytest.raises(DataError, match="numeric field overflow"), atomic():
                execute(attack)


def test_both_in_one_statement_pass(rich):
    execute(together(rich, 5, place(rich)))
    execute(together(rich, 3, "UPDATE accounts_hold SET captured = 2", captured="2"))
    release = f"UPDATE accounts_hold SET status = 'RELEASED'{CLOSED}"
    execute(together(rich, 0, release, captured="2", status="RELEASED", closed_at=CLOSED_AT))
    hold = Hold.objects.get()
    assert (hold.captured, hold.status) == (Decimal(2), Hold.Status.RELEASED)


@pytest.mark.parametrize(
    "told",
    [
        {"id": "00000000-0000-4000-8000-000000000001"},
        {"amount": "6.00"},
        {"captured": "1.00"},
        {"status": "RELEASED"},
        {"reference": "x"},
        {"expires_at": CLOSED_AT},
        {"closed_at": CLOSED_AT},
    ],
    ids=str,
)
def test_a_hold_that_is_told_otherwise_is_refused(rich, told):
    with refused_by(UNTOLD):
        execute(together(rich, 5, place(rich), **told))


def test_a_hold_that_nothing_tells_is_refused(rich):
    with refused_by(UNTOLD):
        execute(f"WITH held AS ({set_held(rich, 5)}) {place(rich)}")


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        (ALONE, {"captured": "1"}),
        (UNTOLD, {"status": "'RELEASED'", "closed_at": "'2026-01-01'"}),
        (UNTOLD, {"status": "'CAPTURED'", "captured": "5", "closed_at": "'2026-01-01'"}),
    ],
)
def test_what_was_captured_or_ended_at_once_is_told_too(rich, rule, values):
    with refused_by(rule):
        execute(place(rich, **values))


@pytest.mark.parametrize("held", ["0", "29.99999999", "30.00000001"])
def test_what_is_held_alone_is_refused(rich, held):
    cast.hold(rich, "30")
    with refused_by(UNEXPLAINED):
        execute(set_held(rich, held))


def test_what_is_captured_never_shrinks(rich):
    placed = cast.hold(rich, "5")
    execute(together(rich, 3, "UPDATE accounts_hold SET captured = 2", of=placed.id, captured="2"))
    with refused_by("hold_keeps_what_was_asked"):
        execute("UPDATE accounts_hold SET captured = 1, event_sequence = event_sequence + 1")


@pytest.mark.parametrize("whose", ["own", "another's", "nobody's"])
def test_a_hold_without_its_account_is_refused(rich, whose):
    of = {"own": rich, "another's": cast.AccountFactory(), "nobody's": Account(id=cast.new_id())}
    with refused_by(ALONE):
        execute(together(rich, 5, place(of[whose])) if whose == "another's" else add(of[whose]))


@pytest.mark.parametrize("table", ["accounts_hold", "accounts_account", "new_holds"])
def test_a_temporary_table_does_not_fool_the_guards(rich, table):
    """In the first two all would be in order, if the guards looked there."""
    source = "accounts_hold" if table == "new_holds" else table
    execute(f"CREATE TEMPORARY TABLE {table} AS SELECT * FROM public.{source}")
    if table == "accounts_hold":
        execute(add(rich).replace("public", "pg_temp"))
    elif table == "accounts_account":
        execute("UPDATE pg_temp.accounts_account SET held = 5")
    with refused_by(ALONE):
        execute(add(rich))
    with refused_by(UNEXPLAINED):
        execute(set_held(rich, 5))
