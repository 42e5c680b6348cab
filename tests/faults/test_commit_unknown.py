"""A connection cut around the COMMIT tells the client nothing; the same id finds out what happened."""

from decimal import Decimal

import pytest
from django.db import OperationalError, connection

from accounts.models import Hold
from events.models import Event
from ledger.callers import Caller
from tests import asking
from tests.cast import OrderFactory, deposit, new_id
from tests.faults.proxy import CUT_BEFORE, HARMS
from tests.transactions.conftest import require_clean
from tests.transactions.test_concurrency import count_retries, require_problem, require_sound
from transactions import posting
from transactions.models import Batch, Transaction
from transactions.posting.engine import ATTEMPTS_MAX

pytestmark = pytest.mark.django_db(transaction=True)


def post(order):
    [answer] = asking.post([order], caller=Caller(order.account_id))
    return answer


def require_one(account, order, status):
    [row] = Transaction.objects.filter(id=order.id)
    assert (row.status, row.amount) == (status, order.amount)
    assert Event.objects.filter(stream=row.account_id, about=row.seq).count() == 1
    require_sound(account)
    return row


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize(("amount", "status"), [("30", "POSTED"), ("300", "DECLINED")])
def test_a_commit_that_is_cut_ends_with_one_row_and_its_answer(proxy, account, harm, amount, status):
    deposit(account, "100")
    order = OrderFactory(account=account, type="WITHDRAW", amount=Decimal(amount))
    before = count_retries()
    proxy.harm(harm)
    answer = post(order)
    assert (proxy.harmed[harm], count_retries() - before) == (1, 1)
    assert answer.replayed is (harm != CUT_BEFORE)
    row = require_one(account, order, status)
    assert answer.transaction.to_dict() == row.to_dict()
    assert account.balance == (70 if status == "POSTED" else 100)
    again = post(order)
    assert (again.replayed, again.transaction.to_dict()) == (True, row.to_dict())


@pytest.mark.parametrize("harm", HARMS)
def test_two_commits_cut_in_turn_double_nothing(proxy, account, harm):
    proxy.harm(harm, times=2)
    order = OrderFactory(account=account)
    post(order)
    assert proxy.harmed[harm] == 2
    require_one(account, order, "POSTED")
    assert account.balance == 100


@pytest.mark.parametrize("harm", HARMS)
def test_when_every_commit_is_cut_the_error_leaves_it_to_the_same_id_sent_later(proxy, account, harm):
    order = OrderFactory(account=account)
    proxy.harm(harm, times=ATTEMPTS_MAX)
    with pytest.raises(OperationalError):
        post(order)
    assert proxy.harmed[harm] == ATTEMPTS_MAX
    connection.close_if_unusable_or_obsolete()  # as at the end of every request
    assert Transaction.objects.filter(id=order.id).count() == (0 if harm == CUT_BEFORE else 1)
    assert post(order).replayed is (harm != CUT_BEFORE)
    require_one(account, order, "POSTED")
    assert account.balance == 100


@pytest.mark.parametrize("harm", HARMS)
def test_a_list_whose_commit_is_cut_is_whole_or_not_there(proxy, account, harm):
    orders = [OrderFactory(account=account, amount=Decimal(n)) for n in (1, 2, 4)]
    orders.append(OrderFactory(account=account, type="WITHDRAW", amount=Decimal(50)))
    proxy.harm(harm)
    answers = posting.post(orders, caller=Caller(account.user_id))
    assert [answer.transaction.status for answer in answers] == ["POSTED"] * 3 + ["DECLINED"]
    assert {answer.replayed for answer in answers} == {harm != CUT_BEFORE}
    require_sound(account)
    assert (account.balance, account.version) == (7, 3)


@pytest.mark.parametrize("harm", HARMS)
def test_a_list_under_an_id_whose_commit_is_cut_has_one_row_and_its_answers(service, proxy, account, harm):
    """What it placed, captured and moved too: all of it is there once, or nothing, and the id finds out."""
    commands = [
        {"command": "transaction", "account": str(account.id), "type": "DEPOSIT", "amount": "100.00"},
        {"command": "hold", "account": str(account.id), "amount": "30.00"},
        {"command": "capture", "hold": "#1", "amount": "20.00"},
    ]
    body = {"id": str(new_id()), "atomic": True, "commands": commands}
    proxy.harm(harm, times=ATTEMPTS_MAX)
    require_problem(service.post("/api/v1/batches", body), 503, "database_unavailable")
    connection.close_if_unusable_or_obsolete()
    there = 0 if harm == CUT_BEFORE else 1
    assert (Batch.objects.count(), Hold.objects.count()) == (there, there)
    assert Transaction.objects.filter(batch=body["id"]).count() == 2 * there
    proxy.harm(harm)
    answer = service.post("/api/v1/batches", body)
    assert [result["status"] for result in answer.json()["results"]] == [201, 201, 201]
    assert ("Idempotency-Replayed" in answer.headers) is (harm != CUT_BEFORE)
    assert (Batch.objects.count(), Hold.objects.count(), Transaction.objects.count()) == (1, 1, 2)
    require_clean()
    account.refresh_from_db()
    assert (account.balance, account.held) == (80, 0)


@pytest.mark.parametrize("harm", HARMS)
def test_a_request_is_answered_503_when_every_commit_is_cut_and_resolved_when_sent_again(
    service, proxy, account, harm
):
    body = {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "100.00"}
    proxy.harm(harm, times=ATTEMPTS_MAX)
    require_problem(service.post("/api/v1/transactions", body), 503, "database_unavailable")
    connection.close_if_unusable_or_obsolete()
    answer = service.post("/api/v1/transactions", body)
    assert answer.status_code == 201
    assert ("Idempotency-Replayed" in answer.headers) is (harm != CUT_BEFORE)
    assert Transaction.objects.get().to_dict() == answer.json()
    require_sound(account)
