"""The client of docs/exactly-once.md, as it stands there, on a network that loses requests and answers."""

import http.client
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from accounts.models import Account
from tests.cast import AccountFactory, issue_token, new_id
from transactions.models import Transaction

PAGE = Path(__file__).parent.parent / "docs" / "exactly-once.md"


def read_client():
    """`post` of the page."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names = {}
    exec(code, names)  # noqa: S102, our own page
    return names["post"]


@contextmanager
def bad_network(url, fates):
    """An address before the service's: each request meets the next fate."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fate = next(fates)
            if fate == "lost on the way there":
                return
            if fate == "refused":
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            connection = http.client.HTTPConnection(urlsplit(url).netloc)
            connection.request("POST", self.path, body, dict(self.headers))
            answer = connection.getresponse()
            text = answer.read()
            connection.close()
            if fate == "lost on the way back":
                return
            self.send_response(answer.status)
            self.end_headers()
            self.wfile.write(text[: len(text) // 2] if fate == "cut" else text)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.django_db(transaction=True)
def test_whatever_the_network_loses_every_order_is_done_once(live_server):
    post, token, account = read_client(), issue_token("api-post"), AccountFactory()
    fates = ["well", "lost on the way back", "well", "lost on the way there", "cut", "refused", "well"]
    with bad_network(live_server.url, cycle(fates)) as url:
        for number in range(20):
            order = {
                "id": str(new_id()),
                "account": str(account.id),
                "type": "WITHDRAW" if number % 5 == 4 else "DEPOSIT",
                "amount": "100.00" if number % 5 == 4 else "1.00",
            }
            status, answer = post(f"{url}/api/v1/transactions", token, order)
            assert (status, answer.get("code")) in [(201, None), (402, "insufficient_funds")]
            assert answer["id"] == order["id"]
    assert Transaction.objects.count() == 20
    assert Account.objects.get(id=account.id).balance == 16


def test_what_stays_unknown_is_said_and_not_made_up():
    with pytest.raises(TimeoutError, match="same body"):
        read_client()("http://127.0.0.1:1/", "token", {"id": "x"}, seconds_max=0.5)
