"""The page of a transaction: its whole story."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events import feed
from events.models import Event
from ledger.callers import Caller
from office.pages.transactions import find_events
from tests import asking
from tests.asking import capture_of
from tests.cast import AccountFactory, day, deposit, hold, new_id, transfer, withdraw
from tests.events.conftest import deposit_times
from tests.events.test_upkeep import age
from tests.office import answers
from transactions import posting
from transactions.models import Transaction
from transactions.posting.commands import Reversal

LIST = "/admin/transactions/transaction/"


def page(row):
    return f"{LIST}{row.id}/change/"


def read(browser, row):
    return answers.read(browser.get(page(row)))


def capture(held, amount):
    [answer] = posting.post([capture_of(held, Decimal(amount))], caller=Caller(held.account.user_id))
    return answer.transaction


def test_a_posted_transaction_shows_what_it_did(support, account):
    deposit(account, "1000")
    row = withdraw(account, "234.5", reference="INV-9", metadata={"order": "77"})
    text = read(support, row)
    for shown in (
        "-234.50\xa0USD",
        "1,000.00\xa0USD",
        "765.50\xa0USD",
        "INV-9",
        "order",
        "77",
        "petya",
        str(row.id),
    ):
        assert shown in text
    assert bytes(row.chain_hash).hex()[:16] in text


def test_a_declined_transaction_says_why_and_what_there_was(support, account):
    deposit(account, "30")
    row = withdraw(account, "50")
    deposit(account, "1000")
    text = read(support, row)
    assert "The account has less available than the withdrawal requires." in text
    for shown in ("50.00\xa0USD", "30.00\xa0USD"):
        assert shown in text
    assert "1,030.00" not in text
    assert 'reverse/"' not in text


def test_a_transaction_that_expected_another_version_says_which(support, account):
    deposit(account, "30")
    text = read(support, deposit(account, "50", expected_version=97))
    assert "The account is not at the expected version." in text
    assert "97" in text.partition("expected version.")[2]


def test_the_balance_before_a_late_decline_is_that_of_its_recording(support, account):
    deposit(account, "40", effective_at=day("2023-01-01"))
    row = withdraw(account, "41", effective_at=day("2022-01-01"))
    assert row.decline_reason
    assert "40.00\xa0USD" in read(support, row)


@pytest.mark.parametrize("reason", ["frozen", "limit"])
def test_a_frozen_account_and_a_limit_say_so(support, account, reason):
    deposit(account, "30")
    if reason == "frozen":
        asking.freeze(id=account.id, reason="test", request_id="test")
    else:
        asking.set_limits(id=account.id, limits={"withdraw_max": Decimal(5)}, request_id="test")
    text = read(support, withdraw(account, "6"))
    assert (
        "The account is frozen" if reason == "frozen" else "the most that one withdrawal may take"
    ) in text


def test_both_legs_of_a_transfer_lead_to_each_other(support):
    source, destination = AccountFactory(), AccountFactory()
    deposit(source, "9")
    withdrawal = transfer(source, destination, "9")
    other = Transaction.objects.exclude(id=withdrawal.id).get(transfer=withdrawal.id)
    assert page(other) in read(support, withdrawal)
    assert page(withdrawal) in read(support, other)


def test_a_reversal_and_what_it_takes_back_lead_to_each_other(support, account):
    row = deposit(account, "9")
    [answer] = posting.post([Reversal(id=new_id(), reason="x", rows=[row])], caller=Caller(account.user_id))
    assert page(answer.transaction) in read(support, row)
    assert page(row) in read(support, answer.transaction)


def test_a_capture_leads_to_its_hold_and_its_two_events_are_shown(support, account):
    deposit(account, "9")
    held = hold(account, "5")
    text = read(support, capture(held, "3"))
    assert f"/admin/accounts/hold/{held.id}/change/" in text
    assert "transaction.posted" in text
    assert "hold.captured" in text


def test_of_an_old_capture_that_was_pruned_the_event_of_its_hold_is_still_shown(account):
    deposit(account, "9")
    row = capture(hold(account, "5"), "3")
    deposit_times(account, 10)
    feed.read()
    age(100)
    assert feed.prune(days=30) == 16
    [captured] = Event.objects.filter(type="hold.captured")
    row.recorded_at = captured.recorded_at
    assert find_events(row) == [captured]


def test_every_transaction_finds_its_own_event(account):
    rows = [deposit(account, "10")]
    for number in range(40):
        held = hold(account, "1")
        rows.append(capture(held, "1") if number % 3 else withdraw(account, "1000"))
    for row in rows:
        [own] = [event for event in find_events(row) if event.type.startswith("transaction.")]
        assert (own.about, own.recorded_at) == (row.seq, row.recorded_at)


def test_an_event_is_found_in_one_look_up_and_one_read_however_many_there_are(account):
    row = deposit(account, "10")
    for _ in range(50):
        deposit(account, "1")
    with CaptureQueriesContext(connection) as queries:
        assert find_events(row)
    assert len(queries) == 2


def test_who_asked_is_named(support, account):
    assert f"/admin/accounts/user/{account.user_id}/change/" in read(support, deposit(account, "1"))
    [stranger] = asking.post(
        [Reversal(id=new_id(), reason="x", rows=[deposit(account, "2")])], caller=Caller(new_id())
    )
    assert str(stranger.transaction.actor) in read(support, stranger.transaction)


def test_the_list_is_searched_by_a_whole_reference_or_an_id(support, account):
    rows = [deposit(account, "1", reference=f"INV-{number}") for number in range(3)]
    for words in ("INV-1", str(rows[1].id)):
        text = support.get(LIST, {"q": words}).content.decode()
        assert [str(row.id) in text for row in rows] == [False, True, False]
    assert str(rows[1].id) not in support.get(LIST, {"q": "INV"}).content.decode()
