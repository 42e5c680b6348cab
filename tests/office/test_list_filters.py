"""Every filter of a list finds what it says, alone and with every other one: compared with plain Python."""

from datetime import timedelta

import pytest

from accounts import operations
from accounts.models import Claim, User
from ledger.values import format_time
from tests import claims
from tests.cast import AccountFactory, UserFactory, deposit
from tests.office import list_worlds as worlds
from tests.office.correcting import adjust, ask_to_reverse
from tests.office.list_worlds import (
    ACCOUNTS,
    CLAIMS,
    CORRECTIONS,
    HOLDS,
    TRANSACTIONS,
    USERS,
    list_all,
    list_pairs,
)
from transactions.models import Correction, Transaction

AGO = timedelta(hours=1)


def compare(address, user, rows, filters, **besides):
    """How many pairs found something, and how many found nothing."""
    counts = {True: 0, False: 0}
    for query, fits in list_pairs(filters):
        found = list_all(address, user, **{**besides, **query})
        wanted = {row.pk for row in rows if fits(row)}
        assert (set(found), len(found)) == (wanted, len(wanted)), query
        counts[bool(wanted)] += 1
    return counts


def test_transactions(boss):
    rows = worlds.make_transactions()
    filters, _late = worlds.filters_of_transactions(rows)
    begun = format_time(operations.read_clock() - AGO)
    found = compare(TRANSACTIONS, boss, rows, filters, since=begun)
    assert min(found.values()) > 50
    newest_first = [row.pk for row in reversed(rows)]
    assert list_all(TRANSACTIONS, boss, since=begun) == newest_first
    assert list_all(TRANSACTIONS, boss, since=begun, order="oldest") == newest_first[::-1]


def test_transactions_by_when_they_were_effective(boss):
    """The first recorded first; also what was recorded long after the end of the period."""
    rows = worlds.make_transactions()
    filters, late = worlds.filters_of_transactions(rows)
    for name in ("since", "until", "q"):
        del filters[name]
    period = {"since": format_time(late - timedelta(days=20)), "until": format_time(late)}
    of_then = [row for row in rows if period["since"] <= format_time(row.effective_at) <= period["until"]]
    assert 0 < len(of_then) < len(rows)
    found = list_all(TRANSACTIONS, boss, axis="effective", **period)
    assert found == [row.pk for row in of_then]
    compare(TRANSACTIONS, boss, of_then, filters, axis="effective", **period)


def test_of_an_account_no_period_is_asked_for_and_any_may_be(boss):
    account = AccountFactory()
    rows = [deposit(account, "1") for _ in range(5)]
    deposit(AccountFactory(), "1")
    long_ago, query = "1999-01-01", {"account": str(account.id)}
    assert list_all(TRANSACTIONS, boss, **query) == [row.id for row in reversed(rows)]
    assert list_all(TRANSACTIONS, boss, **query, order="oldest") == [row.id for row in rows]
    assert len(list_all(TRANSACTIONS, boss, **query, since=long_ago)) == 5
    assert list_all(TRANSACTIONS, boss, **query, until=long_ago) == []
    middle = format_time(rows[2].recorded_at)
    assert list_all(TRANSACTIONS, boss, **query, since=middle, until=middle) == [rows[2].id]


def test_holds(boss):
    rows = worlds.make_holds()
    assert {row.status_now for row in rows} >= {"OPEN", "RELEASED", "EXPIRED", "DECLINED"}
    compare(HOLDS, boss, rows, worlds.filters_of_holds(rows))
    by_end = [row for row in rows if row.status == "OPEN" and row.expires_at]
    by_end.sort(key=lambda row: (row.expires_at, row.id))
    assert list_all(HOLDS, boss, order="end") == [row.pk for row in by_end]


def test_accounts(boss):
    rows, user = worlds.make_accounts()
    compare(ACCOUNTS, boss, rows, worlds.filters_of_accounts(rows, user))
    assert list_all(ACCOUNTS, boss) == [row.pk for row in reversed(rows)]
    usd = [row.pk for row in rows if row.currency == "USD"]
    assert list_all(ACCOUNTS, boss, currency="USD", order="oldest") == usd
    assert list_all(ACCOUNTS, boss, currency="USD") == usd[::-1]


