"""The page of an account: what it shows, and to whom."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

from django.contrib.auth.models import Permission

from events.models import FeedState, Subscription
from ledger.callers import Caller
from tests import asking
from tests.cast import (
    AccountFactory,
    OrderFactory,
    day,
    deposit,
    hold,
    hold_that_expires,
    new_id,
    transfer,
    withdraw,
)
from tests.office.account_pages import ESCAPED, PROBE, find_address, list_references, look, read_text
from tests.office.staff import make_staff, open_office
from transactions import posting
from transactions.models import Transaction
from transactions.posting.commands import Reversal
from transactions.reading import history


def test_the_head_shows_what_the_account_has(support, account, petya):
    deposit(account, "1234.50")
    hold(account, "34")
    asking.set_limits(
        id=account.id,
        limits={"credit_limit": Decimal(50), "withdraw_max": Decimal(700), "withdraw_day_max": Decimal(900)},
        request_id="test",
    )
    html = look(support, account)
    text = read_text(html)
    for shown in (
        "Balance 1,234.50 USD",
        "Held 34.00 USD",
        "Available 1,250.50 USD",
        "Credit limit 50.00 USD",
        "Limit of one withdrawal 700.00 USD",
        "Daily withdrawal limit (UTC) 900.00 USD",
        "Version 1 ",
        "Status active",
        str(account.id),
    ):
        assert shown in text, shown
    assert f'href="/admin/accounts/user/{petya.id}/change/"' in html


def test_a_frozen_account_shows_its_reason(support, account):
    asking.freeze(id=account.id, reason=f"case 42 {PROBE}", request_id="test")
    html = look(support, account)
    assert "frozen" in read_text(html)
    assert f"case 42 {ESCAPED}" in html


def test_the_time_machine_says_what_made_the_difference(support, account):
    deposit(account, "100", effective_at=day("2023-01-01"), reference="first")
    known = deposit(account, "10", effective_at=day("2023-01-10"), reference="after")
    deposit(account, "1", effective_at=day("2023-01-02"), reference="late one")
    known_at = known.recorded_at.isoformat().replace("+00:00", "Z")
    html = look(support, account, at="2023-01-05T00:00", known_at=known_at)
    text = read_text(html)
    assert "Balance then 100.00 USD" in text
    assert "Balance now 111.00 USD" in text
    assert "Difference 11.00 USD" in text
    assert "Effective after that moment: 10.00 USD" in text
    assert "recorded only after “known at”: 1.00 USD" in text
    assert list_references(html) == ["after", "late one", "first"]  # two parts, and the statement then


def test_the_moment_that_was_asked_stays_in_the_form(support, account):
    html = look(support, account, at="2023-01-05T10:20:00", known_at="2023-01-05T10:20:00.000001Z")
    shown = dict(re.findall(r'name="((?:known_)?at(?:_time)?)" value="([^"]*)"', html))
    assert shown == {
        "at": "2023-01-05",
        "at_time": "10:20:00",
        "known_at": "2023-01-05",
        "known_at_time": "10:20:00.000001",
    }


def test_a_long_statement_is_read_page_after_page(support, account):
    orders = [
        OrderFactory(account=account, amount=Decimal(1), reference=f"number {number}")
        for number in range(120)
    ]
    posting.post(orders, caller=Caller(account.user_id))
    html, seen = look(support, account), []
    while True:
        seen += list_references(html)
        older = re.search(r'href="(\?after=[^"&]+)"', html)
        if not older:
            break
        html = support.get(find_address(account) + older[1].replace("&amp;", "&")).content.decode()
    assert seen == [f"number {number}" for number in range(119, -1, -1)]


def test_marks_lead_to_what_belongs_together(support, account):
    row = deposit(account, "50", effective_at=day("2023-01-02"))
    [result] = posting.post([Reversal(id=new_id(), reason="x", rows=[row])], caller=Caller(account.user_id))
    reversal = result.transaction
    deposit(account, "9", effective_at=day("2023-01-01"))
    transfer(account, AccountFactory(), "3")
    html = look(support, account)
    # Each has its line; both marks lead to what was reversed, whose page has all that took it back.
    for id, count in ((row.id, 3), (reversal.id, 1)):
        assert html.count(f"/admin/transactions/transaction/{id}/change/") == count
    text = read_text(html)
    for mark in ("late", "reversal", "reversed", "transfer"):
        assert f" {mark} " in text, mark


def test_declined_attempts_say_why_in_words(support, account):
    deposit(account, "5")
    withdraw(account, "50", reference="rent")
    asking.freeze(id=account.id, reason="x", request_id="test")
    withdraw(account, "1")
    text = read_text(look(support, account, show="declines"))
    assert "The account is frozen: it accepts money in, not out. 5.00 USD" in text
    assert "The account has less available than the withdrawal requires." in text
    assert "withdrawal -50.00 USD" in text
    assert "available 5.00 USD" in text
    assert "required 50.00 USD" in text
    assert "5.00 USD rent" in text


def test_older_declined_attempts_are_on_the_next_page(support, account):
    orders = [
        OrderFactory(account=account, type=Transaction.Type.WITHDRAW, reference=f"number {number}")
        for number in range(70)
    ]
    posting.post(orders, caller=Caller(account.user_id))
    html = look(support, account, show="declines")
    assert list_references(html) == [f"number {number}" for number in range(69, 19, -1)]
    older = re.search(r'href="(\?show=declines&amp;before=[^"]+)"', html)[1].replace("&amp;", "&")
    html = support.get(find_address(account) + older).content.decode()
    assert list_references(html) == [f"number {number}" for number in range(19, -1, -1)]


def test_holds_are_shown_soonest_to_end_first(support, account):
    deposit(account, "100")
    now = account.created_at
    hold(account, "1", reference="never")
    hold(account, "2", reference="in two days", expires_at=now + timedelta(days=2))
    hold(account, "3", reference="in a day", expires_at=now + timedelta(days=1))
    hold(account, "1000", reference="refused")
    hold_that_expires(account, "4")
    html = look(support, account, show="holds")
    assert list_references(html) == ["", "in a day", "in two days", "never", "refused"]
    assert "its time is over" in html


def test_the_events_of_an_account_say_who_was_told(support, account):
    deposit(account, "5")
    subscription = Subscription.objects.create(
        kind="webhook",
        url=f"https://example.com/{PROBE}",
        epoch=FeedState.objects.get().epoch,
        position=0,
        attempts=2,
        failing_since=account.created_at,
        last_error=f"503 {PROBE}",
        actor=new_id(),
    )
    html = look(support, account, show="events")
    text = read_text(html)
    assert "transaction.posted" in text
    assert "waits for one" in text  # nobody has read the feed
    assert f"/admin/events/subscription/{subscription.id}/change/" in html
    assert PROBE not in html
    assert f"503 {ESCAPED}" in html
    subscription.delete()
    assert "nobody is subscribed" in read_text(look(support, account, show="events"))


def test_who_may_see_accounts_only_sees_no_sections(account):
    staff = make_staff()
    staff.user_permissions.add(Permission.objects.get(codename="view_account"))
    staff.user_permissions.add(Permission.objects.get(codename="view_event"))
    client = open_office(staff)
    deposit(account, "5", reference="invoice 77")
    html = look(client, account, show="statement")
    assert "invoice 77" not in html
    assert "transaction.posted" in html
    assert "Delivered to" not in html
    assert client.get(find_address(account), {"format": "csv"}).status_code == 403


def read_chart(html):
    found = re.search(r'data-options="([^"]*)" data-type="line" data-value="([^"]*)"', html)
    options, data = (json.loads(unescape(text)) for text in found.groups())
    assert options["scales"]["y"]["ticks"]
    return data


def read_axis(html):
    [options] = re.findall(r'data-options="([^"]*)" data-type="line"', html)
    return json.loads(unescape(options))["scales"]["y"]


def test_the_chart_runs_to_the_balance_now(support, account):
    deposit(account, "5", effective_at=account.created_at - timedelta(days=20))
    deposit(account, "7.25")
    data = read_chart(look(support, account))
    [balances] = [each["data"] for each in data["datasets"]]
    assert len(balances) == len(data["labels"]) == 1 + 59 * 3
    assert (balances[0], balances[88], balances[-1]) == (0, 5, 12.25)
    for name, first in (("day", 5), ("year", 0), ("all", 5)):
        data = read_chart(look(support, account, range=name))
        assert data["datasets"][0]["data"][0] == first


def test_the_chart_marks_the_chosen_moment(support, account):
    deposit(account, "5", effective_at=day("2020-01-01"))
    deposit(account, "5", effective_at=day("2020-06-01"))
    mark, course = read_chart(look(support, account, at="2020-01-05T12:00"))["datasets"]
    assert [balance for balance in mark["data"] if balance is not None] == [5]
    assert len(course["data"]) == 1 + 60 * 3


def test_the_chart_shows_a_peak_between_its_points(support, account):
    """Within a bucket of half a day a balance came and went, and once it was lower than at both ends."""
    at = account.created_at - timedelta(hours=1)
    deposit(account, "500", effective_at=at - timedelta(days=3))
    for change, minutes in (("-400", 1), ("1156", 2), ("-756", 3)):
        move = deposit if Decimal(change) > 0 else withdraw
        move(account, change.strip("-"), effective_at=at + timedelta(minutes=minutes))
    [balances] = [each["data"] for each in read_chart(look(support, account))["datasets"]]
    assert balances[-4:] == [500, 100, 1256, 500]


def test_the_axis_ends_at_zero_when_no_balance_is_below(support, account):
    asking.set_limits(id=account.id, limits={"credit_limit": Decimal(50)}, request_id="test")
    deposit(account, "5", effective_at=account.created_at - timedelta(days=2))
    assert read_axis(look(support, account))["min"] == 0
    withdraw(account, "5.01", effective_at=account.created_at - timedelta(days=1))
    assert "min" not in read_axis(look(support, account))


def test_a_balance_far_from_zero_has_an_axis_of_its_own(support, account):
    deposit(account, "5000", effective_at=account.created_at - timedelta(days=60))
    deposit(account, "1", effective_at=account.created_at - timedelta(days=1))
    assert "min" not in read_axis(look(support, account))


def test_the_chart_says_since_when_it_shows_every_peak(support, account, monkeypatch):
    said = "Every peak is drawn since"
    for _number in range(5):
        deposit(account, "5")
    assert said not in look(support, account)
    monkeypatch.setattr(history, "EFFECTS_MAX", 3)
    assert said in look(support, account)


def test_an_account_without_transactions_has_no_course(support, account):
    assert "Nothing has moved on this account yet." in look(support, account, range="all")
