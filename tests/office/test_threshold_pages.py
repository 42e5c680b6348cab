"""What staff see and do of the thresholds of an account."""

import pytest

from accounts.models import Threshold
from tests.asking import set_threshold
from tests.cast import deposit
from tests.office.account_pages import find_address, look, read_text
from tests.office.answers import find_accesses
from tests.office.staff import make_staff, open_office


@pytest.fixture
def operations(db):
    return open_office(make_staff("operations"))


def fill(**fields):
    return {"of": "available", "amount": "12.50", "reason": "a campaign", **fields}


def test_a_threshold_is_set_shown_and_removed(operations, rich):
    answer = operations.post(find_address(rich, "set-threshold"), fill(), follow=True)
    assert "The threshold is set." in read_text(answer.content.decode())
    threshold = Threshold.objects.get()
    assert (threshold.of, threshold.amount, threshold.below) == ("available", 12.5, False)
    shown = read_text(operations.get(find_address(rich), {"show": "thresholds"}).content.decode())
    assert "12.50" in shown
    assert "not below it" in shown
    gone = {"threshold": str(threshold.id), "reason": "it is over"}
    answer = operations.post(find_address(rich, "remove-threshold"), gone, follow=True)
    assert "The threshold was removed." in read_text(answer.content.decode())
    assert not Threshold.objects.exists()
    assert [(each.detail, each.reason) for each in find_accesses(action="CHANGE")] == [
        ("set-threshold available 12.50", "a campaign"),
        (f"remove-threshold {threshold.id}", "it is over"),
    ]


def test_what_is_refused_is_said_in_the_form(operations, rich):
    for fields, text in (
        ({"amount": "ten"}, "An amount is plain digits"),
        ({"amount": "0.001"}, "more decimals than its currency"),
        ({"of": "held"}, "Select a valid choice"),
    ):
        answer = operations.post(find_address(rich, "set-threshold"), fill(**fields))
        assert answer.status_code == 422
        assert text in read_text(answer.content.decode())
    for number in range(20):
        set_threshold(rich, number)
    answer = operations.post(find_address(rich, "set-threshold"), fill())
    assert "as many of them as there may be" in read_text(answer.content.decode())


def test_one_of_another_account_is_not_removed(operations, rich, account):
    deposit(account, "1")
    other = set_threshold(account, "5")
    answer = operations.post(
        find_address(rich, "remove-threshold"), {"threshold": str(other.pk.int), "reason": "x"}
    )
    assert answer.status_code in (302, 422)
    assert Threshold.objects.count() == 1


def test_only_who_may_sees_the_buttons(rich):
    set_threshold(rich, "5")
    for group, is_shown in (("operations", True), ("support", False), ("auditor", False)):
        html = look(open_office(make_staff(group)), rich)
        for name in ("set-threshold", "remove-threshold"):
            assert (f"/{name}/" in html) == is_shown, (group, name)
