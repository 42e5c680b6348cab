"""A short drill, and what its verdict sees of a damaged ledger."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from tests.cast import UserFactory, deposit, hold, transfer, withdraw
from tests.faults.conftest import run_program
from tests.faults.restore_drill import WAYS
from tests.faults.restore_verdict import LATER, LOST, SUMS, WRONG, Reply, compare, find_unsound, read_contents

T = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.drill
@pytest.mark.serve
@pytest.mark.timeout(300)
def test_all_that_was_acknowledged_before_a_moment_is_restored_and_nothing_of_later(tmp_path):
    ended = run_program("restore_drill", tmp_path, "--seconds", "1", LEDGER_TEST_ROLE="")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert int(re.search(r"^(\d+) acknowledged", ended.stdout)[1]) > 50
    for way in WAYS:
        assert re.search(rf"^{way} .* 0$", ended.stdout, flags=re.M), ended.stdout
    # Made later than the chosen moment and than the dump; there would be nothing to see otherwise.
    for way in (WAYS[0], WAYS[-1]):
        assert int(re.search(rf"^{way} +[\d.]+ +(\d+)", ended.stdout, flags=re.M)[1]) > 0


@pytest.mark.parametrize(
    ("asked", "acknowledged", "found", "charges"),
    [
        (-2, -1, ("as told",), []),
        (-2, -1, ("otherwise",), [WRONG]),
        (-2, -1, None, [LOST]),
        (-1, 1, ("as told",), []),
        (-1, 1, None, []),
        (-1, 1, ("otherwise",), [WRONG]),
        (1, 2, None, []),
        (1, 2, ("as told",), [LATER]),
    ],
)
def test_the_verdict_knows_what_must_be_there(asked, acknowledged, found, charges):
    reply = Reply("x", T + asked * SECOND, T + acknowledged * SECOND, ("as told",))
    contents = {} if found is None else {"x": found}
    assert [charge for charge, _ in compare([reply], contents, T, T)] == charges


DAMAGES = [
    ("balances", "UPDATE accounts_account SET balance = balance + 1 WHERE balance > 0"),
    ("versions", "UPDATE accounts_account SET version = version - 1 WHERE version > 1"),
    ("holds", "UPDATE accounts_hold SET captured = 1"),
    ("events have gaps", "DELETE FROM events_event WHERE sequence = 2"),
    ("without their one event", "DELETE FROM events_event WHERE about = 2"),
    ("one leg", "DELETE FROM transactions_transaction WHERE transfer IS NOT NULL AND type = 'DEPOSIT'"),
    ("without a place", "DELETE FROM events_pending"),
    ("nowhere", "UPDATE accounts_account SET balance = balance + 1 WHERE balance > 0"),
    ("nowhere", "DELETE FROM transactions_transaction WHERE transfer IS NULL AND type = 'WITHDRAW'"),
]


@pytest.fixture
def damaged_by(db):
    """What the verdict says of a small ledger after the owner has switched the guards off."""
    petya, masha = (UserFactory().accounts.get() for _ in range(2))
    deposit(petya, "10")
    withdraw(petya, "2")
    transfer(petya, masha, "3")
    hold(petya, "4")

    def judge(damage=None):
        with connection.cursor() as cursor:
            if damage:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                for table in re.findall(r"(?:UPDATE|FROM) (\w+)", damage):
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                cursor.execute(damage)
                assert cursor.rowcount > 0
        return [what for _, what in find_unsound(connection.connection)]

    return judge


def test_a_sound_ledger_is_not_charged(damaged_by):
    assert damaged_by() == []
    assert len(read_contents(connection.connection)) == 5


@pytest.mark.parametrize(("says", "damage"), DAMAGES)
def test_the_verdict_sees_sums_that_are_not_right(damaged_by, says, damage):
    assert [what for what in damaged_by(damage) if says in what]


def test_every_sum_was_seen_to_be_wrong():
    assert all(any(says in name for says, _ in DAMAGES) for name in SUMS)
