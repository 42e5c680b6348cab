"""Several corrections approved after each other: each was seen with its numbers and is decided by itself."""

from decimal import Decimal

import pytest

from tests.cast import AccountFactory, deposit, new_id, withdraw
from tests.office.account_pages import read_text
from tests.office.answers import FORGED_IDS, find_accesses, read
from tests.office.correcting import LIST, adjust, balance
from tests.office.staff import make_staff, open_office
from transactions import corrections
from transactions.models import Correction, Transaction

BOXES = 'name="_selected_action"'
TOGETHER = f"{LIST}approve-together/"
WITHDRAW = Transaction.Type.WITHDRAW


@pytest.fixture(autouse=True)
def _limit(settings):
    settings.APPROVAL_ABOVE = {"USD": Decimal(100)}


@pytest.fixture
def office(second):
    return open_office(second)


def choose(client, *made, **asked):
    return client.post(TOGETHER, {"_selected_action": [str(each.id) for each in made], **asked})


def status(made):
    return Correction.objects.get(id=made.id).status


def test_each_is_shown_with_its_numbers_which_count_those_before_it(office, first, account):
    made = [adjust(account, "200", first), adjust(account, "300", first, type=WITHDRAW)]
    asked = {"action": "approve_chosen", "_selected_action": [str(each.id) for each in made]}
    text = read_text(read(office.post(LIST, asked)))
    assert "Balance 0.00 USD 200.00 USD" in text
    assert "Balance 200.00 USD 200.00 USD" in text
    assert "As things are, the ledger would decline it:" in text
    assert "goodwill" in text
    assert {status(each) for each in made} == {"WAITING"}


def test_each_is_approved_by_itself_and_what_fails_is_listed(office, first, second, account):
    good, poor, gone = (
        adjust(account, "200", first),
        adjust(AccountFactory(), "300", first, type=WITHDRAW),
        adjust(account, "400", first),
    )
    assert "approve-together" in read(choose(office, good, poor, gone))
    corrections.reject(id=gone.id, caller=_call(first), reason="mine")
    text = read_text(read(choose(office, good, poor, gone, confirmed="1")))
    assert [status(each) for each in (good, poor, gone)] == ["POSTED", "DECLINED", "REJECTED"]
    for part in ("The account has less available", "not approved This was decided already."):
        assert part in text
    assert balance(account) == 200
    told = [each.type for each in find_accesses(action="CHANGE", actor=second.id)]
    assert told == ["correction.approved"] * 2


def _call(member):
    from ledger.callers import ActorKind, Caller

    return Caller(member.id, ActorKind.STAFF, "test")


def test_ones_own_is_left_out_and_refused(office, second, account):
    own = adjust(account, "500", second)
    html = read(choose(office, own))
    assert "These you cannot approve" in html
    assert 'name="confirmed"' not in html
    text = read_text(read(choose(office, own, confirmed="1")))
    assert "Somebody else must approve what you have asked for." in text
    assert (status(own), balance(account)) == ("WAITING", 0)


def test_a_list_counts_as_one(office, first, account):
    rows = [deposit(account, "60"), deposit(account, "70")]
    made = corrections.reverse_all(
        id=new_id(), transaction_ids=[row.id for row in rows], reason="twice", caller=_call(first)
    )
    withdraw(account, "65")
    assert "2 transactions 130.00 USD" in read_text(read(choose(office, *made)))
    text = read_text(read(choose(office, *made, confirmed="1")))
    assert "1 of 2 were reversed" in text
    assert {status(each) for each in made} == {"POSTED", "DECLINED"}


def test_who_may_not_approve_is_refused(first, account):
    made = adjust(account, "500", first)
    support = open_office(make_staff("support"))
    assert BOXES not in read(support.get(LIST))
    for asked in ({}, {"confirmed": "1"}):
        assert choose(support, made, **asked).status_code == 403
    assert status(made) == "WAITING"


def test_nothing_odd_that_is_chosen_breaks_it(office, first, account):
    for id in (*FORGED_IDS, "", "\x00", str(new_id())):
        for asked in ({}, {"confirmed": "1"}):
            answer = office.post(TOGETHER, {"_selected_action": id, **asked})
            assert answer.status_code in (200, 302), id
        listed = {"action": "approve_chosen", "_selected_action": [id]}
        assert office.post(LIST, listed).status_code in (200, 302), id
    assert office.get(TOGETHER).status_code == 302
    many = [str(new_id()) for _ in range(51)]
    for asked in ({}, {"confirmed": "1"}):
        assert office.post(TOGETHER, {"_selected_action": many, **asked}).status_code == 302
