"""docs/in-process.md shows what the neighbour runs; tests of posting and these try what else it says."""

import json
import re
import threading
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, RequestFactory
from rest_framework.views import APIView

from ledger.callers import Caller
from tests.cast import deposit
from tests.neighbour import views
from tests.neighbour.buying import buy
from tests.neighbour.models import Purchase
from tests.servers import PROJECT
from transactions.errors import InsideTransaction
from transactions.models import Transaction

PAGE = (PROJECT / "docs/in-process.md").read_text()
NEIGHBOUR = PROJECT / "tests/neighbour"


def test_every_block_of_the_page_is_run_by_the_neighbour():
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == PAGE.count("```python")
    for name, code in blocks:
        assert code in (NEIGHBOUR / name).read_text(), f"{name} has not got:\n{code}"


@pytest.fixture
def shop(rich, settings, monkeypatch):
    """The neighbour's view, where every request is a transaction."""
    settings.ROOT_URLCONF = "tests.neighbour.urls"
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    client = Client()

    def buy(order, price):
        return client.post(f"/buy/{order}", {"account": rich.id, "price": price, "title": "a hat"})

    return buy


@pytest.mark.django_db(transaction=True)
def test_a_view_that_is_marked_keeps_the_decline(shop, rich):
    order = uuid4()
    for _ in range(2):
        answer = shop(order, "101")
        assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_funds")
        deposit(rich, "100")
    assert shop(uuid4(), "101").json() == {"title": "a hat"}
    assert Purchase.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_view_that_is_not_marked_is_told_so(shop, monkeypatch):
    monkeypatch.delattr(views.buy_view, "_non_atomic_requests")
    with pytest.raises(InsideTransaction, match="non_atomic_requests"):
        shop(uuid4(), "1")
    assert Transaction.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_the_same_order_at_once_one_is_made(shop, rich):
    order, answers = uuid4(), []

    def buy():
        try:
            answers.append(shop(order, "60").json())
        finally:
            connection.close()

    threads = [threading.Thread(target=buy) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rich.refresh_from_db()
    assert (answers, rich.balance, Purchase.objects.count()) == ([{"title": "a hat"}] * 4, 40, 1)


@pytest.mark.django_db
def test_a_decline_that_a_view_of_drf_lets_pass_is_answered_as_by_the_api(rich):
    class Buying(APIView):
        authentication_classes = permission_classes = ()

        def post(self, request):
            buy(order, rich, Decimal(101), "a hat", Caller(rich.user_id))

    order = uuid4()
    answer = Buying.as_view()(RequestFactory().post("/buy", headers={"X-Request-Id": "of the middleware"}))
    problem = json.loads(answer.content)
    assert (answer.status_code, answer["Content-Type"]) == (402, "application/problem+json")
    facts = {"code": "insufficient_funds", "id": str(order), "available": "100.00", "required": "101.00"}
    assert {name: problem[name] for name in facts} == facts


@pytest.mark.django_db
def test_a_ledger_that_is_no_test_is_never_emptied(rich, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "NAME", "ledger")
    with pytest.raises(CommandError, match="ledger is no test database"):
        call_command("flush", interactive=False)
    assert Transaction.objects.exists()
