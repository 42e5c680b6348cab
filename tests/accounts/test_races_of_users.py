"""The same user, or the same account, made many times at once: there is one."""

from functools import partial
from itertools import pairwise

import pytest
from django.db import connection
from django.db.transaction import TransactionManagementError, atomic

from accounts import operations
from accounts.errors import ExternalIdTaken, IdempotencyKeyReused
from accounts.models import Account, User
from events.models import Event
from tests import asking
from tests.cast import CALLER, AccountFactory, UserFactory, new_id
from tests.transactions.test_concurrency import run_at_once
from tests.transactions.told import read_events
from transactions.posting.commands import SetMetadata

pytestmark = pytest.mark.django_db(transaction=True)
turns = pytest.mark.parametrize("turn", range(3))

create_user = partial(operations.create_user, name="petya", caller=CALLER)


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
    calls = [partial(operations.create_user, id=id, name=name, caller=CALLER) for name in ("a", "b")]
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
    create = partial(operations.create_account, user_id=user.id, currency="EUR", name=name, caller=CALLER)
    answers = run_at_once(*[create] * 12)
    require_one(answers)
    account = answers[0][0]
    assert user.accounts.filter(currency="EUR").get() == account
    assert Event.objects.filter(stream=account.id).count() == 1


def require_told_in_turn(stream, told, last):
    """Each event has its number, none tells what was so already, and the last one tells what is."""
    events = read_events(stream=stream.id)
    stream.refresh_from_db()
    assert [event.sequence for event in events] == list(range(1, stream.event_sequence + 1))
    moments = [event.recorded_at for event in events]
    assert (moments, moments[-1]) == (sorted(moments), stream.last_recorded_at)
    values = [told(event) for event in events]
    assert all(one != next for one, next in pairwise(values))
    assert values[-1] == last(stream)


@turns
def test_changes_of_one_user_at_once_are_told_one_after_the_other(turn):
    user = UserFactory()
    change = partial(operations.change_user, id=user.id, caller=CALLER)
    run_at_once(*[partial(change, changes={"name": f"name {number % 3}"}) for number in range(12)])
    require_told_in_turn(user, lambda event: event.data["name"], lambda user: user.name)


@turns
def test_changes_of_one_accounts_metadata_at_once_are_told_one_after_the_other(turn):
    account = AccountFactory()
    commands = [SetMetadata(account_id=account.id, metadata={"a": f"{number % 3}"}) for number in range(12)]
    run_at_once(*[partial(asking.ask, command) for command in commands])
    require_told_in_turn(account, lambda event: event.data["metadata"], lambda account: account.metadata)


def test_accounts_are_locked_inside_a_transaction_only():
    with atomic():
        assert operations.lock_rows([new_id()], ("id",)) == []
    with pytest.raises(TransactionManagementError):
        operations.lock_rows([new_id()], ("id",))
