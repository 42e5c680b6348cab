"""What staff see and do of what accounts owe."""

from decimal import Decimal

import pytest

from accounts.models import Claim
from tests import claims
from tests.asking import ask as post
from tests.asking import capture_of
from tests.cast import AccountFactory, deposit, hold, new_id, transfer, withdraw
from tests.claims import figures
from tests.office.account_pages import find_address, look, read_text
from tests.office.answers import find_accesses
from tests.office.correcting import adjust, page
from tests.office.staff import make_staff, open_office
from transactions.models import Correction, Transaction

LIST = "/admin/accounts/claim/"


@pytest.fixture(autouse=True)
def _limit(settings):
    settings.APPROVAL_ABOVE = {"USD": Decimal(100)}


@pytest.fixture
def office(first):
    return open_office(first)


def claim_page(of, name="change"):
    return f"{LIST}{of.id}/{name}/"


def transaction_page(row, name="change"):
    return f"/admin/transactions/transaction/{row.id}/{name}/"


def read(answer):
    return read_text(answer.content.decode())


def ask_to_claim(office, account, amount, **fields):
    asked = {
        "amount": amount,
        "reference": "case 9",
        "reason": "a chargeback",
        "identity": new_id(),
        **fields,
    }
    return office.post(find_address(account, "claim"), asked, follow=True)


def ask(office, address, **fields):
    return office.post(address, {"reason": "settled", "identity": new_id(), **fields}, follow=True)


def test_a_claim_is_opened_and_shown_where_it_matters(office, first, rich, settings):
    settings.APPROVAL_ABOVE = {"USD": Decimal(10_000)}
    payee = AccountFactory()
    had = figures(rich)[0]
    text = read(ask_to_claim(office, rich, str(had + 50), destination=str(payee.id)))
    assert "The claim is opened" in text
    opened = Claim.objects.get()
    assert (figures(rich), figures(payee)) == ((0, 0, 50), (had, 0, 0))
    for shown in (text, look(office, rich, show="claims")):
        assert "Owed 50.00 USD" in read_text(shown)
        assert "a chargeback" in shown
        assert "case 9" in shown
    text = office.get(claim_page(opened)).content.decode()
    for part in (str(payee.user), find_address(payee), "a chargeback", transaction_page(taken(opened))):
        assert part in text
    assert f"Collected {had:,.2f}" in read_text(text)
    assert page(Correction.objects.get()) in text
    posted, line = find_accesses(action="CHANGE")
    assert (posted.type, posted.actor, line.detail) == ("correction.posted", first.id, "claim")


def taken(of):
    return Transaction.objects.get(claim=of.id, type="WITHDRAW")


def test_a_big_one_waits_and_its_checker_reads_what_would_be_owed(office, second, rich):
    had = figures(rich)[0]
    text = read(ask_to_claim(office, rich, str(had + 500)))
    assert "waits for a second person" in text
    assert not Claim.objects.exists()
    correction = Correction.objects.get()
    other = open_office(second)
    text = read(other.get(page(correction)))
    assert "less is available than it takes" not in text
    for part in ("Kind Claim", "Owed 0.00 USD 500.00 USD", "Balance 100.00 USD 0.00 USD"):
        assert part in text
    assert office.post(page(correction, "approve")).status_code == 403
    assert "approved and posted" in read(other.post(page(correction, "approve"), follow=True))
    assert figures(rich) == (0, 0, 500)
    assert claim_page(Claim.objects.get()) in other.get(page(correction)).content.decode()


def test_what_cannot_be_claimed_is_said_in_the_form(office, rich):
    for fields, text in (
        ({"destination": str(new_id())}, "no such thing any more"),
        ({"destination": str(rich.id)}, "goes to another account"),
        ({"destination": str(AccountFactory(currency="EUR").id)}, "in another currency"),
        ({"destination": "x"}, "valid UUID"),
        ({"amount": "0"}, "more than zero"),
        ({"reference": ""}, "This field is required"),
    ):
        answer = office.post(
            find_address(rich, "claim"),
            {"amount": "5", "reference": "r", "reason": "x", "identity": new_id(), **fields},
        )
        assert (answer.status_code, text in read(answer)) == (422, True), fields
    assert not Correction.objects.exists()


def test_more_claims_than_there_may_be_are_declined_and_it_says_so(office, account):
    for _ in range(50):
        claims.claim(account, "1")
    text = read(ask_to_claim(office, account, "5"))
    assert "as many open claims on the account as there may be" in text
    declined = Claim.objects.get(status="DECLINED")
    assert "open claims 50" in read(office.get(claim_page(declined)))


def test_a_reversal_leaves_what_is_not_there_owed_to_the_source(office, rich):
    account = AccountFactory()
    moved = transfer(rich, account, "60")
    withdraw(account, "45")
    leg = Transaction.objects.get(transfer=moved.id, account=account)
    answer = ask(office, transaction_page(leg, "claim"), amount="40")
    assert "It was taken back: what was not there is owed." in read(answer)
    assert figures(account) == (0, 0, 25)
    claimed = Claim.objects.get()
    for row in (moved, leg):
        text = office.get(transaction_page(row)).content.decode()
        assert claim_page(claimed) in text
        assert "40.00 USD of this was reversed; 20.00 USD is left." in read_text(text)
    assert str(moved.id) in office.get(claim_page(claimed)).content.decode()
    collected = office.get(transaction_page(taken(claimed))).content.decode()
    assert claim_page(claimed) in collected
    for name in ("reverse", "claim"):
        assert transaction_page(taken(claimed), name) not in collected


