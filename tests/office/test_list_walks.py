"""A list is walked as far as it may be and no further; it says where it stopped, and goes on from there."""

import csv
from urllib.parse import parse_qsl

import pytest

from accounts import operations
from accounts.models import Account
from events.models import RecordEntry
from ledger.callers import Caller
from ledger.values import format_time
from office.lists import exports, walks
from office.lists.money import TransactionForm
from office.pages.transactions import TransactionAdmin
from tests import asking, cast
from tests.cast import AccountFactory, OrderFactory, UserFactory, deposit, hold
from tests.office.answers import find_accesses, read
from tests.office.list_worlds import ACCOUNTS, TRANSACTIONS, list_all, show
from tests.office.staff import make_staff

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


def post_some(count, **fields):
    account = AccountFactory(**fields)
    return [deposit(account, "1", reference=f"number {number}") for number in range(count)]


def test_a_walk_that_stops_goes_on_where_it_stopped(boss, monkeypatch):
    """Every row is looked at once, whatever the bound and wherever the wanted rows lie."""
    rows = post_some(23)
    for looked_at, wanted in (
        (3, "number 1"),
        (4, "number 22"),
        (7, "number"),
        (23, "number 0"),
        (24, "number"),
    ):
        monkeypatch.setattr(TransactionForm, "looked_at_max", looked_at)
        found = list_all(TRANSACTIONS, boss, reference=wanted)
        assert found == [row.id for row in reversed(rows) if wanted in row.reference], (looked_at, wanted)


def test_where_it_stopped_is_said_and_a_link_goes_on(boss, superuser, monkeypatch):
    rows = post_some(5)
    monkeypatch.setattr(TransactionForm, "looked_at_max", 3)
    shown = show(TRANSACTIONS, boss, reference="number 0")
    assert (shown.result_list, shown.stopped_at) == ([], rows[2].recorded_at)
    text = read(superuser.get(TRANSACTIONS, {"reference": "number 0"}))
    assert "Nothing so far." in text
    assert f'Looked as far as <time datetime="{format_time(rows[2].recorded_at)}"' in text
    assert "Look further" in text
    further = show(TRANSACTIONS, boss, **dict(parse_qsl(shown.older[1:])))
    assert [row.id for row in further.result_list] == [rows[0].id]
    assert (further.older, further.stopped_at) == ("", None)


@pytest.mark.parametrize("after", ["x", "", "WzFd:1:x", "\x00", "a" * 5000])
def test_a_place_that_nobody_gave_leads_to_the_first_page(superuser, boss, after):
    post_some(2)
    answer = superuser.get(TRANSACTIONS, {"after": after})
    assert len(answer.context["cl"].result_list) == 2
    assert ("This link to further rows is not right." in read(answer)) == bool(after)
    signed = walks_place_of(ACCOUNTS, boss)
    assert len(show_with_messages(superuser, after=signed)) == 2


def walks_place_of(address, boss):
    """A place that another list gave."""
    shown = show(address, boss)
    return shown._write_place((shown.result_list[0].created_at, shown.result_list[0].id))


def show_with_messages(client, **query):
    answer = client.get(TRANSACTIONS, query)
    assert "This link to further rows is not right." in read(answer)
    return answer.context["cl"].result_list


def test_counts_are_honest(boss, superuser, monkeypatch):
    monkeypatch.setattr(walks, "COUNTED_MAX", 3)
    monkeypatch.setattr(TransactionAdmin, "list_per_page", 2)
    post_some(3)
    assert show(TRANSACTIONS, boss).count == (3, False)
    assert "Found: 3." in read(superuser.get(TRANSACTIONS))
    post_some(1)
    assert show(TRANSACTIONS, boss).count == (3, True)
    monkeypatch.setattr(TransactionForm, "looked_at_max", 2)
    assert show(TRANSACTIONS, boss, reference="number").count == (2, True)
    assert "Found as far as was looked: 2." in read(superuser.get(TRANSACTIONS, {"reference": "number"}))