def test_claims(boss):
    accounts = [AccountFactory(currency=currency) for currency in ("USD", "EUR")]
    made = [claims.claim(accounts[number % 2], str(1 + number)) for number in range(6)]
    claims.waive(made[1])
    deposit(accounts[0], "4")
    rows = list(Claim.objects.select_related("account").order_by("created_at", "id"))
    assert {row.status for row in rows} == {"OPEN", "WAIVED", "COLLECTED"}
    compare(CLAIMS, boss, rows, worlds.filters_of_claims())
    assert list_all(CLAIMS, boss) == [row.pk for row in reversed(rows)]


def test_corrections(operations, boss, first, second):
    account, other = AccountFactory(), AccountFactory()
    row = deposit(account, "20")
    for member in (first, second):
        adjust(account, "5", member)
        adjust(other, "500", member)
    adjust(other, "7", first, type=Transaction.Type.WITHDRAW)
    ask_to_reverse(operations, row)
    rows = list(Correction.objects.select_related("maker").order_by("made_at", "id"))
    assert {row.status for row in rows} == {"WAITING", "POSTED", "DECLINED"}
    filters = worlds.filters_of_corrections()
    compare(CORRECTIONS, boss, rows, filters)
    waiting = [row.pk for row in reversed(rows) if row.status == "WAITING"]
    assert list_all(CORRECTIONS, boss) == waiting


def test_users(boss):
    for name, external_id in (("Petya", "CRM-1"), ("petra_", None), ("Anna", "x")):
        AccountFactory(name=name, external_id=external_id)
    UserFactory(name="service")
    User.objects.create(username="a service")
    rows = list(User.objects.order_by("created_at", "id"))
    compare(USERS, boss, rows, worlds.filters_of_users(), kind="everybody")
    by_name = User.objects.order_by("name", "id").values_list("pk", flat=True)
    assert list_all(USERS, boss, order="name", kind="everybody") == list(by_name)


def test_users_are_customers_until_others_are_asked_for(boss, superuser):
    holder, service = UserFactory(), User.objects.create(username="a service")
    assert list_all(USERS, boss) == [holder.pk]
    assert set(list_all(USERS, boss, kind="everybody")) == {holder.pk, service.pk, boss.pk}
    assert list_all(USERS, boss, q=str(service.pk)) == [service.pk]
    said = "account holders only"
    assert said in superuser.get(USERS).content.decode()
    assert said not in superuser.get(USERS, {"kind": "everybody"}).content.decode()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"since": "2026-02-30"}, "This is not a day like 2026-12-31."),
        ({"since": "yesterday"}, "This is not a day like 2026-12-31."),
        ({"until": "\x00"}, "Null characters are not allowed."),
        ({"since": "0001-01-01"}, "This is not a day like 2026-12-31."),
        ({"until": "9999-12-31"}, "This is not a day like 2026-12-31."),
        ({"since": "2026-01-02", "until": "2026-01-01"}, "The end is before the beginning."),
        ({"since": "2026-01-01", "until": "2026-02-01"}, "At most 31 days at a time."),
        ({"amount_min": "x"}, "This is not a number like 1234.50."),
        ({"amount_min": "1" * 21}, "This is not a number like 1234.50."),
        ({"amount_max": "NaN"}, "This is not a number like 1234.50."),
        ({"account": "x"}, "This is not an id."),
        ({"actor": "nobody"}, "Nobody has this user name or id."),
        ({"reference": "x" * 256}, "Ensure this value has at most 255 characters"),
        ({"status": "nonsense"}, "Select a valid choice."),
        ({"late": "maybe"}, "Select a valid choice."),
        ({"order": "amount"}, "Select a valid choice."),
    ],
    ids=repr,
)
def test_what_cannot_be_asked_for_is_said_and_shows_nothing(superuser, query, sentence):
    deposit(AccountFactory(), "1")
    answer = superuser.get(TRANSACTIONS, query)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert sentence in text
    assert "This cannot be asked for: see the filters." in text
    assert answer.context["cl"].result_list == []
    assert superuser.get(TRANSACTIONS, {**query, "format": "csv"}).status_code == 302


def test_a_month_is_a_period_and_one_end_is_enough(boss):
    deposit(AccountFactory(), "1")
    today = operations.read_clock().date()
    for query in (
        {"since": "2026-01-01", "until": "2026-01-31"},
        {"since": "2026-01-01"},
        {"until": "2026-01-31"},
        {"since": "2026-01-01T10:00"},
        {"since": "1970-01-01"},
        {"until": "9998-12-31"},
    ):
        assert list_all(TRANSACTIONS, boss, **query) == [], query
    assert len(list_all(TRANSACTIONS, boss, since=str(today - timedelta(days=1)))) == 1
