"""What the hot requests may cost: counted, not timed, so that nothing makes them heavier unseen.

Counted is what libpq's trace says was sent to the database, and what Python's profiler says was called. What
costs less is pinned too: the failures tell the new figures as the lines of the table.
"""

import gc
import json
import re
import sys
import tempfile
from decimal import Decimal
from io import BytesIO
from typing import NamedTuple

import pytest
from django.db import connection
from psycopg import pq

from ledger.callers import Caller
from ledger_project.wsgi import Handler
from tests.cast import AccountFactory, OrderFactory, deposit, issue_token, new_id
from transactions import posting

pytestmark = pytest.mark.django_db(transaction=True)


class Cost(NamedTuple):
    statements: int
    round_trips: int
    bytes_sent: int
    calls: int  # of Python's functions


# Of one request, but for batches: these are divided by their 1,000 orders. Own transactions' statements
# include BEGIN and COMMIT.
BUDGET = {
    "POST /transactions": Cost(5, 2, 1645, 282),
    "POST /batches, a transaction of 1,000": Cost(5, 2, 984, 75),
    "GET /accounts/{id}/balance": Cost(1, 1, 83, 257),
    "GET /accounts/{id}/balance?at=": Cost(1, 1, 130, 326),
    "GET /transactions/{id}": Cost(1, 1, 83, 264),
    "posting.post, one order": Cost(5, 2, 1639, 162),
    "posting.post, a replay": Cost(5, 3, 349, 259),
    "posting.post, 6 orders on 6 accounts": Cost(5, 2, 8520, 483),
    "posting.post, an order of 1,000": Cost(5, 2, 966, 48),
}
# Names of prepared statements, balances and versions have more digits in one run than in another. The calls
# were the same with two builds of Python 3.11.
TOLERANCE = 0.02
BATCH = 1000
WARM_UP, TURNS = 7, 3  # psycopg prepares what it has run five times


def measure(action, *, share=1):
    """The least of some turns, each of which calls `action()` for what is measured."""
    for _ in range(WARM_UP):
        action()()
    costs = []
    gc.disable()
    try:
        for _ in range(TURNS):
            statements, trips, sent = count_messages(action())
            costs.append((statements, trips, sent / share, count_calls(action()) / share))
    finally:
        gc.enable()
    statements, trips, sent, calls = map(min, zip(*costs, strict=True))
    return Cost(statements, trips, round(sent), round(calls))


def count_messages(call):
    """The statements, round trips and bytes of what the call sends over this thread's connection."""
    pg = connection.connection.pgconn
    with tempfile.TemporaryFile("w+") as file:
        pg.trace(file.fileno())
        pg.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)
        try:
            call()
        finally:
            pg.untrace()
        file.seek(0)
        lines = [line.rstrip() for line in file if line.startswith("F\t")]
    # The names of prepared statements have numbers, which grow with the age of the session.
    digits = sum(len(number) - 1 for line in lines for number in re.findall(r'"_pg3_(\d+)"', line))
    sent = [line.split("\t")[1:3] for line in lines]
    kinds = [kind for _, kind in sent]
    assert "Parse" not in kinds  # everything hot is prepared
    statements = kinds.count("Execute") + kinds.count("Query")
    trips, size = kinds.count("Sync") + kinds.count("Query"), sum(int(size) + 1 for size, _ in sent)
    return statements, trips, size - digits


def count_calls(call):
    count = 0

    def see(frame, event, argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(see)
    try:
        call()
    finally:
        sys.setprofile(None)
    return count - 1  # the call itself


class Client:
    """The service's WSGI application, called in this thread."""

    def __init__(self):
        self.token = issue_token("api-post", "api-read")
        self.application = Handler()

    def prepare(self, method, path, body=None, status=200):
        content = json.dumps(body).encode() if body else b""
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": f"/api/v1/{path}",
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": f"Bearer {self.token}",
            "HTTP_X_REQUEST_ID": str(new_id()),
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(content)),
            "wsgi.input": BytesIO(content),
            "wsgi.url_scheme": "http",
        }
        answers = []

        def call():
            b"".join(self.application(environ, lambda *answer: answers.append(answer)))
            assert answers[0][0].startswith(str(status)), answers

        return call


def make_body(account):
    return {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "1.00"}


def make_batch(account):
    commands = [{"command": "transaction", **make_body(account)} for _ in range(BATCH)]
    return {"id": str(new_id()), "atomic": False, "commands": commands}


def make_order(account):
    return OrderFactory(account=account, amount=Decimal("1.00"))


def over_http(account):
    """What is measured of the API, by its name in the table."""
    client = Client()
    row = deposit(account, "1000")
    return {
        "POST /transactions": lambda: client.prepare("POST", "transactions", make_body(account), 201),
        "POST /batches, a transaction of 1,000": lambda: client.prepare(
            "POST",
            "batches",
            make_batch(account),
        ),
        "GET /accounts/{id}/balance": lambda: client.prepare("GET", f"accounts/{account.id}/balance"),
        "GET /accounts/{id}/balance?at=": lambda: client.prepare(
            "GET", f"accounts/{account.id}/balance?at=2020-01-01T00:00:00Z"
        ),
        "GET /transactions/{id}": lambda: client.prepare("GET", f"transactions/{row.id}"),
    }


def in_process(account):
    """What is measured of the engine."""
    accounts = [account, *(AccountFactory() for _ in range(5))]
    known = make_order(account)

    def prepare(*orders):
        request_id = str(new_id())
        return lambda: posting.post(orders, caller=Caller(account.user_id, request_id=request_id))

    prepare(known)()
    return {
        "posting.post, one order": lambda: prepare(make_order(account)),
        "posting.post, a replay": lambda: prepare(known),
        "posting.post, 6 orders on 6 accounts": lambda: prepare(*map(make_order, accounts)),
        "posting.post, an order of 1,000": lambda: prepare(*[make_order(account) for _ in range(BATCH)]),
    }


@pytest.mark.parametrize("name", BUDGET)
def test_a_hot_request_costs_what_the_table_says(account, name):
    actions = over_http if name.startswith(("GET", "POST")) else in_process
    cost = measure(actions(account)[name], share=BATCH if "1,000" in name else 1)
    allowed = BUDGET[name]
    within = pytest.approx(tuple(allowed), rel=TOLERANCE, abs=0)
    assert tuple(cost) == within, f'"{name}" was {allowed} and is\n    "{name}": Cost{tuple(cost)},'
