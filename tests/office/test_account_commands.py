"""What staff can do to an account: freeze it, unfreeze it, correct its balance."""

from decimal import Decimal

import pytest
from django.utils import translation

from tests import asking
from tests.cast import (
    new_id,
)
from tests.office.account_pages import find_address, look, read_text
from tests.office.answers import find_accesses
from tests.office.staff import make_staff, open_office
from transactions.models import Correction, Transaction

COMMANDS = ("freeze", "unfreeze", "adjust", "limits", "close")


@pytest.mark.parametrize(
    ("group", "status", "buttons"),
    [
        ("support", "ACTIVE", {"freeze"}),
        ("support", "FROZEN", {"unfreeze"}),
        ("support", "CLOSED", set()),
        ("operations", "ACTIVE", {"freeze", "adjust", "limits", "close"}),
        ("operations", "FROZEN", {"unfreeze", "adjust", "limits", "close"}),
        ("operations", "CLOSED", set()),
        ("auditor", "ACTIVE", set()),
        ("auditor", "FROZEN", set()),
    ],
)
def test_everybody_sees_the_buttons_of_their_permissions(account, group, status, buttons):
    if status != "ACTIVE":
        change = {"FROZEN": asking.freeze, "CLOSED": asking.close}[status]
        change(id=account.id, reason="why", request_id="test")
    html = look(open_office(make_staff(group)), account)
    address = find_address(account, "")[:-1]
    assert {name for name in COMMANDS if f"{address}{name}/" in html} == buttons


def test_support_freezes_and_unfreezes_with_a_reason(support, account):
    answer = support.post(find_address(account, "freeze"), {"reason": ""})
    assert answer.status_code == 422
    answer = support.post(find_address(account, "freeze"), {"reason": "a stolen card"}, follow=True)
    assert "accepts money in, not out" in read_text(answer.content.decode())
    account.refresh_from_db()
    assert (account.status, account.status_reason) == ("FROZEN", "a stolen card")
    support.post(find_address(account, "unfreeze"), {"reason": "the card was found"})
    account.refresh_from_db()
    assert account.status == "ACTIVE"
    changes = find_accesses(action="CHANGE")
    assert [(each.detail, each.reason, each.subject_id) for each in changes] == [
        ("freeze", "a stolen card", str(account.id)),
        ("unfreeze", "the card was found", str(account.id)),
    ]


def test_a_closed_account_cannot_be_unfrozen(support, account):
    asking.close(id=account.id, reason="x", request_id="test")
    answer = support.post(find_address(account, "unfreeze"), {"reason": "why not"})
    assert answer.status_code == 422
    assert "The account is closed." in read_text(answer.content.decode())


def fill_adjustment(**fields):
    return {
        "identity": str(new_id()),
        "type": "DEPOSIT",
        "amount": "12.50",
        "reference": "ticket 7",
        "reason": "a bank's error",
        **fields,
    }


def adjust(client, account, **fields):
    answer = client.post(find_address(account, "adjust"), fill_adjustment(**fields), follow=True)
    return answer.status_code, read_text(answer.content.decode())


def test_a_correction_is_posted_once_however_often_the_form_is_sent(operations, account):
    filled = fill_adjustment()
    for _ in range(3):
        answer = operations.post(find_address(account, "adjust"), filled, follow=True)
        assert "The correction is posted." in read_text(answer.content.decode())
    row = Transaction.objects.get()
    assert (str(row.id), row.amount, row.reference) == (filled["identity"], Decimal("12.50"), "ticket 7")
    assert row.metadata == {"reason": "a bank's error"}
    account.refresh_from_db()
    assert account.balance == Decimal("12.50")


def test_the_same_form_with_other_contents_is_refused(operations, account):
    identity = str(new_id())
    adjust(operations, account, identity=identity)
    status, text = adjust(operations, account, identity=identity, amount="13")
    assert (status, "with other contents" in text) == (422, True)
    assert Transaction.objects.count() == 1


def test_a_declined_correction_says_why(operations, account):
    status, text = adjust(operations, account, type="WITHDRAW")
    assert status == 200
    assert "has declined this: The account has less available than the withdrawal requires." in text
    assert Correction.objects.get().status == "DECLINED"


def test_a_large_correction_waits_for_a_second_person(operations, account):
    _, text = adjust(operations, account, amount="100.01")
    assert "waits for a second person" in text
    assert not Transaction.objects.exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": "abc"}, "An amount is plain digits"),
        ({"amount": "1e3"}, "An amount is plain digits"),
        ({"amount": "1,000"}, "Is this 1000 or 1.000?"),
        ({"amount": "1,00,00"}, "An amount is plain digits"),
        ({"amount": "1,000.00 EUR"}, "An amount is plain digits"),
        ({"amount": "NaN"}, "An amount is plain digits"),
        ({"amount": "\u0661\u0662"}, "An amount is plain digits"),
        ({"amount": "1\x00"}, "Null characters"),
        ({"amount": "0"}, "An amount is more than zero."),
        ({"amount": "-5"}, "An amount is more than zero."),
        ({"amount": "1.005"}, "more decimals than its currency has"),
        ({"amount": "0." + "1" * 50}, "more decimals than its currency has"),
        ({"amount": "9" * 60}, "more than the ledger takes"),
        ({"amount": "1000000000001"}, "more than the ledger takes"),
        ({"amount": ""}, "required"),
        ({"reference": ""}, "required"),
        ({"reference": "x" * 201}, "at most 200"),
        ({"reason": " "}, "required"),
        ({"reason": "\x00"}, "Null characters"),
        ({"type": "REVERSAL"}, "Select a valid choice"),
        ({"identity": "1"}, "UUID"),
    ],
)
def test_a_correction_is_checked_strictly_and_says_what_is_wrong(operations, account, fields, said):
    answer = operations.post(find_address(account, "adjust"), fill_adjustment(**fields))
    assert answer.status_code == 422
    [field] = answer.context["form"].errors
    assert field == next(iter(fields))
    assert said in str(answer.context["form"].errors[field])
    assert not Transaction.objects.exists()


def test_in_russian_an_amount_may_have_a_comma(operations, account):
    operations.cookies["django_language"] = "ru"
    answer = operations.post(find_address(account, "adjust"), fill_adjustment(amount="12,50"))
    assert answer.status_code == 302
    assert Transaction.objects.get().amount == Decimal("12.50")
    answer = operations.post(find_address(account, "adjust"), fill_adjustment(amount="1,234,50"))
    assert answer.status_code == 422
    translation.deactivate()
