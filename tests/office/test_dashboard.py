"""The dashboard: how the ledger is, as far as its reader may see it, at the same cost on any ledger."""

import re
from datetime import timedelta
from html import unescape
from threading import Event as Flag

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import operations
from events.models import Subscription
from office.pages import overview
from tests import asking, cast
from tests.office.answers import find_accesses
from tests.office.correcting import adjust
from tests.office.dashboards import (
    DASHBOARD,
    OPERATIONS,
    find_tiles,
    look,
    make_run,
    read_chart,
    subscribe,
)
from tests.office.staff import make_staff, open_office
from transactions.models import Figures, HourlyTotal
from transactions.reading import statistics

# Of both pages; of each seven for the session, its user and their second factor, and the sidebar.
QUERIES = 41


@pytest.fixture(autouse=True)
def _counted_at_once(monkeypatch):
    monkeypatch.setattr(statistics, "SETTLED_AFTER", timedelta(0))


def test_whoever_has_no_permissions_reads_a_friendly_text_and_nothing_else(superuser):
    nobody = open_office(make_staff())
    assert "You have no rights in the back office yet." in look(nobody)
    assert find_tiles(nobody) == {}
    assert "<canvas" not in nobody.get(DASHBOARD).content.decode()
    assert "You have no rights" not in look(superuser)


@pytest.mark.parametrize(
    ("permission", "shown"),
    [
        ("view_transaction", "Amounts by currency"),
        ("view_account", "Frozen accounts"),
        ("view_hold", "Holds that end next"),
        ("view_correction", "Corrections waiting"),
    ],
)
def test_each_part_is_for_who_may_view_what_it_is_made_of(permission, shown):
    user = make_staff()
    client = open_office(user)
    user.user_permissions.set(Permission.objects.filter(codename=permission))
    assert shown in look(client)
    user.user_permissions.set(Permission.objects.exclude(codename=permission))
    assert shown not in look(client)


@pytest.mark.parametrize(
    ("permission", "shown"),
    [
        ("view_account", "Biggest accounts"),
        ("view_subscription", "Subscriptions in trouble"),
        ("view_auditrun", "Last audit"),
    ],
)
def test_each_part_of_what_operators_look_after_is_for_who_may_view_what_it_is_made_of(permission, shown):
    user = make_staff()
    client = open_office(user)
    assert client.get(OPERATIONS).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename=permission))
    assert shown in look(client, page=OPERATIONS)
    user.user_permissions.set(Permission.objects.exclude(codename=permission))
    assert shown not in look(client, page=OPERATIONS)


def test_support_sees_all_of_it_and_looking_is_recorded(support):
    text = look(support) + look(support, page=OPERATIONS)
    assert all(part in text for part in ("Movements", "Biggest accounts", "Last audit", "Open holds"))
    assert [(line.action, line.subject) for line in find_accesses()] == [
        ("VIEW", "dashboard"),
        ("VIEW", "operations"),
    ]


def test_before_the_first_count_it_says_so(superuser):
    cast.deposit(cast.AccountFactory(), "5")
    text = look(superuser)
    assert "Nothing has been counted yet" in text
    assert "They have not been looked for yet" in look(superuser, page=OPERATIONS)


def test_it_shows_what_was_counted_by_currency_and_by_reason(superuser):
    account, euros = cast.AccountFactory(), cast.AccountFactory(currency="EUR")
    cast.deposit(account, "1500")
    cast.deposit(euros, "10")
    cast.withdraw(account, "200.50")
    cast.withdraw(account, "5000")
    statistics.refresh(Flag())
    text = look(superuser)
    assert "USD 1,500.00 USD 200.50 USD 1,299.50 USD" in text
    assert "EUR 10.00 EUR 0.00 EUR 10.00 EUR" in text
    assert "The account has less available than the withdrawal requires. 1" in text
    assert "Deposits 2 Withdrawals 1 Declines 1 25.0 %" in text
    assert "Counted up to" in text
    labels, series = read_chart(superuser)
    assert len(labels) == 24
    assert {name: data[-1] + data[-2] for name, data in series.items()} == {
        "Deposits": 2,
        "Withdrawals": 1,
        "Declines": 1,
    }


def test_an_old_count_says_how_far_it_has_come(superuser):
    Figures.objects.create(counted_through=cast.day("2024-05-06T07:08"))
    assert "Still counting: all up to 6 May 2024, 07:08:00 UTC" in look(superuser)


def test_the_range_is_a_day_or_a_month_and_anything_else_a_day(superuser):
    now = operations.read_clock().replace(minute=0, second=0, microsecond=0)
    ages = [timedelta(0), timedelta(hours=23), timedelta(hours=24), timedelta(days=29), timedelta(days=31)]
    for count, age in enumerate(ages):
        HourlyTotal.objects.create(
            hour=now - age, currency="USD", type="DEPOSIT", outcome="posted", count=10**count, amount=1
        )
    for query in ("", "?range=24h", "?range=7d", "?range=%00", "?range=30d&range=24h", "?what=1"):
        labels, series = read_chart(superuser, query)
        assert (len(labels), sum(series["Deposits"])) == (24, 11), query
        assert labels[-1] == f"{now:%H:%M}"
    labels, series = read_chart(superuser, "?range=30d")
    assert (len(labels), sum(series["Deposits"])) == (30, 1111)
    assert labels[-1] == f"{now.day} {now:%b}"


