"""Corrections: asked for by one, approved by another."""

import re
from decimal import Decimal

import pytest

from accounts.models import User
from events.models import Event
from tests import asking
from tests.cast import AccountFactory, deposit, new_id, transfer, withdraw
from tests.office.answers import find_accesses
from tests.office.correcting import LIST, adjust, ask_to_reverse, balance, page, read, reverse_page
from tests.office.staff import make_staff, open_office
from transactions.models import Correction, Transaction


@pytest.fixture(autouse=True)
def _limit(settings):
    settings.APPROVAL_ABOVE = {"USD": Decimal(100)}


@pytest.fixture
def office(first):
    return open_office(first)


def test_a_small_reversal_is_posted_at_once(office, first, account):
    row = deposit(account, "20")
    assert 'name="identity"' in read(office.get(reverse_page(row)))
    assert "The transaction was reversed." in read(ask_to_reverse(office, row))
    assert balance(account) == 0
    reversal = Transaction.objects.get(reverses=row.id)
    assert reversal.metadata == {"reason": "Booked twice"}
    assert page(reversal) in read(office.get(f"/admin/transactions/transaction/{reversal.id}/change/"))
    posted, line = find_accesses(action="CHANGE")
    assert (posted.type, posted.actor, posted.reason) == ("correction.posted", first.id, "Booked twice")
    assert (line.detail, line.reason, line.subject_id) == ("reverse", "Booked twice", str(row.id))


def test_a_big_reversal_waits_for_a_second_person_whom_nobody_can_stand_in_for(
    office, first, second, account
):
    row = deposit(account, "500")
    text = read(ask_to_reverse(office, row))
    assert "waits for a second person" in text
    assert balance(account) == 500
    correction = Correction.objects.get()
    # The maker has no button, and is refused.
    assert page(correction, "approve") not in text
    for method in (office.get, office.post):
        assert method(page(correction, "approve")).status_code == 403
    assert balance(account) == 500
    # Somebody else has one.
    other = open_office(second)
    shown = read(other.get(page(correction)))
    assert page(correction, "approve") in shown
    assert "first" in shown
    assert "0.00\xa0USD" in shown  # what the balance would be
    assert other.get(page(correction, "approve")).status_code == 200
    assert "was approved and posted" in read(other.post(page(correction, "approve"), follow=True))
    assert balance(account) == 0
    correction.refresh_from_db()
    assert (correction.status, correction.maker, correction.checker) == ("POSTED", first, second)
    # A third approval finds nothing to approve.
    third = open_office(make_staff("operations"))
    answer = third.post(page(correction, "approve"))
    assert (answer.status_code, "This was decided already." in read(answer)) == (422, True)
    assert third.get(page(correction, "approve")).status_code == 302
    assert page(correction, "approve") not in read(third.get(page(correction)))
    assert Transaction.objects.filter(reverses=row.id).count() == 1
    told = [(line.actor, line.type) for line in find_accesses(action="CHANGE")]
    assert told == [
        (first.id, "correction.proposed"),
        (first.id, "transaction.command_given"),
        (second.id, "correction.approved"),
    ]


def test_a_transaction_says_that_its_reversal_waits(office, account):
    row = deposit(account, "500")
    ask_to_reverse(office, row)
    text = read(office.get(f"/admin/transactions/transaction/{row.id}/change/"))
    assert "<bdi>first</bdi> has asked to reverse 500.00\xa0USD of this" in text
    assert page(Correction.objects.get()) in text


def test_the_same_form_sent_twice_makes_one_correction(office, account):
    row, identity = deposit(account, "20"), new_id()
    answers = [ask_to_reverse(office, row, identity=identity) for _ in range(2)]
    assert all("The transaction was reversed." in read(answer) for answer in answers)
    assert Correction.objects.count() == 1
    changed = ask_to_reverse(office, row, identity=identity, reason="Another")
    assert (changed.status_code, "This form was sent before" in read(changed)) == (422, True)


