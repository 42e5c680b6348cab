"""A statement: the days inclusive, the lines by effect, the totals equal to the balances at both ends."""

import csv
import io
import json
import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger.callers import Caller
from tests.cast import AccountFactory, OrderFactory, day, deposit, withdraw
from transactions import posting

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(reader, account):
    def send(first, last, tz=None, accept="application/json", of=account):
        query = {"from": first, "to": last} | ({"tz": tz} if tz else {})
        return reader.get(f"/api/v1/accounts/{of.id}/statement", query, headers={"Accept": accept})

    return send


def read_body(answer):
    return (answer.getvalue() if answer.streaming else answer.content).decode()


def read(answer):
    return json.loads(read_body(answer))


def list_changes(statement):
    return [Decimal(line["amount"]) * (1 if line["type"] == "DEPOSIT" else -1) for line in statement["lines"]]


def test_a_months_statement_adds_up(ask, account):
    deposit(account, "100", effective_at=day("2023-01-31T23:59:59"))
    first = deposit(account, "50", effective_at=day("2023-02-01"), reference="invoice 7")
    withdraw(account, "20", effective_at=day("2023-02-28T23:59:59"))
    deposit(account, "7", effective_at=day("2023-03-01"))
    answer = ask("2023-02-01", "2023-02-28")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    statement = read(answer)
    lines = statement.pop("lines")
    assert statement == {
        "account": str(account.id),
        "currency": "USD",
        "from": "2023-02-01",
        "to": "2023-02-28",
        "tz": "UTC",
        "opening_balance": "100.00",
        "closing_balance": "130.00",
    }
    assert lines[0] == {
        "transaction": str(first.id),
        "type": "DEPOSIT",
        "amount": "50.00",
        "balance": "150.00",
        "effective_at": "2023-02-01T00:00:00.000000Z",
        "recorded_at": lines[0]["recorded_at"],
        "reference": "invoice 7",
    }
    assert [line["balance"] for line in lines] == ["150.00", "130.00"]


def test_what_came_late_stands_where_it_was_effective(ask, account):
    deposit(account, "100", effective_at=day("2023-02-10"))
    deposit(account, "5", effective_at=day("2023-02-05"))
    withdraw(account, "3", effective_at=day("2023-02-07"))
    statement = read(ask("2023-02-01", "2023-02-28"))
    assert [line["balance"] for line in statement["lines"]] == ["5.00", "2.00", "102.00"]


def test_declines_are_no_lines(ask, account):
    withdraw(account, "5")
    assert read(ask("2023-01-01", "2099-01-01"))["lines"] == []


@pytest.mark.parametrize(
    ("zone", "changing", "hours"),
    [
        ("Europe/Berlin", date(2023, 3, 26), 23),
        ("Europe/Berlin", date(2023, 10, 29), 25),
        ("Australia/Lord_Howe", date(2023, 4, 2), 24.5),
        ("UTC", date(2023, 3, 26), 24),
    ],
)
def test_a_day_is_as_long_as_it_was_in_its_zone(ask, account, zone, changing, hours):
    start = datetime.combine(changing, time(), ZoneInfo(zone)).astimezone(UTC)
    orders = [
        OrderFactory(account=account, amount=Decimal(1), effective_at=start + number * timedelta(minutes=30))
        for number in range(-2, 60)
    ]
    posting.post(orders, caller=Caller(account.user_id))
    statement = read(ask(changing.isoformat(), changing.isoformat(), tz=zone))
    assert len(statement["lines"]) == hours * 2
    balances = statement["opening_balance"], statement["closing_balance"]
    assert balances == ("2.00", f"{2 + hours * 2:.2f}")


