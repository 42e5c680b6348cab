"""Amounts are exact, moments have zones, and what is not known yet does no harm."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from ledger_client import commands, new_id
from ledger_client.resources import Threshold
from ledger_client.telling import Event
from ledger_client.wire import read, write

ID = "01910000-0000-7000-8000-00000000a001"
THRESHOLD = {
    "id": ID,
    "account": ID,
    "of": "available",
    "amount": "10.00",
    "below": True,
    "since": "2026-11-26T04:10:23.933938Z",
    "created_at": "2026-11-26T04:10:23.933938Z",
}
EVENT = {
    "id": "e.1",
    "stream": ID,
    "sequence": 1,
    "epoch": ID,
    "type": "threshold.set",
    "data": THRESHOLD,
    "recorded_at": "2026-11-26T04:10:23.933938Z",
}


@pytest.mark.parametrize(
    ("amount", "text"),
    [(Decimal("1E+2"), "100"), (Decimal("1.50"), "1.50"), (Decimal("1E-8"), "0.00000001"), ("7.00", "7.00")],
    ids=str,
)
def test_an_amount_is_sent_as_it_is(amount: Decimal | str, text: str) -> None:
    assert commands.deposit(id=ID, user=ID, amount=amount).body["amount"] == text


@pytest.mark.parametrize("amount", [1, 1.5, 0.1 + 0.2, None, True], ids=str)
def test_a_number_is_no_amount(amount: Any) -> None:
    with pytest.raises((TypeError, KeyError)):
        commands.deposit(id=ID, user=ID, amount=amount).body["amount"]


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_not_finite_is_no_amount(amount: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        commands.deposit(id=ID, user=ID, amount=Decimal(amount))


def test_a_moment_has_a_zone() -> None:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=3)))
    assert write(moment) == "2026-01-02T03:04:00+03:00"
    with pytest.raises(ValueError, match="no zone"):
        commands.deposit(id=ID, user=ID, amount="1", effective_at=datetime(2026, 1, 2))  # noqa: DTZ001, that is it


def test_a_float_is_sent_nowhere() -> None:
    with pytest.raises(TypeError, match=r"0\.5"):
        write({"metadata": {"share": 0.5}})


def test_a_user_without_a_name_that_lasts_is_not_made() -> None:
    with pytest.raises(ValueError, match="each try would make another"):
        commands.create_user(name="petya")


def test_what_is_read_has_its_types_and_keeps_what_it_does_not_know() -> None:
    threshold = read(Threshold, {**THRESHOLD, "colour": "blue", "of": "moonlight"})
    assert (threshold.id, threshold.amount, threshold.of) == (UUID(ID), Decimal("10.00"), "moonlight")
    assert str(threshold.amount) == "10.00"
    assert threshold.since == datetime(2026, 11, 26, 4, 10, 23, 933938, tzinfo=UTC)
    assert threshold.raw["colour"] == "blue"


@pytest.mark.parametrize(
    "change", [{"amount": 10}, {"amount": "ten"}, {"id": "x"}, {"since": "now"}], ids=str
)
def test_what_is_not_of_its_type_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no amount|badly formed|Invalid isoformat"):
        read(Threshold, {**THRESHOLD, **change})


def test_what_must_be_there_is_missed() -> None:
    with pytest.raises(ValueError, match="without `amount`"):
        read(Threshold, {name: value for name, value in THRESHOLD.items() if name != "amount"})
    with pytest.raises(ValueError, match="Not a Threshold"):
        read(Threshold, [])


def test_an_event_has_its_resource_typed_and_an_unknown_one_is_no_error() -> None:
    event = read(Event, EVENT)
    assert isinstance(event.resource, Threshold)
    assert (event.sequence, event.account, event.actor) == (1, None, None)
    assert read(Event, {**EVENT, "type": "subscription.test", "data": {}}).resource is None


def test_an_id_of_a_command_is_known() -> None:
    id = new_id()
    assert commands.deposit(id=id, user=ID, amount="1").id == id
    assert commands.freeze(account=ID, reason="fraud").id is None
