"""What an account holds changes only together with its holds, and they only with it: attacked in SQL."""

from decimal import Decimal

import pytest

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
UNEXPLAINED = "holds is not what its holds have left"


@pytest.fixture
def placed(account):
    cast.deposit(account, "100")
    return cast.hold(account, "30")


def change(placed, changes):
    return f"UPDATE public.accounts_hold SET {changes} WHERE id = '{placed.id}'"


def set_held(placed, held):
    return f"UPDATE public.accounts_account SET held = {held} WHERE id = '{placed.account_id}'"


def another(placed, **columns):
    """A second hold of 5 on the same account."""
    values = {
        "id": "gen_random_uuid()",
        "account_id": f"'{placed.account_id}'",
        "amount": "5",
        "captured": "0",
        "status": "'OPEN'",
        "reference": "''",
        "metadata": "'{}'",
        "created_at": "now()",
        "actor": "gen_random_uuid()",
        "request_id": "''",
    }
    return insert("accounts_hold", values | columns)


def test_both_in_one_statement_pass(placed):
    execute(f"WITH held AS ({set_held(placed, 35)}) {another(placed)}")
    execute(f"WITH held AS ({set_held(placed, 25)}) {change(placed, 'captured = 10')}")
    closed = change(placed, "status = 'RELEASED', closed_at = now()")
    execute(f"WITH held AS ({set_held(placed, 5)}) {closed}")
    placed.refresh_from_db()
    assert (placed.captured, placed.status) == (Decimal(10), Hold.Status.RELEASED)


@pytest.mark.parametrize("held", ["0", "29.99999999", "30.00000001"])
def test_what_is_held_alone_is_refused(placed, held):
    with refused_by(UNEXPLAINED):
        execute(set_held(placed, held))


def test_a_hold_alone_is_refused(placed):
    with refused_by(ALONE):
        execute(another(placed))


@pytest.mark.parametrize("changes", ["captured = 10", "status = 'RELEASED', closed_at = now()"])
def test_a_change_of_a_hold_alone_is_refused(placed, changes):
    with refused_by(ALONE):
        execute(change(placed, changes))


@pytest.mark.parametrize("columns", [{"captured": "1"}, {"status": "'RELEASED'", "closed_at": "now()"}])
def test_a_hold_that_does_not_start_at_its_beginning_is_refused(placed, columns):
    with refused_by("hold_starts_open_or_declined"):
        execute(another(placed, **columns))


@pytest.mark.parametrize(
    "changes",
    [
        "id = gen_random_uuid()",
        "account_id = gen_random_uuid()",
        "amount = 31",
        "expires_at = now()",
        "reference = 'x'",
        'metadata = \'{"a": "b"}\'',
        "created_at = '2020-01-01'",
        "actor = gen_random_uuid()",
        "request_id = 'x'",
        "status = 'DECLINED', closed_at = now(), decline_reason = 'x', decline_details = '{}'",
    ],
)
def test_a_hold_keeps_what_was_asked(placed, changes):
    with refused_by("hold_keeps_what_was_asked"):
        execute(change(placed, changes))


def test_what_is_captured_never_shrinks_and_a_closed_hold_never_changes(placed):
    execute(f"WITH held AS ({set_held(placed, 20)}) {change(placed, 'captured = 10')}")
    with refused_by("hold_keeps_what_was_asked"):
        execute(change(placed, "captured = 9"))
    closed = change(placed, "status = 'CAPTURED', closed_at = now()")
    execute(f"WITH held AS ({set_held(placed, 0)}) {closed}")
    with refused_by("hold_keeps_what_was_asked"):
        execute(change(placed, "closed_at = now()"))


@pytest.mark.parametrize(
    ("guard", "attack"),
    [
        ("hold_is_never_deleted", "DELETE FROM accounts_hold"),
        ("holds_are_never_emptied", "TRUNCATE accounts_hold"),
    ],
)
def test_a_hold_stays(placed, guard, attack):
    with refused_by(guard):
        execute(attack)