def test_the_biggest_accounts_are_linked_with_their_balance_of_now(superuser):
    account, empty = cast.AccountFactory(), cast.AccountFactory()
    cast.deposit(account, "77")
    statistics.refresh(Flag())
    cast.deposit(account, "1000")
    page = superuser.get(OPERATIONS).content.decode()
    assert f"/admin/accounts/account/{account.id}/change/" in page
    assert str(empty.id) not in page
    assert f"{account.user.name} , main 1,077.00 USD" in look(superuser, page=OPERATIONS)


def test_that_no_account_has_money_is_said_with_its_age_and_looked_for_again_soon_after_money_came(superuser):
    statistics.refresh(Flag())
    assert "No account had money in it" in look(superuser, page=OPERATIONS)
    cast.deposit(cast.AccountFactory(), "77")
    statistics.refresh(Flag())
    assert Figures.objects.get().biggest == {}
    Figures.objects.update(biggest_at=operations.read_clock() - statistics.BIGGEST_AGAIN)
    statistics.refresh(Flag())
    assert "77.00 USD" in look(superuser, page=OPERATIONS)


def test_holds_frozen_accounts_and_corrections_are_counted_and_shown(superuser, boss):
    account = cast.AccountFactory()
    cast.deposit(account, "100")
    later = operations.read_clock() + timedelta(days=1)
    holds = [cast.hold(account, "2", expires_at=later + timedelta(hours=hours)) for hours in range(6, 0, -1)]
    cast.hold(account, "1")  # never ends
    asking.freeze(id=account.id, reason="a court", request_id="test")
    adjust(account, "500", boss)
    text = look(superuser)
    assert "Open holds 7" in text
    assert "Frozen accounts 1" in text
    assert "Corrections waiting 1" in text
    page = superuser.get(DASHBOARD).content.decode()
    shown = re.findall(r"/admin/accounts/hold/([0-9a-f-]{36})/change/", page)
    assert shown == [str(hold.id) for hold in reversed(holds)][:5]
    assert "a court" not in page  # what staff wrote may be personal


def test_every_number_leads_to_exactly_what_it_counts(superuser, boss):
    account, euros = cast.AccountFactory(name="Ann"), cast.AccountFactory(currency="EUR")
    for _ in range(3):
        cast.deposit(account, "100")
    cast.deposit(euros, "10")
    cast.withdraw(account, "1")
    cast.withdraw(account, "5000")
    cast.withdraw(euros, "5000")
    later = operations.read_clock() + timedelta(days=1)
    for _ in range(2):
        cast.hold(account, "1", expires_at=later)
    cast.hold_that_expires(account, "1")
    asking.freeze(id=account.id, reason="a court", request_id="test")
    cast.withdraw(account, "1")
    adjust(euros, "500", boss)
    statistics.refresh(Flag())
    page = superuser.get(DASHBOARD).content.decode()
    cast.deposit(euros, "10")  # which was not counted

    def follow(start, text):
        [link] = re.findall(rf'<a [^>]*href="({start}[^"]*)"[^>]*>\s*{text}\s*</a>', page)
        return superuser.get(unescape(link)).context["cl"].count.number

    transactions = "/admin/transactions/transaction/"
    assert follow(transactions, "4") == 4  # deposits
    assert follow(f'{transactions}[^"]*type=WITHDRAW', "1") == 1
    assert follow(f'{transactions}[^"]*status=DECLINED', "3") == 3
    assert follow(transactions, "The account has less available than the withdrawal requires.") == 2
    assert follow(transactions, "The account is frozen: it accepts money in, not out.") == 1
    assert follow(f'{transactions}[^"]*currency=EUR', "10.00\xa0EUR") == 1
    assert follow("/admin/accounts/hold/", "Open holds") == 2
    assert "Open holds 2" in look(superuser)
    assert follow("/admin/accounts/account/", "Frozen accounts") == 1
    assert follow("/admin/transactions/correction/", "Corrections waiting") == 1
    assert "Ann , main" in look(superuser)


def test_what_is_many_is_counted_up_to_a_bound(superuser, monkeypatch):
    monkeypatch.setattr(overview, "COUNTED_MAX", 2)
    monkeypatch.setattr(overview, "COUNT", overview.COUNT.replace("1001", "3"))
    account = cast.AccountFactory()
    cast.deposit(account, "100")
    for expected in ("1", "2", "2+", "2+"):
        cast.hold(account, "1")
        assert f"Open holds {expected} Funds" in look(superuser)


def test_it_costs_the_same_queries_on_any_ledger(superuser):
    def count():
        with CaptureQueriesContext(connection) as queries:
            look(superuser, "?range=30d")
            look(superuser, page=OPERATIONS)
        assert not [q for q in queries if re.search(r"FROM .?transactions_transaction\b", q["sql"])]
        return len(queries)

    def fill(rounds):
        for number in range(rounds):
            account = cast.AccountFactory()
            for _ in range(10):
                cast.deposit(account, "10")
            cast.hold(account, "1", expires_at=operations.read_clock() + timedelta(hours=1))
            cast.withdraw(account, "1000")
            asking.freeze(id=account.id, reason="test", request_id="test")
            subscribe(len(Subscription.objects.all()), status="PAUSED", position=0)
            make_run(number % 2)
        statistics.refresh(Flag())

    counts = [count()]
    for rounds in (1, 9):
        fill(rounds)
        counts.append(count())
    assert counts == [QUERIES] * 3
