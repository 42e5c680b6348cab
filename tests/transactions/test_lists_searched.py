"""Lists by what no index of the ledger finds: what they say, who may ask, what is refused."""

from decimal import Decimal

import pytest

from rest.times import parse_time
from tests import asking
from tests.cast import AccountFactory, OrderFactory, deposit, hold, new_id
from tests.conftest import make_client
from tests.searching import follow
from tests.transactions.test_filters_oracle import read_pages
from transactions import search
from transactions.search import listing

pytestmark = pytest.mark.django_db

LIST = "/api/v1/transactions"


@pytest.fixture
def account():
    return AccountFactory(funds="100")


def ask(client, **query):
    answer = client.get(LIST, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def find(client, **query):
    return {row["id"] for row in ask(client, **query)["results"]}


def test_a_page_looks_at_so_many_rows_and_leads_on(account, service, monkeypatch):
    monkeypatch.setattr(listing, "LOOKED_AT_MAX", 10)
    asking.ask(OrderFactory(account=account), request_id="mine")
    for _ in range(25):
        deposit(account, "2")
    pages, last = read_pages(service, f"{LIST}?request_id=mine&page_size=5&currency=USD", "next")
    assert [len(page) for page in pages] == [0, 0, 1]
    assert last["next"] is None


def test_an_answer_of_the_search_says_up_to_when_it_knows(account, service):
    follow()
    row = deposit(account, "7", metadata={"order": "7"})
    behind = ask(service, **{"metadata.order": "7"})
    assert behind["results"] == []
    assert parse_time(behind["known_at"]) <= row.recorded_at
    follow()
    now = ask(service, **{"metadata.order": "7"})
    assert [each["id"] for each in now["results"]] == [str(row.id)]
    assert parse_time(now["known_at"]) > row.recorded_at


@pytest.mark.parametrize(
    "query", [{}, {"type": "DEPOSIT"}, {"currency": "USD"}, {"request_id": "x"}, {"order": "recorded_at"}]
)
def test_an_answer_of_the_ledger_is_of_now_and_needs_to_say_nothing(account, service, query):
    deposit(account, "1")
    answer = ask(service, **query)
    assert "known_at" not in answer
    assert bool(answer["results"]) == ("request_id" not in query)


def test_while_the_search_is_made_anew_nothing_is_certain(account, service):
    follow()
    assert ask(service, amount="7")["known_at"]
    search.begin_rebuilding()
    assert ask(service, amount="7")["known_at"] is None


def test_a_holder_is_not_told_whether_others_have_it(monkeypatch):
    own = AccountFactory(funds="1")
    holder, other = make_client(user=own.user), AccountFactory(funds="10")
    follow()
    queries = [{"metadata.order": "7"}, {"amount": "3"}, {"order": "effective_at", "amount_min": "3"}]
    before = [holder.get(LIST, query).content for query in queries]
    for _ in range(5):
        deposit(other, "3", metadata={"order": "7"})
    follow()
    monkeypatch.setattr(listing, "FEW", 2)
    monkeypatch.setattr(listing, "LOOKED_AT_MAX", 3)
    assert [holder.get(LIST, query).content for query in queries] == before
    row = deposit(own, "3", metadata={"order": "7"})
    assert find(holder, **{"metadata.order": "7"}) == {str(row.id)}  # at once


def test_a_hold_of_the_amount_is_no_transaction(account, service):
    hold(account, "3")
    row = deposit(account, "3")
    follow()
    assert find(service, amount="3.000") == {str(row.id)}


def test_the_captures_of_a_hold_and_what_took_something_back_are_listed(account, service):
    held = hold(account, "10")
    captured = asking.ask(asking.capture_of(held, Decimal(4))).transaction
    assert find(service, hold=str(held.id)) == {str(captured.id)}
    first = deposit(account, "9")
    address = f"{LIST}/{first.id}/reverse"
    taken = service.post(address, {"id": str(new_id()), "reason": "wrong"}).json()
    assert find(service, reverses=str(first.id)) == {taken["id"]}
    assert find(service, reverses=str(first.id), amount="1") == set()


def test_what_came_of_a_command_is_found_by_its_key(service):
    users = [
        service.post("/api/v1/users", {"external_id": f"key-{new_id()}", "name": "x"}).json() for _ in "12"
    ]
    source, destination = (user["accounts"][0]["id"] for user in users)
    deposit_of = {"account": source, "type": "DEPOSIT", "amount": "100"}
    transfer_of = {"source": source, "destination": destination, "amount": "5"}
    batch_of = {"atomic": True, "commands": [{"command": "transaction", **deposit_of}] * 2}

    def send(address, body, key):
        answer = service.post(f"/api/v1/{address}", body, headers={"Idempotency-Key": key})
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    one = send("transactions", deposit_of, "one")
    both = send("transfers", transfer_of, "both")
    listed = send("batches", batch_of, "a list")
    held = send("holds", {"account": source, "amount": "10"}, "a hold")
    parts = [{"destination": destination, "amount": amount} for amount in ("1", "2")]
    send(f"holds/{held['id']}/capture", {"destinations": parts}, "parts")
    assert find(service, idempotency_key="one") == {one["id"]}
    assert find(service, idempotency_key="both") == {both["source"]["id"], both["destination"]["id"]}
    assert find(service, idempotency_key="a list") == {
        each["transaction"]["id"] for each in listed["results"]
    }
    assert len(find(service, idempotency_key="parts")) == 4
    assert find(service, idempotency_key="none") == find(service, idempotency_key="☃") == set()
    assert find(make_client("api-read"), idempotency_key="one") == set()
    assert find(service, idempotency_key="both", amount="6") == set()


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("metadata=7", "?metadata", "unknown_parameter"),
        ("metadata.=7", "?metadata.", "unknown_parameter"),
        ("metadata_order=7", "?metadata_order", "unknown_parameter"),
        ("metadata.order__gt=%00", "?metadata.order__gt", "invalid_parameter"),
        ("metadata.order=", "?metadata.order", "invalid_parameter"),
        ("metadata.order=7&metadata.order=8", "?metadata.order", "duplicate_parameter"),
        ("metadata.a=1&metadata.b=1&metadata.c=1&metadata.d=1", "?metadata", "invalid_parameter"),
        (f"metadata.{'k' * 41}=1", f"?metadata.{'k' * 31}", "invalid_parameter"),
        (f"metadata.k={'v' * 501}", "?metadata.k", "invalid_parameter"),
        ("metadata.%00=1", "?metadata.\x00", "invalid_parameter"),
        ("amount=-1", "?amount", "invalid_parameter"),
        ("amount=1e3", "?amount", "invalid_parameter"),
        ("amount_min=1.123456789", "?amount_min", "invalid_parameter"),
        (f"amount_max={'9' * 21}", "?amount_max", "invalid_parameter"),
        ("order=amount", "?order", "invalid_parameter"),
        ("decline_reason=because", "?decline_reason", "invalid_parameter"),
        ("hold=7", "?hold", "invalid_parameter"),
    ],
    ids=range(17),
)
def test_what_cannot_be_asked_is_refused(service, query, pointer, code):
    answer = service.get(f"{LIST}?{query}")
    assert answer.status_code == 400
    assert (answer.json()["errors"][0]["pointer"], answer.json()["errors"][0]["code"]) == (pointer, code)
