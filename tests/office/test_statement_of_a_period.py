"""The statement of a period: its page, its pages, its CSV and its PDF are all of it, in any zone."""

import csv
import io
import random
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission

from accounts import operations as domain
from accounts.models import Account
from ledger.callers import Caller
from office.pages.accounts import statement as page
from tests.cast import (
    CALLER,
    AccountFactory,
    OrderFactory,
    UserFactory,
    day,
    deposit,
    hold,
    transfer,
)
from tests.office.account_pages import (
    ESCAPED,
    PROBE,
    add_up,
    find_address,
    list_references,
    look,
    read_posted,
    read_text,
)
from tests.office.answers import find_accesses
from tests.office.correcting import adjust
from tests.office.staff import make_staff, open_office
from transactions import posting
from transactions.reading import statements

# Days on which clocks are turned are among those of the histories.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "America/Sao_Paulo")
TURNS = {"forward": day("2023-03-10"), "back": day("2023-10-27")}
QUERY = {"show": "period", "first_day": "2023-01-02", "last_day": "2023-01-04", "zone": "UTC"}


def make_history(account, start, chance, count=60):
    """At any minute, often right at midnight of some zone."""
    orders = []
    for number in range(count):
        moment = start + timedelta(minutes=30 * chance.randrange(48 * 18))
        if chance.random() < 0.3:
            moment -= timedelta(microseconds=1)
        orders.append(
            OrderFactory(
                account=account,
                amount=Decimal(chance.randint(1, 5000)) / 100,
                reference=f"row {number}",
                effective_at=moment,
            )
        )
    posting.post(orders, caller=Caller(account.user_id))


def open_account(user, name):
    user_id = UserFactory(name=user).pk
    account, _ = domain.create_account(user_id=user_id, currency="USD", name=name, caller=CALLER)
    return account


