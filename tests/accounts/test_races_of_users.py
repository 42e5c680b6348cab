"""The same user, or the same account, made many times at once: there is one."""

from functools import partial

import pytest
from django.db import connection
from django.db.transaction import TransactionManagementError, atomic

from accounts import operations
from accounts.errors import ExternalIdTaken, IdempotencyKeyReused
from accounts.models import Account, User
from events.models import Event
from tests.cast import UserFactory, new_id
from tests.transactions.test_concurrency import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)
turns = pytest.mark.parametrize("turn", range(3))

create_user = partial(operations.create_user, name="petya", request_id="test")


def require_one(answers):
    """All answers are the same row, made once."""
    assert len({found.id for found, _ in answers}) == 1
    assert [replayed for _, replayed in answers].count(False) == 1


@turns
@pytest.mark.parametrize("identity", ["id", "external_id", "both"])
def test_one_user_created_12_times_at_once_is_one_user(identity, turn):
    fields = {
        "id": None if identity == "external_id" else new_id(),
        "external_id": None if identity == "id" else "crm-7",
    }
    require_one(run_at_once(*[partial(create_user, **fields)] * 12))
    assert (User.objects.count(), Account.objects.count()) == (1, 1)
    assert sorted(event.type for event in Event.objects.all()) == ["account.opened", "user.created"]


def test_a_user_created_between_the_looks_for_its_id_and_its_external_id_is_found():
    command = partial(create_user, id=new_id(), external_id="crm-7")
    others = []

    def create_first(execute, sql, params, many, context):
        if '"external_id" = ' in sql and not others:
            others.extend(run_at_once(command))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(create_first):
        require_one([command(), *others])


@turns
def test_one_id_for_two_names_at_once_is_one_user(turn):
    id = new_id()
    calls = [partial(operations.create_user, id=id, name=name, request_id="test") for name in ("a", "b")]
    answers = run_at_once(*calls * 6)
    refusals = [answer for answer in answers if isinstance(answer, IdempotencyKeyReused)]
    assert len(refusals) == 6
    assert {tuple(refusal.extensions["differs"]) for refusal in refusals} == {("name",)}
    require_one([answer for answer in answers if answer not in refusals])
    assert User.objects.count() == 1


@turns
def test_one_external_id_for_12_users_at_once_belongs_to_one(turn):
    answers = run_at_once(*[partial(create_user, id=new_id(), external_id="crm-7") for _ in range(12)])
    refusals = [answer for answer in answers if isinstance(answer, ExternalIdTaken)]
    assert len(refusals) == 11
    require_one([answer for answer in answers if answer not in refusals])
    assert (User.objects.count(), Account.objects.count()) == (1, 1)


@turns
@pytest.mark.parametrize("name", ["main", "savings"])
def test_one_account_created_12_times_at_once_is_one_account(name, turn):
    user = UserFactory()
    create = partial(operations.create_account, user_id=user.id, currency="EUR", name=name, request_id="test")
    answers = run_at_once(*[create] * 12)
    require_one(answers)
    account = answers[0][0]
    assert user.accounts.filter(currency="EUR").get() == account
    assert Event.objects.filter(account_id=account.id).count() == 1


def test_accounts_are_locked_inside_a_transaction_only():
    with atomic():
        assert operations.lock_rows([new_id()], ("id",)) == []
    with pytest.raises(TransactionManagementError):
        operations.lock_rows([new_id()], ("id",))