def test_where_few_rows_may_be_looked_at_they_are_not_looked_at_again_to_be_counted(boss, monkeypatch):
    monkeypatch.setattr(TransactionForm, "looked_at_max", 4)
    monkeypatch.setattr(TransactionAdmin, "list_per_page", 2)
    post_some(6)
    assert show(TRANSACTIONS, boss, reference="number").count == (2, True)
    assert show(TRANSACTIONS, boss, reference="number 5").count == (1, True)
    assert show(TRANSACTIONS, boss).count == (4, True)


def test_a_list_goes_past_its_thousandth_row(boss):
    account = AccountFactory()
    for _ in range(11):
        orders = [OrderFactory(account=account) for _ in range(100)]
        asking.post(orders, caller=Caller(account.user_id))
    assert len(list_all(TRANSACTIONS, boss)) == 1100


# As files


def take_away(client, address, **query):
    answer = client.get(address, {**query, "format": "csv"})
    text = read(answer)
    assert text.startswith(BOM)
    return list(csv.DictReader(text.removeprefix(BOM).splitlines()))


def test_a_list_is_taken_away_as_it_was_narrowed_and_that_is_logged(superuser):
    account = AccountFactory(name="=cmd|x", currency="JPY")
    deposit(account, "7", reference="=1+1")
    deposit(account, "100", reference="счёт")
    cast.withdraw(account, "5000", reference="-5")
    lines = take_away(superuser, TRANSACTIONS, type="DEPOSIT")
    assert [(line["amount"], line["currency"], line["reference"]) for line in lines] == [
        ("100", "JPY", "счёт"),
        ("7", "JPY", "'=1+1"),
    ]
    assert {line["user_name"] for line in lines} == {"'=cmd|x"}
    [export] = find_accesses(action="EXPORT")
    assert (export.subject, export.detail) == ("transaction", "list, 2 lines type=DEPOSIT")
    assert len(take_away(superuser, TRANSACTIONS, q="счёт")) == 1


def test_what_is_cut_says_so_in_the_page_and_in_its_last_line(superuser, monkeypatch):
    rows = post_some(4)
    assert "CSV (at most 10,000 lines)" in read(superuser.get(TRANSACTIONS))
    for bound, cut in ((3, True), (5, False)):
        monkeypatch.setattr(exports, "EXPORTED_MAX", bound)
        *lines, last = take_away(superuser, TRANSACTIONS)
        assert last["id"].startswith("Cut after 3 lines") == cut
        assert len(lines) == 3
    monkeypatch.setattr(exports, "EXPORTED_MAX", 10)
    monkeypatch.setattr(exports, "WALKS_MAX", 1)
    monkeypatch.setattr(TransactionForm, "looked_at_max", 2)
    *lines, last = take_away(superuser, TRANSACTIONS, reference="number")
    assert [line["id"] for line in lines] == [str(row.id) for row in rows[:1:-1]]
    assert "there may be more" in last["id"]


@pytest.mark.parametrize(
    "model",
    ["user", "account", "hold", "claim"],
)
def test_every_list_of_what_customers_have_is_taken_away(superuser, model):
    account = AccountFactory()
    deposit(account, "10")
    hold(account, "1")
    assert take_away(superuser, f"/admin/accounts/{model}/") is not None
    assert find_accesses(action="EXPORT")[-1].subject == model


def test_who_may_not_see_a_list_takes_nothing_away(account):
    from tests.office.staff import open_office

    before = RecordEntry.objects.count()
    nobody = open_office(make_staff())
    assert nobody.get(TRANSACTIONS, {"format": "csv"}).status_code == 403
    assert RecordEntry.objects.filter(action="EXPORT").count() == 0
    assert before <= RecordEntry.objects.count()


def test_all_accounts_of_a_user_are_one_click_from_the_hundredth(superuser, boss):
    user = UserFactory()
    for number in range(101):
        operations.create_account(user_id=user.id, currency="EUR", name=f"a{number}", caller=cast.CALLER)
    text = read(superuser.get(f"/admin/accounts/user/{user.id}/change/"))
    assert "100 of 102 accounts are shown." in text
    assert f'href="{ACCOUNTS}?user={user.id}"' in text
    theirs = Account.objects.filter(user=user).values_list("pk", flat=True)
    assert sorted(list_all(ACCOUNTS, boss, user=str(user.id))) == sorted(theirs)
    assert len(list_all(ACCOUNTS, boss, user=str(user.id), name="A1")) == 12
