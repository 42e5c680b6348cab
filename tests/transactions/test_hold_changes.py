"""An open hold is changed to what is asked for, once, and only as far as its account allows."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import Account, Hold
from ledger.callers import Caller
from tests import asking
from tests.cast import day, deposit, hold, hold_that_expires, new_id, withdraw
from tests.transactions.told import read_events
from transactions import posting
from transactions.errors import Declined
from transactions.posting import NewBatch
from transactions.posting.commands import ChangeHold, NewHold

pytestmark = pytest.mark.django_db

URL = "/api/v1/holds"
LATER, MUCH_LATER = "2998-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"


@pytest.fixture
def change(service):
    def send(of, *, headers=None, **body):
        return service.patch(f"{URL}/{of.id}", body, headers=headers or {})

    return send


def read_account(service, account):
    shown = service.get(f"/api/v1/accounts/{account.id}").json()
    return shown["balance"], shown["held"], shown["available"]


def list_events(account):
    return [(event.type, event.data) for event in read_events(stream=account.id) if "hold" in event.type]


def test_an_amount_is_raised_and_lowered_and_the_account_follows(service, change, rich):
    placed = hold(rich, "40")
    for amount, available in (("70", "30.00"), ("100", "0.00"), ("1.01", "98.99")):
        answer = change(placed, amount=amount)
        assert (answer.status_code, Decimal(answer.json()["remaining"])) == (200, Decimal(amount))
        assert answer.json() == service.get(f"{URL}/{placed.id}").json()
        assert read_account(service, rich)[2] == available


def test_what_is_so_already_changes_nothing_and_is_told_by_nobody(change, rich):
    placed = hold(rich, "40")
    first = change(placed, amount="50", expires_at=LATER)
    told = list_events(rich)
    for body in ({"amount": "50.00", "expires_at": LATER}, {"amount": "50"}, {"expires_at": LATER}, {}):
        again = change(placed, **body, headers={"If-Match": '"another"'})
        assert (again.status_code, again.json()) == (200, first.json())
    assert list_events(rich) == told
    assert [type for type, _ in told] == ["hold.placed", "hold.changed"]


def test_a_change_is_told_with_what_was_before(change, rich):
    placed = hold(rich, "40")
    shown = change(placed, amount="50", expires_at=LATER).json()
    event = read_events(stream=rich.id)[-1]
    assert (event.type, event.data) == ("hold.changed", shown)
    assert event.before == {"amount": "40.00", "remaining": "40.00", "expires_at": None}
    assert event.sequence == Hold.objects.get().event_sequence


def test_a_raise_that_is_not_covered_is_declined_and_told(service, change, rich):
    placed = hold(rich, "40")
    withdraw(rich, "30")
    before = service.get(f"{URL}/{placed.id}").json()
    for _ in range(2):  # it is no command with an identity: each is a decline of its own
        problem = change(placed, amount="70.01", expires_at=LATER)
        assert (problem.status_code, problem.json()["code"]) == (402, "insufficient_funds")
        told = {"available": "30.00", "required": "30.01", "amount": "70.01", "id": str(placed.id)}
        assert problem.json().items() >= told.items()
    assert service.get(f"{URL}/{placed.id}").json() == before
    assert read_account(service, rich) == ("70.00", "40.00", "30.00")
    (type, data), (again, _) = list_events(rich)[-2:]
    assert (type, again) == ("hold.change_declined", "hold.change_declined")
    del told["id"]
    assert data == before | {"decline_reason": "insufficient_funds", "decline_details": told}
    assert change(placed, amount="70").status_code == 200


def test_credit_may_be_held(change, rich):
    placed = hold(rich, "40")
    asking.set_limits(id=rich.id, limits={"credit_limit": Decimal(50)}, request_id="")
    assert change(placed, amount="150.01").status_code == 402
    assert change(placed, amount="150").status_code == 200


def test_a_frozen_account_gives_back_and_sets_no_more_aside(change, rich):
    placed = hold(rich, "40")
    asking.freeze(id=rich.id, reason="x", request_id="")
    refused = change(placed, amount="41")
    assert (refused.status_code, refused.json()["code"]) == (422, "account_frozen")
    assert list_events(rich)[-1][0] == "hold.change_declined"
    assert change(placed, amount="39", expires_at=LATER).json()["remaining"] == "39.00"


def test_the_amount_stays_above_what_was_captured(change, rich):
    placed = hold(rich, "40")
    asking.ask(asking.capture_of(placed, Decimal(15), final=False))
    for amount in ("15", "14.99"):
        refused = change(placed, amount=amount)
        assert (refused.status_code, refused.json()["code"]) == (422, "amount_captured")
        assert refused.json()["captured"] == "15.00"
    shown = change(placed, amount="15.01").json()
    assert (shown["status"], shown["captured"], shown["remaining"]) == ("OPEN", "15.00", "0.01")
    assert Account.objects.get(id=rich.id).held == Decimal("0.01")


def test_what_ended_is_changed_no_more(change, rich):
    captured, released, due = hold(rich, "1"), hold(rich, "2"), hold_that_expires(rich, "3")
    asking.ask(asking.capture_of(captured))
    asking.release_hold(id=released.id)
    declined = hold(rich, "1000")
    ended = {"CAPTURED": captured, "RELEASED": released, "EXPIRED": due, "DECLINED": declined}
    for status, placed in ended.items():
        for body in ({"amount": "4"}, {"expires_at": None}, {"expires_at": LATER}, {"amount": placed.amount}):
            refused = change(placed, **{name: value and str(value) for name, value in body.items()})
            assert (refused.status_code, refused.json()["hold_status"]) == (422, status)
            assert refused.json()["code"] == "hold_not_open"


def test_another_end_is_the_one_that_counts(service, change, rich):
    placed = hold(rich, "40", expires_at=day(MUCH_LATER[:10]))
    assert change(placed, expires_at=None).json()["expires_at"] is None
    soon = change_soon(change, placed)
    until = time.monotonic() + 20
    while posting.expire_some() == 0 and time.monotonic() < until:
        time.sleep(0.05)
    assert Hold.objects.get().status == "EXPIRED"  # written, and not only shown
    shown = service.get(f"{URL}/{placed.id}").json()
    assert (shown["status"], datetime.fromisoformat(shown["closed_at"])) == ("EXPIRED", soon)
    assert read_account(service, rich)[1] == "0.00"


def test_a_hold_whose_end_was_put_off_goes_on(change, rich):
    placed = hold(rich, "40")
    ends_at = change_soon(change, placed, seconds=2)
    assert change(placed, expires_at=MUCH_LATER).status_code == 200
    while datetime.now(UTC) < ends_at:
        time.sleep(0.1)
    assert posting.expire_some() == 0
    assert withdraw(rich, "100").status == "DECLINED"


def change_soon(change, placed, seconds=0.2):
    """A busy machine may need longer than that."""
    while True:
        soon = datetime.now(UTC) + timedelta(seconds=seconds)
        if change(placed, expires_at=soon.isoformat()).status_code == 200:
            return soon


def test_an_end_in_the_past_is_refused(change, rich):
    placed = hold(rich, "40")
    refused = change(placed, expires_at="2020-01-01T00:00:00Z")
    assert (refused.status_code, refused.json()["code"]) == (422, "expires_at_invalid")
    assert change(placed, amount="0.001").json()["code"] == "amount_scale"


def test_the_etag_is_of_what_may_be_changed(service, change, rich):
    body = {"id": str(new_id()), "account": str(rich.id), "amount": "40"}
    first = service.post(URL, body)["ETag"]
    placed = Hold.objects.get()
    assert service.post(URL, body)["ETag"] == service.get(f"{URL}/{placed.id}")["ETag"] == first
    asking.ask(asking.capture_of(placed, Decimal(15), final=False))
    deposit(rich, "1")
    assert service.get(f"{URL}/{placed.id}")["ETag"] == first
    second = change(placed, amount="50", headers={"If-Match": first})["ETag"]
    assert second != first == change(placed, amount="40", headers={"If-Match": second})["ETag"]
    third = change(placed, expires_at=LATER)["ETag"]
    missed = change(placed, amount="41", headers={"If-Match": first})
    assert (missed.status_code, missed.json()["code"]) == (412, "etag_mismatch")
    assert change(placed, amount="41", headers={"If-Match": f"{first}, {third}"}).status_code == 200


def test_a_change_expects_the_sequence_that_it_names(service, change, rich):
    placed = hold(rich, "40")
    sequence = service.get(f"/api/v1/accounts/{rich.id}").json()["event_sequence"]
    missed = change(placed, amount="41", expected_sequence=sequence - 1)
    assert (missed.status_code, missed.json()["code"]) == (412, "sequence_mismatch")
    assert change(placed, amount="41", expected_sequence=sequence).status_code == 200
    assert change(placed, amount="41", expected_sequence=sequence).status_code == 200  # it is so already


def test_a_hold_is_repeated_as_it_was_placed_whatever_became_of_it(service, change, rich):
    body = {"id": str(new_id()), "account": str(rich.id), "amount": "40", "expires_at": LATER}
    service.post(URL, body)
    placed = Hold.objects.get()
    shown = change(placed, amount="50", expires_at=MUCH_LATER).json()
    again = service.post(URL, body)
    assert (again.status_code, again.json(), again["Idempotency-Replayed"]) == (201, shown, "true")
    as_changed = service.post(URL, body | {"amount": "50", "expires_at": MUCH_LATER})
    assert (as_changed.status_code, as_changed.json()["differs"]) == (422, ["amount", "expires_at"])


def test_a_dry_run_of_a_change_changes_nothing(service, rich):
    placed = hold(rich, "40")
    before = service.get(f"{URL}/{placed.id}").json(), list_events(rich)
    for amount, status in (("50", 200), ("100.01", 402)):
        answer = service.patch(f"{URL}/{placed.id}?dry_run=true", {"amount": amount})
        assert (answer.status_code, answer.json()["dry_run"]) == (200, True)
        [result] = answer.json()["results"]
        assert result["status"] == status
        if status == 200:
            assert result["hold"] == before[0] | {"amount": "50.00", "remaining": "50.00"}
        else:
            assert result["problem"]["code"] == "insufficient_funds"
    assert (service.get(f"{URL}/{placed.id}").json(), list_events(rich)) == before


def test_in_a_list_of_all_or_nothing_a_declined_change_takes_all_of_it_back(rich):
    caller = Caller(rich.user_id)
    placed = hold(rich, "40")
    fits = ChangeHold(hold_id=placed.id, account_id=rich.id, changes={"amount": Decimal(30)})
    too_much = ChangeHold(hold_id=placed.id, account_id=rich.id, changes={"amount": Decimal(101)})
    new = NewHold(id=new_id(), account_id=rich.id, amount=Decimal(1))
    for commands in ([new, too_much], [fits, too_much], [too_much, fits]):
        with pytest.raises(Declined) as declined:
            posting.post_or_raise(commands, caller=caller)
        assert declined.value.row.decline_reason == "insufficient_funds"
        assert Hold.objects.get(id=placed.id).amount == 40
    assert Hold.objects.get(id=new.id).decline_reason == "batch_declined"
    types = [type for type, _ in list_events(rich)]
    assert types == ["hold.placed", "hold.declined", *["hold.change_declined"] * 3]


def test_a_list_may_place_a_hold_change_it_and_capture_of_it(rich):
    new = NewHold(id=new_id(), account_id=rich.id, amount=Decimal(10))
    commands = [
        new,
        ChangeHold(hold_id=new.id, account_id=rich.id, changes={"amount": Decimal(20)}),
        asking.capture_of(new_hold := Hold(id=new.id, account_id=rich.id), Decimal(15), final=False),
        ChangeHold(hold_id=new_hold.id, account_id=rich.id, changes={"amount": Decimal(16)}),
    ]
    batch = NewBatch(id=new_id(), asked=[1], atomic=True)
    posting.post(commands, caller=Caller(rich.user_id), all_or_nothing=True, batch=batch)
    made = Hold.objects.get()
    assert (made.amount, made.captured, made.amount_asked) == (16, 15, 10)
    assert Account.objects.get(id=rich.id).held == 1