def find_bounds(first_day, last_day, zone):
    start = datetime.combine(first_day, datetime.min.time(), ZoneInfo(zone))
    beyond = datetime.combine(last_day + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
    return start.astimezone(UTC), beyond.astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("turn", TURNS)
def test_opening_and_lines_make_closing_in_every_zone(account, zone, turn):
    chance = random.Random(f"{zone}{turn}")
    make_history(account, TURNS[turn], chance)
    rows = read_posted(account)
    for _ in range(8):
        first_day = TURNS[turn].date() + timedelta(days=chance.randrange(16))
        last_day = first_day + timedelta(days=chance.randrange(4))
        start, beyond = find_bounds(first_day, last_day, zone)
        found = statements.read_statement(
            Account.objects.filter(id=account.id),
            first_day=first_day,
            last_day=last_day,
            zone=ZoneInfo(zone),
        )
        lines, after = [], None
        while True:
            some, after = found.read_page(after, 3)
            lines += some
            if after is None:
                break
        expected = [row for row in rows if start <= row.effective_at < beyond]
        assert [line.row for line in lines] == expected
        assert found.opening.balance == add_up(row for row in rows if row.effective_at < start)
        assert found.opening.balance + add_up(expected) == found.read_closing()
        assert [line.balance for line in lines][-1:] == [found.read_closing()] * bool(lines)
        list(found.read_lines())
        assert found.closing == found.read_closing()


def read_balances(html):
    """The opening, carried and closing balances of a page, as they stand in its table."""
    return re.findall(
        r'<th scope="row">([^<]+)</th>\s*<td></td>\s*<td class="office-number">([^<]+)</td>', html
    )


def read_pages(client, account, **query):
    html = look(client, account, **query)
    yield html
    while found := re.search(r'href="(\?show=period[^"]*after=[^"]+)"[^>]*>\s*Next page', html):
        html = client.get(find_address(account) + unescape(found[1])).content.decode()
        yield html


def read_csv(answer):
    text = answer.getvalue().decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(page, "PAGE_SIZE", 7)


@pytest.mark.parametrize("zone", ["Europe/Moscow", "America/New_York"])
def test_the_csv_has_the_lines_of_all_pages(support, account, small_pages, zone):
    make_history(account, day("2023-03-10"), random.Random(zone))
    query = {"show": "period", "first_day": "2023-03-11", "last_day": "2023-03-26", "zone": zone}
    pages = list(read_pages(support, account, **query))
    assert len(pages) > 3
    answer = support.get(find_address(account), {**query, "format": "csv"})
    assert answer.streaming
    lines = read_csv(answer)
    assert [reference for html in pages for reference in list_references(html)] == [
        line["reference"] for line in lines[1:-1]
    ]
    balances = [dict(read_balances(html.replace(",", ""))) for html in pages]
    assert balances[0]["Opening balance"] == lines[0]["balance"] + "\xa0USD"
    assert balances[-1]["Closing balance"] == lines[-1]["balance"] + "\xa0USD"
    assert [set(each) for each in balances[1:-1]] == [{"Carried forward"}] * (len(pages) - 2)
    start, beyond = find_bounds(date(2023, 3, 11), date(2023, 3, 26), zone)
    inside = [row for row in read_posted(account) if start <= row.effective_at < beyond]
    assert [line["transaction"] for line in lines[1:-1]] == [str(row.id) for row in inside]
    change = Decimal(lines[-1]["balance"]) - Decimal(lines[0]["balance"])
    assert change == add_up(inside)


def test_what_is_recorded_meanwhile_is_on_none_of_the_further_pages(support, account, small_pages):
    for number in range(20):
        deposit(account, "1", effective_at=day("2023-01-03") + timedelta(hours=number), reference=f"{number}")
    pages = read_pages(support, account, **QUERY)
    shown = list_references(next(pages))
    deposit(account, "100", effective_at=day("2023-01-03") + timedelta(hours=15), reference="meanwhile")
    htmls = list(pages)
    assert shown + [each for html in htmls for each in list_references(html)] == [f"{n}" for n in range(20)]
    assert read_balances(htmls[-1])[-1] == ("Closing balance", "20.00\xa0USD")
    assert "meanwhile" in look(support, account, **QUERY, after="") + "".join(
        read_pages(support, account, **QUERY)
    )


def test_formulas_are_escaped_and_the_export_is_in_the_log(support, account):
    deposit(account, "5", effective_at=day("2023-01-03"), reference="=1+1|cmd")
    for format in ("csv", "pdf"):
        answer = support.get(find_address(account), {**QUERY, "format": format})
        assert answer["Content-Disposition"].endswith(f'2023-01-02-2023-01-04.{format}"')
        assert "no-store" in answer["Cache-Control"]
        assert answer.getvalue()
    [first, last] = find_accesses(action="EXPORT")
    assert first.detail == "statement 2023-01-02 to 2023-01-04, UTC, csv"
    assert last.detail == "statement 2023-01-02 to 2023-01-04, UTC, pdf"
    assert (first.subject, first.subject_id) == ("account", str(account.id))
    [line] = read_csv(support.get(find_address(account), {**QUERY, "format": "csv"}))[1:-1]
    assert line["reference"] == "'=1+1|cmd"


def test_a_line_says_what_it_belongs_to_and_where_it_went(support, account):
    other = open_account(f"Anna {PROBE}", "savings")
    deposit(account, "500")
    transfer(account, other, "20")
    transfer(other, account, "3")
    hold(account, "5")
    adjust(account, "7", make_staff("operations"))
    for shown in ("period", "statement"):
        html = look(support, account, show=shown)
        text = read_text(html)
        assert f"Anna {ESCAPED}" in html
        assert re.search(r"transfer to Anna .{,60}, savings", text), text
        assert re.search(r"transfer from Anna .{,60}, savings", text)
        assert text.count(" correction ") >= 1
        assert f'/admin/accounts/account/{other.id}/change/"' in html


def test_it_begins_with_this_month_in_the_readers_zone(account):
    member = make_staff("support")
    client = open_office(member)
    query = {"show": "period", "zone": "Pacific/Kiritimati"}
    with_zone = look(client, account, **query)
    today = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    assert f'name="first_day" value="{today.replace(day=1)}"' in with_zone
    member.time_zone = "America/Los_Angeles"
    member.save(update_fields=["time_zone"])
    today = datetime.now(ZoneInfo("America/Los_Angeles")).date()
    html = look(client, account, show="period")
    assert f'name="first_day" value="{today.replace(day=1)}"' in html
    assert '<option value="America/Los_Angeles" selected' in html
    [last] = re.findall(r'href="([^"]+)"[^>]*>\s*Last month', html)
    end = today.replace(day=1) - timedelta(days=1)
    assert f"first_day={end.replace(day=1)}&last_day={end}" in unescape(last)


@pytest.mark.parametrize(
    ("moment", "zone", "back", "days"),
    [
        ("2024-03-01T00:30:00Z", "UTC", 1, ("2024-02-01", "2024-02-29")),
        ("2024-03-01T00:30:00Z", "America/New_York", 0, ("2024-02-01", "2024-02-29")),
        ("2024-01-15T00:00:00Z", "UTC", 1, ("2023-12-01", "2023-12-31")),
        ("2024-12-31T23:30:00Z", "Europe/Berlin", 0, ("2025-01-01", "2025-01-31")),
    ],
)
def test_a_month_is_that_of_the_zone(moment, zone, back, days):
    found = page.find_month(datetime.fromisoformat(moment), ZoneInfo(zone), back=back)
    assert tuple(map(str, found)) == days


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"first_day": "2023-02-30"}, "not a day like"),
        ({"first_day": "1969-12-31"}, "not a day like"),
        ({"last_day": "9999-01-01"}, "not a day like"),
        ({"first_day": "2023-01-05"}, "The last day is before the first."),
        ({"first_day": ""}, "required"),
        ({"first_day": "\x00"}, "Null characters"),
        ({"zone": "Mars/Base"}, "Select a valid choice"),
        ({"zone": "../../etc/passwd"}, "Select a valid choice"),
        ({"zone": "\x00"}, "Select a valid choice"),
        ({"zone": "a" * 5000}, "Select a valid choice"),
        ({"after": "forged"}, "not right"),
        ({"after": "\x00"}, "not right"),
        ({"first_day": "02.01.2023"}, "2 Jan 2023"),
        ({"last_day": "9998-12-31"}, "31 Dec 9998"),
        ({"first_day": "1970-01-01", "zone": "Pacific/Kiritimati"}, "1 Jan 1970"),
    ],
)
def test_odd_periods_are_answered_clearly(support, account, query, said):
    deposit(account, "5")
    asked = {**QUERY, **query}
    assert said in read_text(look(support, account, **asked))
    for format in ("csv", "pdf"):
        answer = support.get(find_address(account), {**asked, "format": format})
        assert answer.status_code in (200, 302)
        if answer.status_code == 302:
            assert said in read_text(support.get(answer["Location"]).content.decode())