@pytest.mark.parametrize("identity", ["", "x", "00000000-0000-0000-0000-000000000000", "\x00"])
def test_a_form_with_a_spoilt_identity_does_nothing(office, account, identity):
    row = deposit(account, "20")
    assert (
        office.post(reverse_page(row), {"reason": "x", "identity": identity, "amount": "20"}).status_code
        == 422
    )
    assert not Correction.objects.exists()


def test_the_id_of_another_transaction_is_no_identity(office, account):
    row, other = deposit(account, "20"), deposit(account, "30")
    assert (
        office.post(reverse_page(row), {"reason": "x", "identity": other.id, "amount": "20"}).status_code
        == 422
    )
    assert not Correction.objects.exists()
    assert find_accesses(action="CHANGE") == []


@pytest.mark.parametrize("reason", ["", " ", "a\x00b", "a" * 501])
def test_a_reversal_needs_a_reason(office, account, reason):
    assert ask_to_reverse(office, deposit(account, "20"), reason=reason).status_code == 422
    assert balance(account) == 20


def test_what_cannot_be_reversed_has_no_button_and_is_refused(office, account):
    declined = withdraw(account, "20")
    row = deposit(account, "20")
    ask_to_reverse(office, row)
    reversal = Transaction.objects.get(reverses=row.id)
    for each in (declined, row, reversal):
        assert reverse_page(each) not in read(
            office.get(f"/admin/transactions/transaction/{each.id}/change/")
        )
        assert office.get(reverse_page(each)).status_code == 302
    for each in (declined, reversal):
        answer = ask_to_reverse(office, each)
        assert answer.status_code == 422
        assert "Only a posted transaction" in read(answer)
    assert "reversed before" in read(ask_to_reverse(office, row))
    assert balance(account) == 0


def test_the_form_shows_what_is_left_and_takes_a_part(office, account):
    row = deposit(account, "60")
    assert 'value="60.00"' in read(office.get(reverse_page(row)))
    assert "was reversed" in read(ask_to_reverse(office, row, amount="25"))
    text = read(office.get(reverse_page(row)))
    assert 'value="35.00"' in text
    assert "Of 60.00\xa0USD there is left: 35.00\xa0USD" in text
    shown = read(office.get(f"/admin/transactions/transaction/{row.id}/change/"))
    part = Transaction.objects.get(reverses=row.id)
    for each in ("25.00\xa0USD", "35.00\xa0USD", f"/admin/transactions/transaction/{part.id}/change/"):
        assert each in shown
    assert "Less of the transaction is left" in read(ask_to_reverse(office, row, amount="36"))
    for amount in ("", "0", "x", "1.001"):
        assert ask_to_reverse(office, row, amount=amount or " ").status_code == 422
    assert balance(account) == 35


def test_a_part_that_waits_says_so_when_less_is_left(office, second, account):
    row = deposit(account, "500")
    ask_to_reverse(office, row, amount="450")
    waiting = Correction.objects.get()
    shown = read(office.get(page(waiting)))
    assert "Left of it: 500.00\xa0USD" in shown
    assert "Less of the transaction is left" not in shown
    ask_to_reverse(office, row, amount="60")
    shown = read(office.get(page(waiting)))
    assert "Left of it: 440.00\xa0USD" in shown
    assert "Less of the transaction is left" in shown
    assert "Less of the transaction is left" in read(
        open_office(second).post(page(waiting, "approve"), follow=True)
    )
    assert balance(account) == 440


def test_both_legs_of_a_transfer_are_taken_back(office, account):
    other = AccountFactory()
    deposit(account, "20")
    withdrawal = transfer(account, other, "20")
    ask_to_reverse(office, Transaction.objects.exclude(id=withdrawal.id).get(transfer=withdrawal.id))
    assert (balance(account), balance(other)) == (20, 0)
    text = read(office.get(page(Correction.objects.get())))
    assert (
        text.count("/admin/transactions/transaction/0") + text.count("/admin/transactions/transaction/") >= 3
    )
    assert "one leg of a transfer" in text


