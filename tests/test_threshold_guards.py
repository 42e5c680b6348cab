"""Every rule of a threshold, attacked in plain SQL, as tests/test_guards.py attacks the others.

An account's figures stay between its nearest thresholds, and those change only with the events that tell it.
"""

import json
from decimal import Decimal

import pytest

from accounts.models import Account, Threshold
from tests import cast
from tests.asking import remove_threshold, set_threshold
from tests.test_guards import (
    EVENT,
    execute,
    insert,
    refused_by,
    session,  # noqa: F401, a fixture
)

pytestmark = pytest.mark.django_db

ALONE = "a threshold was written without its account"
UNTOLD = "a threshold was written without the event that tells it"
NEAREST = "is not what its thresholds say"
CROSSED = "crosses a threshold untold"
LATER = "now() + interval '1 minute'"
THRESHOLD_ID = cast.new_id()
THRESHOLD = {
    "id": f"'{THRESHOLD_ID}'", '"of"': "'balance'", "amount": "50", "below": "false", "since": LATER,
    "created_at": LATER, "actor": "gen_random_uuid()", "request_id": "''", "event_sequence": "3",
}  # fmt: skip
TOLD = {"id": str(THRESHOLD_ID), "of": "balance", "amount": "50.00", "below": False}
REACHED = "{50,NULL,NULL,NULL}"  # the nearest of an account with 100 and this threshold

# What a new threshold has that it must not have.
INSERTS = [
    ("accounts_threshold_pkey", {"id": f"'{THRESHOLD_ID}'"}),
    ("threshold_id_is_used_once", {"id": f"'{THRESHOLD_ID}'"}),
    ("threshold_stands_once", {"id": "gen_random_uuid()", "amount": "50"}),
    ("threshold_of_is_known", {'"of"': "'held'"}),
    *(
        ("threshold_amount_is_bounded", {"amount": amount})
        for amount in ("1e15 + 0.00000001", "-1e15 - 0.00000001", "'NaN'")
    ),
    *(
        ("threshold_times_are_finite_and_in_order", values)
        for values in (
            {"since": "'infinity'"},
            {"created_at": "'-infinity'"},
            {"created_at": "'infinity'", "since": "'infinity'"},
            {"since": "'2020-01-01'"},
        )
    ),
]
CHANGES = [
    ("threshold_keeps_what_was_asked", change)
    for change in (
        "event_sequence = event_sequence",
        "event_sequence = event_sequence - 1",
        *(
            f"event_sequence = event_sequence + 1, {change}"
            for change in (
                "id = gen_random_uuid()",
                "account_id = gen_random_uuid()",
                "of = 'available'",
                "amount = 51",
                "created_at = '2020-01-01'",
                "actor = gen_random_uuid()",
                "request_id = 'x'",
            )
        ),
    )
]
REFUSALS = [("thresholds_are_never_emptied", "TRUNCATE accounts_threshold")]
CROSSINGS = [
    "balance = 49.99",
    "balance = 200",
    "held = 71",
    "credit_limit = 21, credit_limit_max = 21",
    "balance = 49.99, credit_limit = 50.01, credit_limit_max = 50.01",
]


def add(account, **values):
    """A threshold alone."""
    return insert("accounts_threshold", THRESHOLD | {"account_id": f"'{account.id}'"} | values)


def together(account, change, nearest, *, type="threshold.set", stream=None, **told):
    """A change of a threshold, the account's nearest then, and the event that tells it, in one statement."""
    number = Account.objects.get(id=account.id).event_sequence + 1
    event = EVENT | {
        "stream": f"'{stream or account.id}'",
        "sequence": str(number),
        "type": f"'{type}'",
        "recorded_at": LATER,
        "data": f"'{json.dumps(TOLD | told)}'",
    }
    nearest = "NULL" if nearest is None else f"'{nearest}'"
    moved = (
        f"UPDATE public.accounts_account SET event_sequence = {number}, last_recorded_at = {LATER},"
        f" nearest = {nearest} WHERE id = '{account.id}'"
    )
    return f"WITH told AS ({insert('events_event', event)}), moved AS ({moved}) {change}"


@pytest.fixture
def watched(rich):
    """100.00, with thresholds on both sides of both figures."""
    for of, amount in (("balance", "50"), ("balance", "200"), ("available", "30"), ("available", "120")):
        set_threshold(rich, amount, of)
    return rich


