"""The client of docs/exactly-once.md, as it stands there, on a network that loses requests and answers."""

import http.client
import re
from contextlib import closing
from itertools import cycle
from urllib.parse import urlsplit

import pytest

from accounts.models import Account
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
    fates = ["well", "lost on the way back", "well", "lost on the way there", "cut", "refused", "well"]
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