@pytest.mark.parametrize("seed", range(5))
def test_statements_join_and_equal_the_balances_at_both_ends(ask, reader, account, seed):
    chance = random.Random(seed)
    for _ in range(60):
        moment = day("2023-01-01") + timedelta(minutes=chance.randrange(60 * 24 * 20))
        make = deposit if chance.random() < 0.6 else withdraw
        make(account, str(chance.randint(1, 50)), effective_at=moment)
    zone = chance.choice(["Asia/Tokyo", "America/New_York", "UTC"])
    previous = Decimal(0)
    for number in range(-1, 22):
        on = (date(2023, 1, 1) + timedelta(days=number)).isoformat()
        statement = read(ask(on, on, tz=zone))
        opening, closing = (Decimal(statement[name]) for name in ("opening_balance", "closing_balance"))
        assert (opening, closing) == (previous, opening + sum(list_changes(statement)))
        shown = reader.get(f"/api/v1/accounts/{account.id}/balance", {"at": on, "tz": zone}).json()
        assert Decimal(shown["balance"]) == closing
        previous = closing


def test_a_table_has_the_lines_between_the_two_balances(ask, account):
    deposit(account, "100", effective_at=day("2023-01-15"))
    row = withdraw(account, "20", effective_at=day("2023-02-02"), reference="rent, November")
    answer = ask("2023-02-01", "2023-02-28", accept="text/csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert f"statement-{account.id}-2023-02-01-2023-02-28.csv" in answer["Content-Disposition"]
    table = list(csv.DictReader(io.StringIO(read_body(answer))))
    assert [(line["type"], line["balance"]) for line in table] == [
        ("OPENING", "100.00"),
        ("WITHDRAW", "80.00"),
        ("CLOSING", "80.00"),
    ]
    assert (table[1]["transaction"], table[1]["reference"]) == (str(row.id), "rent, November")


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_text_of_a_table_is_a_formula(ask, account, start):
    deposit(account, "1", effective_at=day("2023-02-02"), reference=start + 'HYPERLINK("evil")')
    answer = ask("2023-02-01", "2023-02-28", accept="text/csv")
    [_, line, _] = csv.DictReader(io.StringIO(read_body(answer), newline=""))
    assert line["reference"] == "'" + start + 'HYPERLINK("evil")'


def test_a_long_statement_is_streamed_whole_and_in_pages(ask, account):
    for first in range(0, 2500, 500):
        orders = [
            OrderFactory(
                account=account, amount=Decimal(1), effective_at=day("2023-02-01") + timedelta(seconds=n)
            )
            for n in range(first, first + 500)
        ]
        posting.post(orders, caller=Caller(account.user_id))
    answer = ask("2023-02-01", "2023-02-28")
    assert answer.streaming
    deposit(account, "1", effective_at=day("2023-02-01"))  # after its moment: not in it
    with CaptureQueriesContext(connection) as queries:
        statement = read(answer)
    assert len(queries) <= 4
    assert len(statement["lines"]) == 2500
    assert statement["lines"][-1]["balance"] == statement["closing_balance"] == "2500.00"
    table = ask("2023-02-01", "2023-02-28", accept="text/csv")
    assert len(read_body(table).splitlines()) == 2501 + 3


def test_other_amounts_have_the_decimals_of_their_currency(ask):
    dinars = AccountFactory(currency="BHD")
    deposit(dinars, "1.5", effective_at=day("2023-02-02"))
    statement = read(ask("2023-02-01", "2023-02-28", of=dinars))
    assert statement["lines"][0]["balance"] == statement["closing_balance"] == "1.500"


@pytest.mark.parametrize(
    ("first", "last", "tz", "code", "pointer"),
    [
        ("2023-02-30", "2023-03-01", None, "datetime_invalid", "?from"),
        ("2023-02-01T00:00:00Z", "2023-03-01", None, "datetime_invalid", "?from"),
        ("2023-03-01", "2023-02-28", None, "invalid_parameter", "?to"),
        ("2023-03-01", "9999-12-31", "America/New_York", "datetime_invalid", "?to"),
        ("0001-01-01", "2023-12-31", "Asia/Tokyo", "datetime_invalid", "?from"),
        ("2023-03-01", "2023-03-01", "Mars/Base", "timezone_invalid", "?tz"),
    ],
)
def test_days_that_cannot_be_are_refused(ask, first, last, tz, code, pointer):
    answer = ask(first, last, tz=tz)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["errors"][0]["pointer"] == pointer
