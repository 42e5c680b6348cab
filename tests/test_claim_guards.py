"""Every rule of a claim, attacked in plain SQL, as tests/test_guards.py attacks the others.

What an account owes changes only together with its claims, and what they have collected only together with
the rows that took it.
"""

import json

import pytest

from accounts.models import Account, Claim
from tests import cast
from tests.claims import claim, waive
from tests.test_guards import (
    EVENT,
    execute,
    insert,
    refused_by,
    session,  # noqa: F401, a fixture
)

pytestmark = pytest.mark.django_db

ALONE = "a claim was written without its account"
UNTOLD = "a claim was written without the event that tells it"
UNEXPLAINED = "owes is not what its claims have left"
UNTAKEN = "has collected is not what was taken for it"
UNCLAIMED = "a collection was written without its claim"
LATER = "now() + interval '1 minute'"
CLAIM_ID = cast.new_id()
CLAIM = {
    "id": f"'{CLAIM_ID}'", "amount": "5", "amount_asked": "5", "collected": "0", "collections": "0",
    "status": "'OPEN'",
    "decline_reason": "NULL", "decline_details": "NULL", "reason": "'x'", "reference": "''",
    "destination": "NULL", "reverses": "NULL", "waived_reason": "NULL", "created_at": "'2026-01-01'",
    "closed_at": "NULL", "actor": "gen_random_uuid()", "request_id": "''", "event_sequence": "2",
}  # fmt: skip
TOLD = {
    "id": str(CLAIM_ID), "amount": "5.00", "collected": "0.00", "status": "OPEN", "reason": "x",
    "reference": "", "destination": None, "reverses": None, "waived_reason": None, "closed_at": None,
}  # fmt: skip
DECLINED = {
    "status": "'DECLINED'", "closed_at": "'2026-01-01'", "decline_reason": "'account_closed'",
    "decline_details": "'{}'",
}  # fmt: skip
WAIVED = {"status": "'WAIVED'", "closed_at": "'2026-01-01'", "waived_reason": "'x'"}
TAKEN = {"collected": "5", "collections": "1"}
CLOSED = ", closed_at = '2026-01-02'"

# What a new claim has that it must not have.
INSERTS = [
    ("accounts_claim_pkey", {"id": "'00000000-0000-4000-8000-000000000001'"}),
    ("claim_id_is_used_once", {"id": "'00000000-0000-4000-8000-000000000001'"}),
    *(
        ("claim_amount_is_positive_and_bounded", {"amount": amount, "amount_asked": amount})
        for amount in ("0", "-5", "1e12 + 0.00000001", "'NaN'")
    ),
    ("claim_amount_is_positive_and_bounded", {"amount_asked": "6"}),
    ("claim_is_declined_with_reason", DECLINED | {"decline_reason": "NULL"}),
    ("claim_is_declined_with_reason", DECLINED | {"decline_details": "NULL"}),
    ("claim_is_declined_with_reason", {"decline_reason": "'account_closed'"}),
    ("claim_is_waived_with_reason", WAIVED | {"waived_reason": "NULL"}),
    ("claim_is_waived_with_reason", {"waived_reason": "'x'"}),
    *(
        ("claim_status_fits_what_was_collected", values)
        for values in (
            DECLINED | {"closed_at": "NULL"},
            DECLINED | TAKEN,
            {"closed_at": "'2026-01-01'"},
            {"status": "'PENDING'"},
            {"status": "'COLLECTED'", "closed_at": "'2026-01-01'"},
            WAIVED | TAKEN,
            TAKEN,
        )
    ),
    *(
        ("claim_collects_at_most_its_amount", values)
        for values in (
            {"collected": "-1", "collections": "1"},
            {"collected": "1"},
            {"collections": "1"},
            {"collected": "'NaN'", "collections": "1"},
            {"collected": "5.00000001", "collections": "1"},
        )
    ),
    *(
        ("claim_times_are_finite", values)
        for moment in ("'infinity'", "'-infinity'")
        for values in ({"created_at": moment}, DECLINED | {"closed_at": moment})
    ),
]
# What an open claim of 5 is made of.
CHANGES = [
    ("claim_collects_at_most_its_amount", "collected = 5.00000001, collections = 1"),
    ("claim_status_fits_what_was_collected", "status = 'WAIVED', waived_reason = 'x'"),
    ("claim_status_fits_what_was_collected", "status = 'COLLECTED'" + CLOSED),
    *(
        ("claim_keeps_what_was_asked", change)
        for change in (
            "collected = 1",
            "collections = 1",
            "collected = -1, collections = -1",
            "amount = 31",
            "amount_asked = NULL",
            "id = gen_random_uuid()",
            "batch = gen_random_uuid()",
            "account_id = gen_random_uuid()",
            "reason = 'y'",
            "reference = 'x'",
            "destination = gen_random_uuid()",
            "reverses = gen_random_uuid()",
            "created_at = '2020-01-01'",
            "actor = gen_random_uuid()",
            "request_id = 'x'",
            "event_sequence = event_sequence",
            "status = 'DECLINED', closed_at = now(), decline_reason = 'x', decline_details = '{}'",
        )
    ),
]
REFUSALS = [
    ("claim_is_never_deleted", "DELETE FROM accounts_claim"),
    ("claims_are_never_emptied", "TRUNCATE accounts_claim"),
    ("claim_keeps_what_was_asked", "UPDATE accounts_claim SET amount = amount WHERE status <> 'OPEN'"),
]
OTHERS = [("claim_is_not_paid_to_its_own_account", "")]