@pytest.mark.parametrize(("rule", "values"), INSERTS)
def test_a_threshold_that_cannot_be_is_refused(rich, rule, values):
    if "id" not in values:
        with refused_by(rule):
            execute(add(rich, **values))
        return
    execute(together(rich, add(rich), REACHED))
    other = cast.AccountFactory() if rule == "threshold_id_is_used_once" else rich
    with refused_by(rule):
        execute(add(other, **{"amount": "40"} | values))


@pytest.mark.parametrize(("rule", "change"), CHANGES)
def test_a_threshold_stays_what_was_asked(watched, rule, change):
    with refused_by(rule):
        execute(f"UPDATE accounts_threshold SET {change}")


@pytest.mark.parametrize(("rule", "attack"), REFUSALS)
def test_thresholds_are_not_emptied(watched, rule, attack):
    with refused_by(rule):
        execute(attack)


@pytest.mark.parametrize("change", CROSSINGS)
def test_nothing_crosses_a_threshold_untold(watched, change):
    with refused_by(CROSSED):
        execute(f"UPDATE accounts_account SET {change}")


def test_all_in_one_statement_pass(rich):
    execute(together(rich, add(rich), REACHED))
    fallen = (
        f"UPDATE accounts_threshold SET below = true, since = {LATER}, event_sequence = event_sequence + 1"
    )
    told = {"type": "balance.fell_below", "threshold": str(THRESHOLD_ID), "below": True}
    with refused_by(CROSSED):  # told it may be, but the balance is where it was
        execute(together(rich, fallen, "{NULL,50,NULL,NULL}", **told))
    execute(together(rich, "DELETE FROM accounts_threshold", None, type="threshold.removed"))
    assert not Threshold.objects.exists()


@pytest.mark.parametrize(
    "nearest", ["{NULL,50,NULL,NULL}", "{50}", "{NULL,NULL,50,NULL}", "{50,60,NULL,NULL}"]
)
def test_a_threshold_without_its_account_is_refused(rich, nearest):
    with refused_by(ALONE):
        execute(together(rich, add(rich), None))
    with pytest.raises(Exception, match=f"{NEAREST}|{ALONE}|{CROSSED}"):
        execute(together(rich, add(rich), nearest))


def test_an_account_without_its_thresholds_is_refused(watched):
    for nearest in ("NULL", "'{50,200,30,NULL}'", "'{49,200,30,120}'", "'{NULL,NULL,NULL,NULL}'"):
        with refused_by(NEAREST):
            execute(f"UPDATE accounts_account SET nearest = {nearest}")


@pytest.mark.parametrize(
    "told",
    [
        {"id": "00000000-0000-4000-8000-000000000001"},
        {"of": "available"},
        {"amount": "51.00"},
        {"below": True},
        {"threshold": "00000000-0000-4000-8000-000000000001"},
        {"type": "hold.placed"},
    ],
    ids=str,
)
def test_a_threshold_that_is_told_otherwise_is_refused(rich, told):
    with refused_by(UNTOLD):
        execute(together(rich, add(rich), REACHED, **told))


def test_a_threshold_that_is_told_at_another_time_or_of_another_account_is_refused(rich):
    other = cast.AccountFactory(funds="1")
    with refused_by(UNTOLD):
        execute(together(rich, add(rich, since=f"{LATER} + interval '1 minute'"), REACHED))
    with refused_by(UNTOLD):
        execute(together(rich, add(rich), REACHED, stream=other.id))


def test_a_threshold_is_not_removed_untold(watched):
    farthest = Threshold.objects.get(amount=200)
    set_threshold(watched, "300", "balance")  # so that what is nearest does not change
    gone = "DELETE FROM accounts_threshold WHERE amount = 300"
    with refused_by(UNTOLD):
        execute(gone)
    with refused_by(UNTOLD):
        execute(together(watched, gone, "{50,200,30,120}", type="threshold.removed", id=str(farthest.id)))
    remove_threshold(Threshold.objects.get(amount=300))
    assert Account.objects.get(id=watched.id).nearest == [Decimal(each) for each in (50, 200, 30, 120)]


def test_there_are_at_most_twenty(rich):
    for number in range(1, 21):
        set_threshold(rich, number, "balance")
    number = str(Account.objects.get(id=rich.id).event_sequence + 1)
    row = add(rich, amount="50", event_sequence=number)
    with refused_by(ALONE):
        execute(together(rich, row, REACHED))