def test_a_correction_that_the_ledger_declines_says_why(office, account):
    row = deposit(account, "20")
    withdraw(account, "15")
    text = read(ask_to_reverse(office, row))
    assert "The ledger has declined this: The account has less available" in text
    assert Correction.objects.get().status == "DECLINED"
    assert balance(account) == 5


def test_an_approved_correction_that_the_ledger_declines_says_why(first, second, account):
    deposit(account, "500")
    correction = adjust(account, "200", first, type=Transaction.Type.WITHDRAW)
    asking.freeze(id=account.id, reason="test", request_id="test")
    client = open_office(second)
    text = read(client.post(page(correction, "approve"), follow=True))
    assert "The ledger has declined this: The account is frozen" in text
    assert "was approved and posted" not in text
    assert "The account is frozen" in read(client.get(page(correction)))
    correction.refresh_from_db()
    assert (correction.status, correction.checker) == ("DECLINED", second)


def test_a_waiting_correction_says_when_it_would_be_declined(office, second, account):
    ask_to_reverse(office, deposit(account, "500"))
    assert "would decline it" not in read(office.get(page(Correction.objects.get())))
    withdraw(account, "1")
    assert "would decline it" in read(office.get(page(Correction.objects.get())))


def test_a_correction_is_rejected_with_a_reason(first, second, account):
    correction = adjust(account, "500", first)
    client = open_office(second)
    assert client.post(page(correction, "reject"), {"reason": ""}).status_code == 422
    text = read(client.post(page(correction, "reject"), {"reason": "No receipt <b>"}, follow=True))
    assert "Nothing was posted" in text
    assert "No receipt &lt;b&gt;" in text
    assert balance(account) == 0
    correction.refresh_from_db()
    assert (correction.status, correction.checker) == ("REJECTED", second)
    assert client.post(page(correction, "approve")).status_code == 422
    assert not Event.objects.filter(type="transaction.posted").exists()


def test_its_maker_may_take_it_back(office, first, account):
    correction = adjust(account, "500", first)
    assert page(correction, "reject") in read(office.get(page(correction)))
    assert office.post(page(correction, "reject"), {"reason": "my mistake"}).status_code == 302
    correction.refresh_from_db()
    assert correction.status == "REJECTED"


def test_a_maker_who_may_approve_nothing_any_more_may_still_take_it_back(first, account):
    correction = adjust(account, "500", first)
    first.groups.set(make_staff("support").groups.all())
    client = open_office(User.objects.get(id=first.id))
    assert page(correction, "reject") in read(client.get(page(correction)))
    assert client.post(page(correction, "reject"), {"reason": "my mistake"}).status_code == 302


# The list, and what the sidebar says of it


def test_the_queue_shows_what_waits_and_all_shows_all(office, first, account):
    done, waiting = adjust(account, "5", first), adjust(account, "500", first)
    queue, everything = read(office.get(LIST)), read(office.get(f"{LIST}?state=all"))
    assert (str(done.id) in queue, str(waiting.id) in queue) == (False, True)
    assert str(done.id) in everything
    assert str(waiting.id) in everything
    for words in (done.id, account.id):
        assert str(done.id) in read(office.get(LIST, {"q": str(words)}))
    for query in ("state=x", "state=all&p=9999"):
        assert office.get(f"{LIST}?{query}", follow=True).status_code == 200, query


def test_the_queue_leads_whoever_may_approve_it_to_the_approval(office, first, second, account):
    waiting = adjust(account, "500", first)
    lead = page(waiting, "approve")
    assert lead in read(open_office(second).get(LIST))
    for other in (office, open_office(make_staff("support"))):  # its maker, and who may approve nothing
        assert lead not in read(other.get(LIST))


def test_the_sidebar_counts_what_waits(office, first, account):
    def shown():
        lead = read(office.get("/admin/find/")).split('href="/admin/transactions/correction/"')[1]
        text = re.sub(r"<[^>]*>", "", lead[lead.index(">") + 1 : lead.index("</a>")])
        return text.split()[-1]

    assert shown() == "Corrections"
    for _ in range(2):
        adjust(account, "500", first)
    assert shown() == "2"
