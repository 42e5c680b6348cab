"""What is taken back is the opposite of a posted transaction of the account, and never more than it was.

Attacked in plain SQL, as an ordinary session and as a replica.
"""

import pytest

from tests.cast import AccountFactory, day, deposit, withdraw
from tests.test_guards import (
    AFTER_DECLINED,
    AFTER_SECOND,
    DECLINED,
    SECOND,
    execute,
    post,
    refused_by,
    session,  # noqa: F401, a fixture
)

pytestmark = pytest.mark.django_db

GUARD = "is of what is not left of a posted transaction of its account"


@pytest.fixture
def given(account):
    """A deposit of 10, whose account has a second row then."""
    return deposit(account, "10", effective_at=day("2023-01-04"))


def take_back(account, *parts, of, seq=2, balance=10, **changes):
    """A statement that posts withdrawals of these amounts, which take back the row `of`."""
    rows = []
    for number, amount in enumerate(parts, start=seq):
        balance -= amount
        place = {"seq": f"{number}", "version": f"{number}", "recorded_at": f"'2999-01-{number:02}'"}
        row = SECOND | place | {"type": "'WITHDRAW'", "amount": f"{amount}", "balance_after": f"{balance}"}
        rows.append(row | {"reverses": f"'{of}'"} | changes)
    last = rows[-1]
    after = {name: last[name] for name in ("seq", "version")} | {"event_sequence": "99"}
    after |= {"balance": f"{balance}", "last_recorded_at": last["recorded_at"]}
    return post(account, AFTER_SECOND | after, *rows)


@pytest.mark.parametrize("parts", [[10], [4, 6], [4, 3, 3], [1]])
def test_no_more_than_there_was_is_taken_back(account, given, parts):
    execute(take_back(account, *parts, of=given.id))
    account.refresh_from_db()
    assert account.balance == 10 - sum(parts)


@pytest.mark.parametrize("parts", [["10.00000001"], [4, 7], [4, 3, 4]])
def test_more_than_there_was_is_refused_in_one_statement(account, given, parts):
    deposit(account, "90")
    parts = [float(part) if isinstance(part, str) else part for part in parts]
    with refused_by(GUARD):
        execute(take_back(account, *parts, of=given.id, seq=3, balance=100))


@pytest.mark.parametrize("last", [4, 5])
def test_more_than_is_left_is_refused_in_a_later_statement(account, given, last):
    deposit(account, "90")
    execute(take_back(account, 6, of=given.id, seq=3, balance=100))
    statement = take_back(account, last, of=given.id, seq=4, balance=94)
    if last == 4:
        execute(statement)
    else:
        with refused_by(GUARD):
            execute(statement)


@pytest.mark.parametrize("amount", [5, 6])
def test_of_a_row_of_the_same_statement_no_more_than_that_is_taken_back(account, given, amount):
    id = "'00000000-0000-4000-8000-000000000077'"
    made = SECOND | {"id": id, "balance_after": "15", "recorded_at": "'2999-01-02'", "reverses": "NULL"}
    third = {"type": "'WITHDRAW'", "amount": f"{amount}", "seq": "3", "version": "3", "reverses": id}
    back = SECOND | third | {"balance_after": f"{15 - amount}"}
    statement = post(
        account, AFTER_SECOND | {"seq": "3", "version": "3", "balance": f"{15 - amount}"}, made, back
    )
    if amount == 5:
        execute(statement)
    else:
        with refused_by(GUARD):
            execute(statement)


WRONG = {
    "of the same type": {"type": "'DEPOSIT'"},
    "of what is not there": {"reverses": "gen_random_uuid()"},
    "before it moved": {"effective_at": "'2023-01-03T23:59:59.999999Z'"},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_opposite_is_refused(account, given, name):
    after = {"balance": "15"} if "type" in WRONG[name] else {"balance": "5"}
    row = SECOND | {"type": "'WITHDRAW'", "reverses": f"'{given.id}'", **WRONG[name]}
    row["balance_after"] = after["balance"]
    with refused_by(GUARD):
        execute(post(account, AFTER_SECOND | after, row))


def test_of_another_account_nothing_is_taken_back(account, given):
    other = AccountFactory(funds="10")
    with refused_by(GUARD):
        execute(take_back(other, 4, of=given.id))


def test_what_was_declined_is_not_taken_back(account, given):
    declined = withdraw(account, "500", effective_at=day("2023-01-05"))
    row = SECOND | {"seq": "3", "amount": "4", "balance_after": "14", "reverses": f"'{declined.id}'"}
    with refused_by(GUARD):
        execute(post(account, AFTER_SECOND | {"seq": "3", "balance": "14"}, row))


def test_a_reversal_is_not_taken_back(account, given):
    execute(take_back(account, 4, of=given.id))
    [(part,)] = execute("SELECT id FROM transactions_transaction WHERE reverses IS NOT NULL")
    row = SECOND | {"seq": "3", "version": "3", "amount": "4", "balance_after": "10"}
    row |= {"recorded_at": "'2999-01-04'", "reverses": f"'{part}'"}
    after = {"seq": "3", "version": "3", "balance": "10", "last_recorded_at": "'2999-01-04'"}
    with refused_by(GUARD):
        execute(post(account, AFTER_SECOND | after, row))


def test_a_declined_reversal_of_any_amount_may_stand_there(account, given):
    row = DECLINED | {"seq": "2", "amount": "500", "balance_after": "10", "type": "'WITHDRAW'"}
    execute(post(account, AFTER_DECLINED | {"seq": "2"}, row | {"reverses": f"'{given.id}'"}))
    [(count,)] = execute("SELECT count(*) FROM transactions_transaction WHERE reverses IS NOT NULL")
    assert count == 1
