"""Commands about one hold, claim or threshold in one list without an id: each a unit, all in one commit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import Claim, Hold, Threshold
from ledger.callers import Caller
from tests.cast import AccountFactory, OrderFactory, deposit, new_id
from tests.transactions.conftest import require_clean
from transactions import posting
from transactions.posting.commands import (
    Capture,
    ChangeHold,
    NewClaim,
    NewHold,
    Release,
    Remaining,
    RemoveThreshold,
    SetThreshold,
    WaiveClaim,
)

pytestmark = pytest.mark.django_db
FIVE = Decimal(5)


def new_hold(account, **fields):
    return NewHold(id=new_id(), account_id=account.id, amount=FIVE, **fields)


def about(placed, kind, **fields):
    return kind(hold_id=placed.id, account_id=placed.account_id, **fields)


def capture(placed, amount=Remaining.ALL, **fields):
    return about(placed, Capture, id=new_id(), amount=amount, **fields)


STEPS = {
    "captured": (lambda hold: [capture(hold)], "CAPTURED"),
    "captured in part": (lambda hold: [capture(hold, FIVE - 1, final=False)], "OPEN"),
    "captured in parts": (lambda hold: [capture(hold, FIVE - 1, final=False), capture(hold)], "CAPTURED"),
    "captured into an account": (
        lambda hold: [capture(hold, destination_id=AccountFactory().id)],
        "CAPTURED",
    ),
    "released": (lambda hold: [about(hold, Release)], "RELEASED"),
    "released after a part": (
        lambda hold: [capture(hold, FIVE - 1, final=False), about(hold, Release)],
        "RELEASED",
    ),
    "raised": (lambda hold: [about(hold, ChangeHold, changes={"amount": FIVE + 1})], "OPEN"),
    "raised and captured": (
        lambda hold: [about(hold, ChangeHold, changes={"amount": FIVE + 1}), capture(hold)],
        "CAPTURED",
    ),
    "lowered, raised and released": (
        lambda hold: [
            about(hold, ChangeHold, changes={"amount": FIVE - 1}),
            about(hold, ChangeHold, changes={"amount": FIVE}),
            about(hold, Release),
        ],
        "RELEASED",
    ),
    "given an end": (
        lambda hold: [about(hold, ChangeHold, changes={"expires_at": datetime.now(UTC) + timedelta(days=1)})],
        "OPEN",
    ),
}


@pytest.mark.parametrize("how", [posting.post, posting.post_or_raise])
@pytest.mark.parametrize("step", STEPS)
def test_a_hold_is_placed_and_in_the_same_list(step, how, rich):
    make, status = STEPS[step]
    placed = new_hold(rich)
    commands = [placed, *make(placed)]
    caller = Caller(rich.user_id, request_id="shop")
    results = how(commands, caller=caller)
    assert len(results) == len(commands)
    assert Hold.objects.get(id=placed.id).status == status
    require_clean()
    if all(command.id for command in commands):  # what is identified is answered again
        assert all(result.replayed for result in how(commands, caller=caller))


def test_a_hold_that_was_there_is_changed_twice_and_released(rich):
    placed, caller = new_hold(rich), Caller(rich.user_id)
    posting.post(placed, caller=caller)
    changes = [about(placed, ChangeHold, changes={"amount": FIVE + more}) for more in (1, 2, 1)]
    posting.post([*changes, about(placed, Release), about(placed, Release)], caller=caller)
    found = Hold.objects.get(id=placed.id)
    assert (found.amount, found.status) == (FIVE + 1, "RELEASED")
    require_clean()


def test_a_claim_is_opened_collected_in_part_and_waived_in_the_same_list(account):
    deposit(account, 3)
    claim = NewClaim(id=new_id(), account_id=account.id, amount=FIVE, reason="a fee")
    waive = WaiveClaim(claim_id=claim.id, account_id=account.id, reason="mercy")
    posting.post([claim, waive, waive], caller=Caller(account.user_id))
    found = Claim.objects.get(id=claim.id)
    assert (found.collected, found.status) == (3, "WAIVED")
    require_clean()


def test_a_claim_is_opened_and_collected_in_the_same_list(account):
    claim = NewClaim(id=new_id(), account_id=account.id, amount=FIVE, reason="a fee")
    placed = new_hold(account)
    pays = [OrderFactory(account=account, amount=FIVE + more) for more in (-4, 0, 6)]
    posting.post([claim, *pays, placed, capture(placed)], caller=Caller(account.user_id))
    assert Claim.objects.get(id=claim.id).status == "COLLECTED"
    require_clean()


@pytest.mark.parametrize(
    ("is_there", "order"),
    [
        *((False, order) for order in ("set", "set set", "set remove", "set remove set")),
        *((True, order) for order in ("set", "remove set", "remove set remove", "set remove set")),
    ],
)
def test_a_threshold_is_set_and_removed_in_the_same_list(is_there, order, rich):
    caller = Caller(rich.user_id)
    set_to_five = {"account_id": rich.id, "amount": FIVE, "of": Threshold.Of.BALANCE}
    id = posting.post(SetThreshold(**set_to_five), caller=caller).threshold.id if is_there else None
    commands = []
    for word in order.split():
        if word == "set":
            commands.append(SetThreshold(**set_to_five))
            id = id or commands[-1].threshold_id
        else:
            commands.append(RemoveThreshold(account_id=rich.id, threshold_id=id))
            id = None
    posting.post(commands, caller=caller)
    assert list(Threshold.objects.filter(account=rich).values_list("id", flat=True)) == ([id] if id else [])
    require_clean()