def test_only_money_that_came_in_is_claimed_back(office, rich):
    spent, received = withdraw(rich, "5"), deposit(rich, "5")
    for row, is_shown in ((spent, False), (received, True)):
        assert (
            transaction_page(row, "claim") in office.get(transaction_page(row)).content.decode()
        ) == is_shown
    support = open_office(make_staff("support"))
    assert support.get(transaction_page(received, "claim")).status_code == 403


def test_a_small_rest_is_waived_by_one_person_and_a_big_one_by_two(office, second, account):
    small, big = claims.claim(account, "100"), claims.claim(account, "0.01")
    assert "What was left of the claim is waived." in read(ask(office, claim_page(small, "waive")))
    assert "waits for a second person" in read(ask(office, claim_page(big, "waive")))
    correction = Correction.objects.get(claim=big.id)
    text = office.get(claim_page(big)).content.decode()
    assert "has asked to waive the rest" in read_text(text)
    other = open_office(second)
    text = read(other.get(page(correction)))
    for part in ("Waiver of a claim", "Owed 0.01 USD 0.00 USD"):
        assert part in text
    other.post(page(correction, "approve"))
    assert figures(account) == (0, 0, 0)
    text = read(office.get(claim_page(big)))
    assert "Reason of the waiver settled" in text
    assert claim_page(big, "waive") not in text


def test_a_waiver_that_came_too_late_can_only_be_rejected(office, second, account):
    big = claims.claim(account, "500")
    ask(office, claim_page(big, "waive"))
    deposit(account, "500")
    correction, other = Correction.objects.get(), open_office(second)
    assert "The claim is not open any more." in read(other.get(page(correction)))
    answer = other.post(page(correction, "approve"))
    assert (answer.status_code, "not open any more" in read(answer)) == (422, True)
    other.post(page(correction, "reject"), {"reason": "it was paid"})
    assert Correction.objects.get().status == "REJECTED"


def test_what_comes_in_is_foreseen_as_collected(office, first, second, account):
    claims.claim(account, "300")
    correction = adjust(account, "500", first)
    text = read(open_office(second).get(page(correction)))
    for part in ("Balance 0.00 USD 200.00 USD", "Owed 300.00 USD 0.00 USD"):
        assert part in text


def test_the_list_is_filtered_and_searched(office, rich):
    taken_back = deposit(rich, "5")
    withdraw(rich, str(figures(rich)[0]))
    ask(office, transaction_page(taken_back, "claim"), amount="5")
    of_rich, of_other = Claim.objects.get(), claims.claim(AccountFactory(), "7")
    claims.waive(of_other)
    both, rich_one = {of_rich, of_other}, {of_rich}
    for query, shown in (
        ("", both),
        ("?status=OPEN", rich_one),
        ("?status=WAIVED", both - rich_one),
        (f"?q={of_rich.id}", rich_one),
        (f"?q={rich.id}", rich_one),
        (f"?q={taken_back.id}", rich_one),
        ("?q=chargeback", set()),
    ):
        text = office.get(LIST + query).content.decode()
        assert {each for each in both if claim_page(each) in text} == shown, query
    answer = office.get("/admin/find/", {"q": str(of_other.id)})
    assert (answer.status_code, answer["Location"]) == (302, claim_page(of_other))
    assert "<a" in office.get("/admin/find/", {"q": str(of_rich.id)}).content.decode()  # and its correction


def test_lines_of_the_statement_say_what_they_belong_to(office, rich):
    payee = AccountFactory()
    placed = hold(rich, "20")
    post(capture_of(placed, Decimal(5), final=False, destination_id=payee.id))
    received = deposit(rich, "9")
    ask(office, transaction_page(received, "reverse"), amount="4")
    claim = claims.claim(rich, "3", destination=payee)
    text = look(office, rich)
    for label in ("captured into an account", "collected for a claim", "reversal", "reversed in part"):
        assert label in text
    assert claim_page(claim) in text
    of_payee = look(office, payee)
    assert "paid by a claim" in of_payee
    assert claim_page(claim) in of_payee
    assert "captured into an account" not in of_payee


def test_the_dashboard_counts_open_claims(office, account):
    claims.claim(account, "1")
    claims.waive(claims.claim(account, "2"))
    text = read(office.get("/admin/"))
    assert "Open claims 1 What accounts owe." in text


def test_only_who_may_sees_the_buttons(account):
    opened = claims.claim(account, "5")
    for group, is_shown in (("operations", True), ("support", False), ("auditor", False)):
        client = open_office(make_staff(group))
        assert ("/claim/" in buttons(look(client, account))) == is_shown, group
        assert (claim_page(opened, "waive") in client.get(claim_page(opened)).content.decode()) == is_shown


def buttons(html):
    return html.replace(LIST, "")
