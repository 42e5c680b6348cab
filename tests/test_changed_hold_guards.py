"""What may be changed of an open hold, and how: attacked in plain SQL, as tests/test_hold_guards.py does."""

import pytest

from tests import cast
from tests.test_guards import (
    execute,
    refused_by,
    session,  # noqa: F401, a fixture
)
from tests.test_hold_guards import ALONE, CLOSED, UNTOLD, place, set_held, together

pytestmark = pytest.mark.django_db


def test_a_changed_hold_passes_as_it_is_told(rich):
    execute(together(rich, 5, place(rich)))
    for amount, expires_at in (("7.00", None), ("7.00", "2999-01-01T00:00:00Z"), ("3.00", None)):
        change = f"UPDATE accounts_hold SET amount = {amount}, expires_at = "
        change += f"'{expires_at}'" if expires_at else "NULL"
        for told in ({"amount": "4.00"}, {"expires_at": "2998-01-01T00:00:00Z"}):
            with refused_by(UNTOLD):
                execute(together(rich, amount, change, **{"amount": amount, "expires_at": expires_at} | told))
        with refused_by(ALONE):
            execute(together(rich, 9, change, amount=amount, expires_at=expires_at))
        execute(together(rich, amount, change, amount=amount, expires_at=expires_at))


@pytest.mark.parametrize(
    ("held", "changes"),
    [
        (3, "captured = 2"),
        (0, "status = 'RELEASED'" + CLOSED),
        (6, "amount = 6"),
        (5, "expires_at = '2999-01-01'"),
    ],
)
def test_a_change_of_a_hold_that_nothing_tells_is_refused(rich, held, changes):
    cast.hold(rich, "5")
    changes += ", event_sequence = event_sequence + 1"
    with refused_by(UNTOLD):
        execute(f"WITH held AS ({set_held(rich, held)}) UPDATE accounts_hold SET {changes}")


@pytest.mark.parametrize("changes", ["captured = 2", "amount = 6", "status = 'RELEASED'" + CLOSED])
def test_a_change_of_a_hold_alone_is_refused(rich, changes):
    cast.hold(rich, "5")
    with refused_by(ALONE):
        execute(f"UPDATE accounts_hold SET {changes}, event_sequence = event_sequence + 1")