def test_a_link_to_further_lines_is_of_its_account_and_period_only(support, account, small_pages):
    for _number in range(10):
        deposit(account, "5", effective_at=day("2023-01-03"))
    html = look(support, account, **QUERY)
    [after] = re.findall(r"after=([^\"&]+)", html)
    after = after.replace("%3A", ":")
    assert "not right" not in read_text(look(support, account, **QUERY, after=after))
    assert "not right" in read_text(look(support, account, **{**QUERY, "zone": "Asia/Tokyo"}, after=after))
    assert "not right" in read_text(look(support, AccountFactory(), **QUERY, after=after))


def test_who_may_not_see_transactions_gets_no_statement(account):
    member = make_staff()
    member.user_permissions.add(Permission.objects.get(codename="view_account"))
    client = open_office(member)
    deposit(account, "5", reference="invoice 77")
    assert "invoice 77" not in look(client, account, show="period")
    for format in ("csv", "pdf"):
        assert client.get(find_address(account), {"show": "period", "format": format}).status_code == 403


def test_a_period_to_come_ends_with_the_balance_of_now(support, account):
    deposit(account, "5")
    html = look(support, account, **{**QUERY, "first_day": "2090-01-01", "last_day": "2090-01-31"})
    assert read_balances(html) == [("Opening balance", "5.00\xa0USD"), ("Closing balance", "5.00\xa0USD")]
