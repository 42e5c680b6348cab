"""A day that has begun and is not over means now, and what was asked stays the day."""

from datetime import timedelta

import pytest

from ledger.values import MICROSECOND, format_time
from rest.times import parse_time
from tests.cast import AccountFactory, day, deposit, new_id
from tests.histories.clock import START, move_clock, moving_clock, read_clock
from tests.transactions.conftest import COLUMNS
from tests.transactions.test_concurrency import rows_of
from transactions.errors import EffectiveAtInFuture
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

TODAY = START.date()
MIDNIGHT = day((TODAY + timedelta(days=1)).isoformat())
URL = "/api/v1/transactions"


@pytest.fixture(autouse=True)
def clock(db):
    """It is the evening of `TODAY`, in UTC."""
    with moving_clock():
        yield


@pytest.fixture
def body(db):
    account = AccountFactory()
    return {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "1"}


def test_the_same_body_is_one_transaction_now_before_midnight_and_the_next_day(service, body):
    body["effective_at"] = TODAY.isoformat()
    first = service.post(URL, body)
    assert first.status_code == 201
    assert first.json()["effective_at"] == first.json()["recorded_at"]
    assert Transaction.objects.get(id=body["id"]).effective_at_asked == MIDNIGHT - MICROSECOND
    for moment in (MIDNIGHT - timedelta(minutes=1), MIDNIGHT + timedelta(hours=10)):
        move_clock(moment)
        again = service.post(URL, body)
        assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")


def test_a_list_of_today_is_one_list_now_before_midnight_and_the_next_day(service, body):
    today = {"command": "transaction", "effective_at": TODAY.isoformat()}
    deposit = {**body, **today}
    withdrawal = {**body, **today, "id": str(new_id()), "type": "WITHDRAW"}
    sent = {"id": str(new_id()), "atomic": True, "commands": [withdrawal, deposit]}
    first = service.post("/api/v1/batches", sent)
    assert first.status_code == 200, first.content
    shown = [result["transaction"] for result in first.json()["results"]]
    assert [(row["effective_at"], row["balance_after"]) for row in shown] == [
        (shown[0]["recorded_at"], "0.00"),
        (shown[1]["recorded_at"], "1.00"),
    ]
    for moment in (MIDNIGHT - timedelta(minutes=1), MIDNIGHT + timedelta(hours=10)):
        move_clock(moment)
        again = service.post("/api/v1/batches", sent)
        assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")


def test_a_day_that_is_over_is_its_last_moment_whenever_it_is_sent(service, body):
    move_clock(MIDNIGHT + timedelta(minutes=1))
    answer = service.post(URL, {**body, "effective_at": TODAY.isoformat()})
    assert answer.json()["effective_at"] == format_time(MIDNIGHT - MICROSECOND)


@pytest.mark.parametrize(
    "moment",
    [
        (TODAY + timedelta(days=1)).isoformat(),
        format_time(MIDNIGHT - MICROSECOND),
        format_time(START + timedelta(minutes=20)),
    ],
)
def test_neither_a_day_nor_an_instant_that_is_to_come_is_taken(service, body, moment):
    answer = service.post(URL, {**body, "effective_at": moment})
    assert (answer.status_code, answer.json()["code"]) == (400, "effective_at_in_future")
    assert not Transaction.objects.filter(id=body["id"]).exists()


def test_a_day_that_begins_within_five_minutes_has_begun(service, body):
    body["effective_at"] = (TODAY + timedelta(days=1)).isoformat()
    move_clock(MIDNIGHT - timedelta(minutes=6))
    assert service.post(URL, body).json()["code"] == "effective_at_in_future"
    move_clock(MIDNIGHT - timedelta(minutes=4))
    answer = service.post(URL, body).json()
    assert answer["effective_at"] == answer["recorded_at"]


def test_in_process_a_day_is_told_from_an_instant():
    account, last = AccountFactory(), parse_time(TODAY.isoformat())
    row = deposit(account, "1", effective_at=last)
    assert (row.effective_at, row.effective_at_asked) == (row.recorded_at, last)
    with pytest.raises(EffectiveAtInFuture):
        deposit(account, "1", effective_at=last + timedelta(0))


def test_rows_of_today_are_imported_by_the_days_of_the_zone(anna, write, run):
    """It is 20:00 of the 26th in UTC, and in Auckland the 27th has begun."""
    path = write([(n, "anna", "DEPOSIT", "1", TODAY + timedelta(days=n), "") for n in (0, 1)], COLUMNS)
    assert "line 3, effective_at: effective_at_in_future" in run(path, 2)
    run(path, 0, tz="Pacific/Auckland", dry_run=True)
    run(path, 0, tz="Pacific/Auckland")
    over, today = rows_of(anna)
    assert over.effective_at == day("2030-10-26T11:00") - MICROSECOND
    assert today.effective_at == today.recorded_at
    assert today.effective_at_asked == day("2030-10-27T11:00") - MICROSECOND
    move_clock(read_clock() + timedelta(days=2))
    assert "2    │ there already, posted" in run(path, 0, tz="Pacific/Auckland")
