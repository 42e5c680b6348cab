"""Funds set aside: captured in part or whole, released, or expired, whichever comes first."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command

from accounts.errors import HoldNotOpen
from accounts.models import Account, Hold
from events.models import Event
from tests import asking
from tests.cast import AccountFactory, deposit, hold, hold_that_expires, new_id, withdraw
from tests.transactions.told import read_events

pytestmark = pytest.mark.django_db

URL = "/api/v1/holds"


@pytest.fixture
def place(service, rich):
    def send(amount="40", **changes):
        body = {"id": str(new_id()), "account": str(rich.id), "amount": amount}
        return service.post(URL, {**body, **changes})

    return send


@pytest.fixture
def capture(service):
    def send(pk, **body):
        return service.post(f"{URL}/{pk}/capture", {"id": str(new_id()), **body})

    return send


def read_account(service, account):
    shown = service.get(f"/api/v1/accounts/{account.id}").json()
    return shown["balance"], shown["held"], shown["available"]


def read_hold(service, id):
    shown = service.get(f"{URL}/{id}").json()
    return shown["status"], shown["captured"], shown["remaining"]


def test_a_hold_sets_funds_aside_without_moving_them(service, place, rich):
    shown = place("40", reference="campaign 9", metadata={"k": "v"}).json()
    assert (shown["status"], shown["amount"], shown["remaining"]) == ("OPEN", "40.00", "40.00")
    assert service.get(f"{URL}/{shown['id']}").json() == shown
    assert read_account(service, rich) == ("100.00", "40.00", "60.00")
    assert withdraw(rich, "60.01").decline_reason == "insufficient_funds"
    assert withdraw(rich, "60").status == "POSTED"


def test_a_hold_repeated_is_answered_again(service, place, rich):
    first = place(expires_at="2999-01-01T00:00:00Z").json()
    again = place(id=first["id"], expires_at="2999-01-01T00:00:00Z")
    assert (again.status_code, again.json(), again["Idempotency-Replayed"]) == (201, first, "true")
    changed = place("41", id=first["id"], expires_at="2998-01-01T00:00:00Z")
    assert (changed.status_code, changed.json()["differs"]) == (422, ["amount", "expires_at"])
    elsewhere = place(id=first["id"], account=str(AccountFactory().id), expires_at="2999-01-01T00:00:00Z")
    assert elsewhere.json()["differs"] == ["account"]
    assert read_account(service, rich) == ("100.00", "40.00", "60.00")


def test_a_hold_by_key_is_placed_once(service, rich):
    body = {"account": str(rich.id), "amount": "1"}
    first, again = (service.post(URL, body, headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.json() == again.json()
    assert Hold.objects.count() == 1


def test_a_declined_hold_stays_declined_after_a_top_up(service, place, rich):
    first = place("100.01")
    problem = first.json()
    assert (first.status_code, problem["available"], problem["required"]) == (402, "100.00", "100.01")
    deposit(rich, "1")
    again = place("100.01", id=problem["id"])
    assert (again.status_code, again["Idempotency-Replayed"]) == (402, "true")
    assert read_hold(service, problem["id"]) == ("DECLINED", "0.00", "0.00")


def test_a_capture_takes_part_and_gives_back_the_rest(service, place, capture, rich):
    id = place("40").json()["id"]
    captured = capture(id, amount="15").json()
    assert (captured["type"], captured["hold"], captured["status"]) == ("WITHDRAW", id, "POSTED")
    assert read_hold(service, id) == ("CAPTURED", "15.00", "0.00")
    assert read_account(service, rich) == ("85.00", "0.00", "85.00")


def test_a_capture_without_an_amount_takes_what_is_left(service, place, capture, rich):
    id = place("40").json()["id"]
    capture(id, amount="15", final=False)
    assert read_account(service, rich) == ("85.00", "25.00", "60.00")
    assert capture(id).json()["amount"] == "25.00"
    assert read_hold(service, id) == ("CAPTURED", "40.00", "0.00")
    assert read_account(service, rich) == ("60.00", "0.00", "60.00")


def test_several_captures_leave_the_hold_open_until_nothing_is_left(service, place, capture):
    id = place("30").json()["id"]
    for left in ("20.00", "10.00"):
        assert capture(id, amount="10", final=False).status_code == 201
        assert read_hold(service, id)[::2] == ("OPEN", left)
    assert capture(id, amount="10", final=False).status_code == 201
    assert read_hold(service, id) == ("CAPTURED", "30.00", "0.00")


def test_a_capture_repeated_is_answered_again(service, place, capture, rich):
    id, first = place("40").json()["id"], str(new_id())
    answer, again = (capture(id, id=first, amount="10", final=False) for _ in range(2))
    assert answer.json() == again.json()
    assert read_account(service, rich) == ("90.00", "30.00", "60.00")
    assert capture(id, id=first, amount="11", final=False).json()["differs"] == ["amount"]
    assert capture(id, id=first, amount="10").json()["differs"] == ["final"]
    other = place("5").json()["id"]
    assert capture(other, id=first, amount="10", final=False).json()["differs"] == ["hold"]


def test_a_capture_says_what_it_is_for(service, place, capture):
    id, first = place("40").json()["id"], str(new_id())
    words = {"reference": "click 7", "metadata": {"campaign": "9"}}
    answer = capture(id, id=first, amount="10", final=False, **words)
    assert (answer.json()["metadata"], answer.json()["final"]) == ({"campaign": "9"}, False)
    assert answer.json()["reference"] == "click 7"
    assert capture(id, id=first, amount="10", final=False, **words).json() == answer.json()
    for change, differs in (
        ({"reference": "click 8"}, ["reference"]),
        ({"metadata": {}}, ["metadata"]),
        ({"final": True}, ["final"]),
        ({"final": True, "metadata": {}}, ["metadata", "final"]),
    ):
        other = capture(id, **{"id": first, "amount": "10", "final": False, **words, **change}).json()
        assert (other["code"], other["differs"]) == ("idempotency_key_reused", differs)
    last = capture(id, amount="5", metadata={"final": "false"}).json()  # which says nothing of it
    assert (last["metadata"], last["final"]) == ({"final": "false"}, True)
    assert read_hold(service, id) == ("CAPTURED", "15.00", "0.00")


def test_a_capture_of_all_is_repeated_as_it_was_asked(place, capture):
    id, first = place("40").json()["id"], str(new_id())
    assert capture(id, id=first).json()["amount"] == "40.00"
    assert capture(id, id=first)["Idempotency-Replayed"] == "true"
    assert capture(id, id=first, amount="40").json()["differs"] == ["amount"]


def test_no_more_is_captured_than_is_left(service, place, capture):
    id = place("40").json()["id"]
    capture(id, amount="30", final=False)
    answer = capture(id, amount="10.01")
    assert (answer.status_code, answer.json()["code"]) == (422, "limit_exceeded")
    assert answer.json().items() >= {"rule": "hold", "limit": "10.00", "required": "10.01"}.items()
    assert read_hold(service, id) == ("OPEN", "30.00", "10.00")


def test_a_closed_hold_is_not_captured(service, place, capture):
    id = place("40").json()["id"]
    capture(id)
    declined = capture(id).json()
    assert (declined["code"], declined["hold_status"]) == ("hold_not_open", "CAPTURED")
    stored = service.get(f"/api/v1/transactions/{declined['id']}").json()
    assert (stored["status"], stored["amount"]) == ("DECLINED", "40.00")


def test_a_release_gives_everything_back_and_may_be_repeated(service, place, capture, rich):
    id = place("40").json()["id"]
    capture(id, amount="15", final=False)
    first, again = service.post(f"{URL}/{id}/release"), service.post(f"{URL}/{id}/release", {})
    assert (again.status_code, again.json()) == (200, first.json())
    assert read_hold(service, id) == ("RELEASED", "15.00", "0.00")
    assert read_account(service, rich) == ("85.00", "0.00", "85.00")
    assert capture(id).json()["code"] == "hold_not_open"


def test_a_due_hold_counts_no_more_although_nobody_wrote_its_end(service, rich, petya):
    placed = hold_that_expires(rich, "40")
    assert Account._base_manager.get(id=rich.id).held == 40
    assert read_account(service, rich) == ("100.00", "0.00", "100.00")
    assert service.get(f"/api/v1/users/{petya.id}").json()["accounts"][0]["available"] == "100.00"
    balance = service.get(f"/api/v1/users/{petya.id}/balance").json()
    assert (balance["held"], balance["available"]) == ("0.00", "100.00")
    shown = service.get(f"{URL}/{placed.id}").json()
    assert (shown["status"], shown["remaining"]) == ("EXPIRED", "0.00")
    assert shown["closed_at"] == shown["expires_at"]
    for status, found in (("OPEN", 0), ("EXPIRED", 1)):
        assert len(service.get(f"{URL}?status={status}").json()["results"]) == found
    changed = service.patch(f"/api/v1/accounts/{rich.id}", {"metadata": {"k": "v"}}).json()
    assert changed["available"] == "100.00"


def test_an_expired_hold_never_causes_a_decline(service, rich):
    placed = hold_that_expires(rich, "40")
    before = service.get(f"{URL}/{placed.id}").json()
    assert withdraw(rich, "100").status == "POSTED"
    assert service.get(f"{URL}/{placed.id}").json() == before
    assert Account._base_manager.get(id=rich.id).held == 0
    events = Event.objects.filter(stream=rich.id).order_by("sequence")
    assert [event.type for event in events][-2:] == ["hold.expired", "transaction.posted"]


@pytest.mark.parametrize("kind", ["transaction", "hold", "capture"])
def test_the_end_of_a_hold_is_the_ledgers_doing_and_names_the_command_that_occasioned_it(service, rich, kind):
    still_open = hold(rich, "5")
    ended = hold_that_expires(rich, "40")
    address, id = f"{URL}/{still_open.id}/capture", str(new_id())
    if kind != "capture":
        address = URL if kind == "hold" else "/api/v1/transactions"
    body = {"id": id, "amount": "5.00"}
    if kind != "capture":
        body |= {"account": str(rich.id)} | ({"type": "DEPOSIT"} if kind == "transaction" else {})
    assert service.post(address, body, headers={"X-Request-Id": "look-1"}).status_code == 201
    event = Event.objects.get(type="hold.expired")
    assert (event.data["id"], event.data["status"]) == (str(ended.id), "EXPIRED")
    assert (str(event.actor), event.actor_kind, event.request_id) == (id, "ledger", "look-1")
    [following] = read_events(stream=rich.id, sequence=event.sequence + 1)
    assert following.actor_kind == "service"


def test_an_expired_hold_makes_room_for_a_new_one(rich):
    hold_that_expires(rich, "100")
    assert hold(rich, "100").status == "OPEN"


def test_an_expired_hold_is_neither_captured_nor_released(service, rich, capture):
    placed = hold_that_expires(rich, "40")
    for answer in (service.post(f"{URL}/{placed.id}/release"), capture(placed.id)):
        assert (answer.json()["code"], answer.json()["hold_status"]) == ("hold_not_open", "EXPIRED")
    with pytest.raises(HoldNotOpen):
        asking.release_hold(id=placed.id)


@pytest.mark.django_db(transaction=True)
def test_a_command_ends_what_is_due(rich, capsys):
    other = AccountFactory(funds="10")
    hold(other, "1")
    due = [hold_that_expires(account, "5") for account in (rich, other)]
    call_command("expire_holds")
    assert capsys.readouterr().out == "2 holds have expired.\n"
    for event in Event.objects.filter(type="hold.expired"):
        assert (event.actor, event.actor_kind, event.request_id) == (None, "ledger", "")
    assert set(Hold.objects.filter(status="EXPIRED")) == set(due)
    assert [Account._base_manager.get(id=account.id).held for account in (rich, other)] == [0, 1]
    call_command("expire_holds")
    assert capsys.readouterr().out == "0 holds have expired.\n"


def test_a_hold_expires_later_than_now(place):
    answer = place(expires_at=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    assert (answer.status_code, answer.json()["code"]) == (422, "expires_at_invalid")


def test_a_frozen_account_takes_no_hold_and_no_capture_but_a_release(service, place, capture, rich):
    id = place("40").json()["id"]
    asking.freeze(id=rich.id, reason="look", request_id="r")
    assert place("1").json()["code"] == "account_frozen"
    assert capture(id).json()["code"] == "account_frozen"
    assert service.post(f"{URL}/{id}/release").status_code == 200


def test_a_capture_is_covered_by_its_own_hold_down_to_the_credit_limit(capture, rich):
    asking.set_limits(id=rich.id, limits={"credit_limit": Decimal(50)}, request_id="r")
    placed = hold(rich, "150")
    assert withdraw(rich, "0.01").decline_reason == "insufficient_funds"
    assert capture(placed.id, amount="150").json()["balance_after"] == "-50.00"


def test_a_capture_counts_to_the_limits_of_its_account(capture, rich):
    asking.set_limits(id=rich.id, limits={"withdraw_day_max": Decimal(30)}, request_id="r")
    placed = hold(rich, "100")
    assert capture(placed.id, amount="20", final=False).status_code == 201
    declined = capture(placed.id, amount="20", final=False).json()
    assert (declined["rule"], declined["withdrawn"]) == ("withdraw_day_max", "20.00")


def test_every_step_of_a_hold_is_told_in_the_order_of_the_account(service, place, capture, rich):
    id = place("40").json()["id"]
    capture(id, amount="10", final=False)
    service.post(f"{URL}/{id}/release")
    events = list(Event.objects.filter(stream=rich.id).order_by("sequence"))
    assert [event.type for event in events[2:]] == [
        "hold.placed",
        "transaction.posted",
        "hold.captured",
        "hold.released",
    ]
    assert [event.sequence for event in events] == list(range(1, 7))
    assert [event.data["status"] for event in events if event.type.startswith("hold")] == [
        "OPEN",
        "OPEN",
        "RELEASED",
    ]


def test_showing_a_due_hold_changes_nothing_of_it(rich):
    placed = hold_that_expires(rich, "40")
    read = Hold.objects.with_clock().get(id=placed.id)
    assert (read.to_dict()["status"], read.to_dict()["remaining"]) == ("EXPIRED", "0.00")
    assert (read.status, read.remaining, read.closed_at) == ("OPEN", Decimal(40), None)
