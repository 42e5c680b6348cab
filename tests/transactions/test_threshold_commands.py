"""Setting and removing thresholds, and what is refused of it."""

from decimal import Decimal

import pytest

from accounts.errors import (
    AccountClosed,
    AmountInvalid,
    AmountScale,
    AmountTooLarge,
    SequenceMismatch,
    ThresholdNotFound,
    TooManyThresholds,
)
from accounts.models import BALANCE_MAX, THRESHOLDS_MAX, Account, Threshold
from ledger.text import TypeInvalid
from tests import asking
from tests.asking import remove_threshold, set_threshold
from tests.cast import (
    AccountFactory,
    deposit,
    hold,
    withdraw,
)
from tests.transactions.crossings import FELL, list_crossings, make_watched
from tests.transactions.told import read_events
from transactions import errors
from transactions.posting.commands import (
    SetThreshold,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(db):
    return make_watched()


def test_setting_one_tells_on_which_side_the_account_is(db):
    account = AccountFactory(funds="10")
    hold(account, "4")
    sides = {
        (of, amount): set_threshold(account, amount, of).below
        for of, amount in [
            ("balance", "10"), ("balance", "10.01"), ("available", "6"), ("available", "6.01"),
            ("available", "-5"), ("balance", "0"),
        ]
    }  # fmt: skip
    assert [at for at, below in sides.items() if below] == [("balance", "10.01"), ("available", "6.01")]
    told = read_events(stream=account.id, type="threshold.set")
    assert [event.data["below"] for event in told] == list(sides.values())
    assert told[0].data == Threshold.objects.select_related("account").get(amount=10).to_dict()
    assert Account.objects.get(id=account.id).nearest == [
        Decimal(text) for text in ("10", "10.01", "6", "6.01")
    ]


def test_the_same_amount_is_the_same_threshold(account):
    first = Threshold.objects.get(account=account, of="balance")
    withdraw(account, "60")
    again = set_threshold(account, "50.0", "balance")
    assert (again.id, again.below) == (first.id, True)
    assert len(read_events(stream=account.id, type="threshold.set")) == 2


def test_one_that_was_removed_is_not_told_of_any_more(account):
    gone = remove_threshold(Threshold.objects.get(account=account, of="balance"))
    withdraw(account, "60")
    assert list_crossings(account) == [(FELL, "available", "50.00")]
    [told] = read_events(stream=account.id, type="threshold.removed")
    assert (told.data["id"], told.data["below"]) == (str(gone.id), False)
    with pytest.raises(ThresholdNotFound):
        remove_threshold(gone)
    remove_threshold(Threshold.objects.get(account=account))
    assert Account.objects.get(id=account.id).nearest is None
    deposit(account, "60")
    assert len(list_crossings(account)) == 1


def test_a_closed_account_keeps_its_thresholds_and_gets_no_new_ones(account):
    withdraw(account, "100")
    asking.close(id=account.id, reason="over", request_id="")
    assert set_threshold(account, "50", "balance").below
    with pytest.raises(AccountClosed):
        set_threshold(account, "51", "balance")
    for threshold in Threshold.objects.filter(account=account):
        remove_threshold(threshold)


def test_what_cannot_be_asked_is_refused(account):
    with pytest.raises(AmountScale):
        set_threshold(account, "0.001")
    with pytest.raises(AmountTooLarge):
        set_threshold(account, -BALANCE_MAX - 1)
    with pytest.raises(AmountInvalid):
        set_threshold(account, "NaN")
    for wrong in ("balance_after", None, 1):
        with pytest.raises(errors.ChoiceInvalid):
            SetThreshold(account_id=account.id, amount=Decimal(1), of=wrong)
    with pytest.raises(TypeInvalid):
        set_threshold(account, "1", expected_sequence="1")


def test_they_are_counted(account):
    for number in range(THRESHOLDS_MAX - 2):
        set_threshold(account, number)
    with pytest.raises(TooManyThresholds):
        set_threshold(account, "99")
    assert set_threshold(account, "1").amount == 1


def test_whoever_knows_the_account_may_say_so(account):
    account.refresh_from_db()
    with pytest.raises(SequenceMismatch):
        set_threshold(account, "1", expected_sequence=account.event_sequence - 1)
    threshold = set_threshold(account, "1", expected_sequence=account.event_sequence)
    with pytest.raises(SequenceMismatch):
        remove_threshold(threshold, expected_sequence=account.event_sequence)
    remove_threshold(threshold, expected_sequence=account.event_sequence + 1)
