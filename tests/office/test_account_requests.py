"""What the page of an account answers: odd questions, CSV, a locked account; and what that costs."""

import csv
import io
import re
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.models import RecordEntry
from ledger.callers import Caller
from ledger_project.groups import create_groups
from tests.cast import (
    AccountFactory,
    OrderFactory,
    day,
    deposit,
    hold,
    withdraw,
)
from tests.office.account_pages import (
    PROBE,
    find_address,
    look,
    make_history,
    read_text,
)
from tests.office.staff import make_staff, open_office
from transactions import posting


def test_the_csv_has_the_lines_of_the_page(support, account):
    deposit(account, "5", effective_at=day("2023-01-01"), reference="=1+1")
    deposit(account, "6", effective_at=day("2023-01-03"), reference="second")
    answer = support.get(find_address(account), {"format": "csv"})
    assert answer["Content-Type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(line["reference"], line["balance"]) for line in lines] == [
        ("second", "11.00"),
        ("'=1+1", "5.00"),
    ]
    answer = support.get(find_address(account), {"format": "csv", "at": "2023-01-02"})
    assert len(answer.content.decode().splitlines()) == 2
    export = RecordEntry.objects.filter(action="EXPORT").latest("id")
    assert (export.subject, export.subject_id) == ("account", str(account.id))


ODD = [
    ({"at": "abc"}, "not a day"),
    ({"at": "2023-02-30T00:00:00"}, "not a day"),
    ({"at": "9999-12-31"}, "not a day"),
    ({"at": "0001-01-01T00:00:00+14:00"}, "not a time"),
    ({"at": "2023-01-01", "at_time": "25:00"}, "not a time"),
    ({"at": "2023-01-01", "at_time": "\x00"}, "Null characters"),
    ({"at": "2023-01-01T00:00:00", "at_time": "10:00"}, "not a day"),
    ({"at_time": "10:00"}, "Which day"),
    ({"at": "2023-01-01T00:00:00\x00"}, "Null characters"),
    ({"known_at": "\x00"}, "Null characters"),
    ({"known_at": PROBE}, "not a day"),
    ({"at": "9999-12-31T23:59:59"}, "Balance then"),
    ({"at": "0001-01-01T00:00:00"}, "Balance then"),
    ({"known_at": "0001-01-01T00:00:00", "at": ""}, "Balance then"),
    ({"after": "forged"}, "not right"),
    ({"after": "\x00"}, "not right"),
    ({"show": "\x00"}, "Time machine"),
    ({"show": "nothing"}, "Time machine"),
    ({"range": "\x00"}, "Time machine"),
    ({"show": "declines", "before": "\x00"}, "not right"),
    ({"show": "declines", "before": "9999-12-31T23:59:59Z"}, "Declined attempts"),
    ({"show": ["holds", "declines"]}, "Declined attempts"),
    ({"unknown": "1", "at": ["1", "2023-01-01"]}, "Balance then"),
]


@pytest.mark.parametrize(("query", "said"), ODD)
@pytest.mark.parametrize("format", ["", "csv"])
def test_odd_questions_are_answered_clearly(support, account, query, said, format):
    deposit(account, "5")
    answer = support.get(f"{find_address(account)}?{urlencode({**query, 'format': format}, doseq=True)}")
    if answer.status_code == 302 or not format:
        answer = support.get(answer["Location"]) if format else answer
        assert said in read_text(answer.content.decode())
        assert PROBE not in answer.content.decode()
    assert answer.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_who_asks_while_the_account_is_locked_is_told_to_ask_again(account):
    create_groups()
    client = open_office(make_staff("support"))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT FROM accounts_account WHERE id = %s FOR UPDATE", [account.id])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        html = look(client, account, at="2023-01-01")
        assert "Ask again." in html
        assert "Balance then" not in html
        answer = client.get(find_address(account), {"at": "2023-01-01", "format": "csv"})
        assert answer["Location"] == f"{find_address(account)}?at=2023-01-01"
    finally:
        other.close()
        connection.close()


def test_a_link_to_older_lines_is_of_its_account_and_moment_only(support, account):
    other = AccountFactory()
    for each in (account, other):
        posting.post([OrderFactory(account=each) for _ in range(60)], caller=Caller(each.user_id))
    after = re.search(r"\?after=([^\"&]+)", look(support, account))[1].replace("%3A", ":")
    assert "not right" not in read_text(look(support, account, after=after))
    assert "not right" in read_text(look(support, other, after=after))
    assert "not right" in read_text(look(support, account, after=after, at="2099-01-01"))


@pytest.mark.parametrize("id", ["1", "00000000-0000-0000-0000-000000000000", "x%00", "_5F", "é"])
@pytest.mark.parametrize("query", ["", "?format=csv"])
def test_an_unknown_account_is_said_to_be_unknown(operations, id, query):
    answer = operations.get(f"/admin/accounts/account/{id}/change/{query}", follow=True)
    assert answer.status_code == 200
    assert "Not found: account" in read_text(answer.content.decode())


VIEWS = {  # two of each are for the tabs and the sidebar: notes, and who has changed the status
    "": 5,  # the chart, its turns, the lines
    "at=2023-01-05": 9,
    "at=2023-01-05&known_at=2023-01-06": 15,
    "show=period": 8,  # both balances, the lines in order and late, what was taken back
    "show=period&first_day=2023-01-01&last_day=2023-01-10": 8,
    "show=declines": 3,
    "show=holds": 4,
    "show=events": 5,
    "format=csv": 1,
}


def list_queries(client, account, query):
    """Those of the section, after who asks was found out and the access recorded."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"{find_address(account)}?{query}").status_code == 200
    sqls = [each["sql"] for each in captured]
    own = sqls[next(number for number, sql in enumerate(sqls) if 'FROM "accounts_account"' in sql) + 1 :]
    return [
        sql
        for sql in own
        if not re.match('SAVEPOINT|RELEASE|UPDATE "django_session"', sql)
        and "events_record" not in sql
        and "auth_permission" not in sql
        and 'FROM "transactions_correction"' not in sql  # the sidebar's
    ]


@pytest.mark.parametrize(("query", "count"), VIEWS.items())
def test_a_view_costs_the_same_queries_on_a_long_account(support, account, query, count):
    short = AccountFactory()
    deposit(short, "5", effective_at=day("2023-01-04"))
    withdraw(short, "50")
    hold(short, "1")
    make_history(account, 1, count=120)
    deposit(account, "100")
    for _ in range(5):
        hold(account, "1")
    for each in (short, account):
        found = list_queries(support, each, query)
        assert len(found) == count, found
