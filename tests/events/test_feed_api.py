"""GET /events: what a consumer asks and may see, and how long it may wait."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tests.cast import AccountFactory, deposit, withdraw
from tests.conftest import make_client
from tests.events.conftest import deposit_times

EVENTS = "/api/v1/events"


def ask(client, **query):
    answer = client.get(EVENTS, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_consumer_reads_page_by_page(db, reader, account):
    deposit_times(account, 3)
    first = ask(reader, limit=3)
    second = ask(reader, limit=3, after=first["cursor"])
    types = [event["type"] for event in first["events"] + second["events"]]
    assert types == ["user.created", "account.opened"] + ["transaction.posted"] * 3
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert ask(reader, after=second["cursor"])["events"] == []


def test_types_and_account_narrow_it(db, reader, account):
    deposit(account, "1")
    withdraw(account, "5")
    deposit(AccountFactory(), "1")
    found = ask(reader, types="transaction.posted,transaction.declined", account=account.id)["events"]
    assert [event["type"] for event in found] == ["transaction.posted", "transaction.declined"]
    assert (
        ask(reader, types=["transaction.posted", "transaction.declined"], account=account.id)["events"]
        == found
    )


def test_changes_of_users_and_accounts_are_told_and_found_by_their_types(db, reader, service, account):
    service.patch(f"/api/v1/accounts/{account.id}", {"metadata": {"tier": "gold"}})
    service.patch(f"/api/v1/users/{account.user_id}", {"name": "Petya P."})
    account_changed, user_changed = ask(reader, types="account.changed,user.changed")["events"]
    assert (account_changed["account"], account_changed["data"]["metadata"]) == (
        str(account.id),
        {"tier": "gold"},
    )
    assert (user_changed["stream"], user_changed["account"]) == (str(account.user_id), None)
    assert user_changed["data"]["name"] == "Petya P."
    assert {event["actor"]["kind"] for event in (account_changed, user_changed)} == {"service"}


def test_a_gap_is_filled_by_the_sequence_of_the_account(db, reader, account):
    deposit_times(account, 3)
    found = ask(reader, account=account.id, after_sequence=2)["events"]
    assert [event["account_sequence"] for event in found] == [3, 4]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"after": "nonsense"}, "invalid_cursor"),
        ({"types": "transaction.posted,nonsense"}, "invalid_parameter"),
        ({"types": "user.created,user.created"}, "invalid_parameter"),
        ({"types": ""}, "invalid_parameter"),
        ({"limit": "0"}, "invalid_parameter"),
        ({"limit": "501"}, "invalid_parameter"),
        ({"wait": "11"}, "invalid_parameter"),
        ({"wait": "1.5"}, "invalid_parameter"),
        ({"after_sequence": "1"}, "required"),
        ({"account": "x"}, "id_invalid"),
        ({"page_size": "5"}, "unknown_parameter"),
    ],
)
def test_what_makes_no_sense_is_refused(db, reader, query, code):
    answer = reader.get(EVENTS, query)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) in [
        (400, code),
        (400, "unknown_parameter"),
    ]


def test_a_cursor_and_a_sequence_together_make_no_sense(db, reader, account):
    cursor = ask(reader)["cursor"]
    answer = reader.get(EVENTS, {"account": account.id, "after": cursor, "after_sequence": 1})
    assert answer.json()["code"] == "conflicting_fields"


@pytest.mark.django_db(transaction=True)
def test_a_waiting_reader_is_answered_by_the_next_event():
    account, reader = AccountFactory(), make_client("api-read")
    cursor = ask(reader)["cursor"]
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(ask, reader, after=cursor, wait=10)
        thread.submit(lambda: connection.close())  # the thread's own, afterwards
        time.sleep(0.3)
        started = time.monotonic()
        deposit(account, "1")
        found = waiting.result(10)
        assert time.monotonic() - started < 5
    assert [event["type"] for event in found["events"]] == ["transaction.posted"]
