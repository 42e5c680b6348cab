"""The client of docs/exactly-once.md, as it stands there, on a bad network; and what it says of keys."""

import http.client
import re
from contextlib import closing
from datetime import timedelta
from itertools import cycle
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import Account
from ledger.callers import ActorKind, Caller
from tests.cast import AccountFactory, issue_token, new_id
from tests.receivers import receiver
from tests.servers import PROJECT
from transactions.models import Transaction

PAGE = PROJECT / "docs/exactly-once.md"


def read_client():
    """`post` of the page."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names = {}
    exec(code, names)  # noqa: S102, our own page
    return names["post"]


def bad_network(url, fates):
    """An address before the service's: each request meets the next fate."""

    def pass_on(handler):
        handler.close_connection, fate = True, next(fates)
        if fate == "lost on the way there":
            return
        if fate == "refused":
            handler.answer(503)
            return
        if fate == "moved":  # as a proxy does that wants https; followed, it is answered with a list
            handler.send_response(301)
            handler.send_header("Location", f"{url}/api/v1/transactions")
            handler.end_headers()
            return
        if fate == "a page of its own":
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(b'{"results": []}')
            return
        headers, body = handler.server.receiver.requests[-1]
        with closing(http.client.HTTPConnection(urlsplit(url).netloc)) as connection:
            connection.request("POST", handler.path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        if fate == "lost on the way back":
            return
        handler.send_response(answer.status)
        handler.end_headers()
        handler.wfile.write(text[: len(text) // 2] if fate == "cut" else text)

    return receiver(pass_on)


@pytest.mark.django_db(transaction=True)
def test_whatever_the_network_loses_every_order_is_done_once(live_server):
    post, token, account = read_client(), issue_token("api-post"), AccountFactory()
    fates = [
        "well",
        "lost on the way back",
        "moved",
        "well",
        "lost on the way there",
        "cut",
        "a page of its own",
        "refused",
        "well",
    ]
    with bad_network(live_server.url, cycle(fates)) as network:
        for number in range(20):
            order = {
                "id": str(new_id()),
                "account": str(account.id),
                "type": "WITHDRAW" if number % 5 == 4 else "DEPOSIT",
                "amount": "100.00" if number % 5 == 4 else "1.00",
            }
            url = f"http://127.0.0.1:{network.port}/api/v1/transactions"
            status, answer = post(url, token, order)
            assert (status, answer.get("code")) in [(201, None), (402, "insufficient_funds")]
            assert answer["id"] == order["id"]
    assert Transaction.objects.count() == 20
    assert Account.objects.get(id=account.id).balance == 16


def test_what_stays_unknown_is_said_and_not_made_up():
    with pytest.raises(TimeoutError, match="same body"):
        read_client()("http://127.0.0.1:1/", "token", {"id": "x"}, seconds_max=0.5)


@pytest.fixture
def send():
    """Deposit 1.00 under a key with a token; `more` is of the command."""
    account = AccountFactory()

    def send(token, key, address="transactions", **more):
        body = {"account": str(account.id), "amount": "1.00"} | more
        body = {name: value for name, value in body.items() if value is not None}
        if address == "transactions":
            body["type"] = "DEPOSIT"
        headers = {"authorization": f"Bearer {token}", "idempotency-key": key}
        answer = Client(headers=headers).post(f"/api/v1/{address}", body, content_type="application/json")
        return answer.status_code, answer.json()

    return send


def issue(name):
    return tokens.issue(name=name, groups=["api-post"], days=1, caller=Caller(None, ActorKind.COMMAND))[0]


@pytest.mark.django_db
def test_a_key_belongs_to_the_name_that_a_token_is_issued_to(send):
    first = send(issue("shop"), "order-1")[1]["id"]
    assert send(issue("shop"), "order-1")[1]["id"] == first
    assert Transaction.objects.count() == 1
    status, doubled = send(issue("shop-2"), "order-1")
    assert (status, Transaction.objects.count()) == (201, 2)
    assert doubled["id"] != first


@pytest.mark.django_db
def test_a_key_counts_as_it_is_sent_and_for_commands_of_money_together(send):
    token, other = issue("shop"), AccountFactory()
    account = send(token, "order-1")[1]["account"]
    status, problem = send(
        token, "order-1", "transfers", account=None, source=account, destination=str(other.id)
    )
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    assert [send(token, key)[0] for key in ('"order-1"', "Order-1")] == [201, 201]
    assert Transaction.objects.count() == 3
    assert send(token, "order-1", "holds")[0] == 201


@pytest.mark.django_db
def test_a_retry_with_another_now_is_another_command_and_one_without_is_the_same(send):
    token, now = issue("shop"), timezone.now()
    first = send(token, "order-1")[1]["effective_at"]
    assert send(token, "order-1")[1]["effective_at"] == first
    assert send(token, "order-2", effective_at=now.isoformat())[0] == 201
    status, problem = send(token, "order-2", effective_at=(now + timedelta(seconds=1)).isoformat())
    assert (status, problem["code"], problem["differs"]) == (422, "idempotency_key_reused", ["effective_at"])
    assert send(token, "order-3", effective_at=(now + timedelta(minutes=4)).isoformat())[0] == 201
    status, problem = send(token, "order-4", effective_at=(now + timedelta(minutes=6)).isoformat())
    assert (status, problem["code"]) == (400, "effective_at_in_future")


@pytest.mark.django_db
def test_a_refusal_says_nothing_of_an_earlier_attempt(send):
    assert send(issue("shop"), "order-1")[0] == 201
    assert send("wrong", "order-1")[0] == 401
    assert send(issue("shop"), "order-1", amount=1)[0] == 400
    assert Transaction.objects.count() == 1