def add(account, **values):
    """A claim alone."""
    return insert("accounts_claim", CLAIM | {"account_id": f"'{account.id}'"} | values)


def open_one(account, **values):
    """The same, as the next event of the account tells it."""
    number = Account.objects.get(id=account.id).event_sequence + 1
    return add(account, **{"event_sequence": str(number)} | values)


def set_owed(account, owed):
    return f"UPDATE public.accounts_account SET owed = {owed} WHERE id = '{account.id}'"


def together(account, owed, change, *, of=CLAIM_ID, **told):
    """A change of a claim, what its account owes then, and the event that tells it, in one statement."""
    number = Account.objects.get(id=account.id).event_sequence + 1
    event = EVENT | {
        "stream": f"'{account.id}'",
        "sequence": str(number),
        "type": "'claim.opened'",
        "recorded_at": LATER,
        "data": f"'{json.dumps(TOLD | {'id': str(of)} | told)}'",
    }
    owed = set_owed(account, owed).replace(
        "SET ", f"SET event_sequence = {number}, last_recorded_at = {LATER}, "
    )
    change = change.replace("SET ", f"SET event_sequence = {number}, ")
    return f"WITH told AS ({insert('events_event', event)}), owed AS ({owed}) {change}"


@pytest.mark.parametrize(("rule", "values"), INSERTS)
def test_a_claim_that_cannot_be_is_refused(account, rule, values):
    if "id" in values:
        first = account if rule == "accounts_claim_pkey" else cast.AccountFactory()
        execute(together(first, 5, open_one(first, **values), of=values["id"].strip("'")))
    with refused_by(rule):
        execute(add(account, **values))


def test_a_claim_is_not_paid_to_its_own_account(account):
    [(rule, _)] = OTHERS
    with refused_by(rule):
        execute(add(account, destination=f"'{account.id}'"))


@pytest.mark.parametrize(("rule", "change"), CHANGES)
def test_an_open_claim_is_not_made_into_what_cannot_be(account, rule, change):
    claim(account, "5")
    if "event_sequence" not in change:
        change += ", event_sequence = event_sequence + 1"
    with refused_by(rule):
        execute(f"UPDATE accounts_claim SET {change}")


@pytest.mark.parametrize(("rule", "attack"), REFUSALS)
@pytest.mark.parametrize("status", ["COLLECTED", "WAIVED"])
def test_a_claim_stays_and_a_closed_one_stays_as_it_is(rich, rule, attack, status):
    owed = claim(rich, "5" if status == "COLLECTED" else "105")
    assert (owed if status == "COLLECTED" else waive(owed)).status == status
    with refused_by(rule):
        execute(attack)


def test_both_in_one_statement_pass(account):
    execute(together(account, 5, open_one(account)))
    waiving = f"UPDATE accounts_claim SET status = 'WAIVED', waived_reason = 'y'{CLOSED}"
    told = {"status": "WAIVED", "waived_reason": "y", "closed_at": "2026-01-02T00:00:00Z"}
    execute(together(account, 0, waiving, **told))
    assert Claim.objects.get().status == Claim.Status.WAIVED


@pytest.mark.parametrize(
    "told",
    [
        {"id": "00000000-0000-4000-8000-000000000001"},
        {"amount": "6.00"},
        {"collected": "1.00"},
        {"status": "WAIVED"},
        {"reason": "y"},
        {"reference": "x"},
        {"destination": "00000000-0000-4000-8000-000000000001"},
        {"reverses": "00000000-0000-4000-8000-000000000001"},
        {"waived_reason": "y"},
        {"closed_at": "2026-01-02T00:00:00Z"},
    ],
    ids=str,
)
def test_a_claim_that_is_told_otherwise_is_refused(account, told):
    with refused_by(UNTOLD):
        execute(together(account, 5, open_one(account), **told))


@pytest.mark.parametrize("owed", ["0", "4.99999999", "5.00000001"])
def test_what_is_owed_alone_is_refused(account, owed):
    claim(account, "5")
    with refused_by(UNEXPLAINED):
        execute(set_owed(account, owed))


def test_a_waiver_that_nothing_tells_or_nobody_counts_is_refused(account):
    claim(account, "5")
    change = f"status = 'WAIVED', waived_reason = 'x'{CLOSED}, event_sequence = event_sequence + 1"
    with refused_by(ALONE):
        execute(f"UPDATE accounts_claim SET {change}")
    with refused_by(UNTOLD):
        execute(f"WITH owed AS ({set_owed(account, 0)}) UPDATE accounts_claim SET {change}")


@pytest.mark.parametrize("whose", ["own", "another's", "nobody's"])
def test_a_claim_without_its_account_is_refused(account, whose):
    of = {"own": account, "another's": cast.AccountFactory(), "nobody's": Account(id=cast.new_id())}
    with refused_by(ALONE):
        execute(together(account, 5, open_one(of[whose])) if whose == "another's" else add(of[whose]))


@pytest.mark.parametrize("is_new", [True, False])
def test_what_was_not_taken_is_not_collected(account, is_new):
    told = {"collected": "2.00"}
    if is_new:
        change = open_one(account, collected="2", collections="1")
        attack = together(account, 3, change, **told)
    else:
        owed = claim(account, "5", reason="x")
        change = "UPDATE accounts_claim SET collected = 2, collections = 1"
        attack = together(account, 3, change, of=owed.id, **told)
    with refused_by(UNTAKEN):
        execute(attack)
