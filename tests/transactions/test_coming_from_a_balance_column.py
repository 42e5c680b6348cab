"""docs/moving-in.md happens as it is written there: its SQL on the old tables, its commands on the files."""

import random
import re
import shlex
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import Account
from tests.cast import day, deposit
from transactions.models import Transaction

pytestmark = pytest.mark.django_db
PAGE = (Path(__file__).parents[2] / "docs" / "moving-in.md").read_text()
TABLES, LOOK, *EXPORTS = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
FILES = ("movements.csv", "balances.csv", "balances_then.csv")
COMMANDS = [shlex.split(line)[2:] for line in re.findall(r"^python manage\.py .*$", PAGE, re.MULTILINE)]
CUSTOMERS = 40
START = day("2023-01-01")


@pytest.fixture
def old(tmp_path, monkeypatch):
    """The old system: histories that are whole, that do not reach back, or that lack something."""
    monkeypatch.chdir(tmp_path)
    chance = random.Random(5)
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for customer in range(1, CUSTOMERS + 1):
            cursor.execute("INSERT INTO customers VALUES (%s, 0, %s)", [customer, START])
            balance = 0 if customer % 3 else chance.randint(1, 10_000)  # from before the history
            for _ in range(0 if customer <= 2 else chance.randint(1, 40)):
                balance += change(cursor, chance, customer, balance)
            cursor.execute(
                "UPDATE customers SET balance = %s::numeric / 100 WHERE id = %s", [balance, customer]
            )
        cursor.execute("UPDATE customers SET balance = balance - 0.01 WHERE balance > 0 AND id % 10 = 9")
        yield cursor


def change(cursor, chance, customer, balance):
    """A row of the history, in cents; several may be of the same moment."""
    cents = chance.randint(1, 5000) if balance <= 0 or chance.random() < 0.5 else -chance.randint(1, balance)
    cursor.execute("SELECT coalesce(max(created_at), %s) FROM balance_history", [START])
    moment = cursor.fetchone()[0] + chance.choice([timedelta(0), timedelta(hours=chance.randint(1, 12))])
    cursor.execute(
        "INSERT INTO balance_history SELECT count(*) + 1, %s, %s::numeric / 100, %s, %s FROM balance_history",
        [customer, cents, 'order 7, "gross"', moment],
    )
    return cents


def export(cursor):
    for query, name in zip(EXPORTS, FILES, strict=True):
        with cursor.copy(query) as rows:
            Path(name).write_bytes(b"".join(bytes(row) for row in rows))


def test_the_recipe_ends_with_equal_balances(old, command):
    old.execute(LOOK)
    looked = {row[0]: row[2] for row in old.fetchall()}
    assert any(missing > 0 for missing in looked.values())
    assert any(missing < 0 for missing in looked.values())
    export(old)
    assert {name for name, *_ in COMMANDS} == {"import_transactions", "compare_balances", "audit_balances"}
    for name, *options in COMMANDS:
        command(0, name, *options)
    old.execute("SELECT id, balance FROM customers WHERE balance > 0")
    for customer, balance in old.fetchall():
        assert Account.objects.get(user__external_id=str(customer)).balance == balance
    assert not Transaction.objects.filter(late=True).exists()
    openings = Transaction.objects.filter(reference="opening balance")
    assert {row.account.user.external_id: row.amount for row in openings.select_related("account__user")} == {
        str(customer): missing for customer, missing in looked.items() if missing > 0
    }


@pytest.fixture
def moved_in(old, command):
    export(old)
    command(0, *COMMANDS[1])
    return old


COMPARE, COMPARE_THEN = (each for each in COMMANDS if each[0] == "compare_balances")


@pytest.mark.usefixtures("moved_in")
def test_a_planted_difference_is_found(command):
    account = Account.objects.get(user__external_id="7")
    deposit(account, "0.01", effective_at=day("2023-02-01"))
    account.refresh_from_db()
    said = command(1, *COMPARE)
    before, after = account.balance - Decimal("0.01"), account.balance
    assert (
        f"line 8, external_id 7, account {account.id}: {before:.2f} expected, {after:.2f} USD found." in said
    )
    assert "1 balances differ." in said
    assert "1 balances differ." in command(1, *COMPARE_THEN)


@pytest.mark.usefixtures("moved_in")
def test_an_account_that_no_line_names_and_a_line_without_an_account_are_differences(command):
    lines = Path("balances.csv").read_text().splitlines()
    Path("balances.csv").write_text("\n".join([*lines[:7], *lines[8:], "99,USD,5.00", "98,USD,0"]))
    said = command(1, *COMPARE)
    assert "2 balances differ." in said
    assert "line 41, external_id 99: 5.00 expected, There is no such user." in said
    account = Account.objects.get(user__external_id="7")
    assert f"no line, external_id 7, account {account.id}: {account.balance:.2f} USD found." in said
    assert "1 balances differ." in command(1, "compare_balances", "balances.csv")
    Path("balances.csv").write_text("\n".join([*lines, lines[7]]))
    assert "Another line names this account too." in command(1, *COMPARE)
    Path("balances.csv").write_text("external_id,balance\n7,x\n")
    assert "line 2, balance: amount_invalid" in command(2, *COMPARE)


def test_the_next_night_brings_what_is_new_and_finds_what_was_changed(moved_in, command):
    old, before = moved_in, Transaction.objects.count()
    cents = change(old, random.Random(1), 7, 0)
    old.execute("UPDATE customers SET balance = balance + %s::numeric / 100 WHERE id = 7", [cents])
    export(old)
    assert "1    │ posted" in command(0, *COMMANDS[1])
    assert Transaction.objects.count() == before + 1
    command(0, *COMPARE)
    old.execute("UPDATE balance_history SET change = change + 0.01 WHERE id = 7")
    export(old)
    assert "idempotency_key_reused" in command(2, *COMMANDS[1])
    assert Transaction.objects.count() == before + 1
