"""The cast of the tests: users, accounts and movements, made by the code that makes them in production."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import factory
import uuid_utils.compat
from django.contrib.auth.models import Group, Permission
from django.db.transaction import atomic

from accounts import operations
from accounts.errors import ExpiresAtInvalid
from accounts.models import Account, Token, User
from accounts.queries import list_groups, name_permissions
from events import record
from ledger.callers import ActorKind, Caller
from tests import asking
from transactions.models import Transaction
from transactions.posting.commands import NewTransaction, Transfer

new_id = uuid_utils.compat.uuid7
_numbers = count(1)


CALLER = Caller(None, request_id="test")


class UserFactory(factory.Factory):
    class Meta:
        model = User

    id = factory.LazyFunction(new_id)
    name = factory.Sequence(lambda n: f"user {n}")
    caller = CALLER

    @classmethod
    def _create(cls, model_class, **fields):
        user, _ = operations.create_user(**fields)
        return user


class AccountFactory(factory.Factory):
    """The main account of a user of its own. `funds` are deposited."""

    class Meta:
        model = Account

    currency = "USD"

    @classmethod
    def _create(cls, model_class, funds=None, **fields):
        account = UserFactory(**fields).accounts.with_held_due().get()
        if funds:
            deposit(account, funds)
        return account


class OrderFactory(factory.Factory):
    class Meta:
        model = NewTransaction

    id = factory.LazyFunction(new_id)
    type = Transaction.Type.DEPOSIT
    amount = Decimal("100.00")

    @classmethod
    def _create(cls, model_class, account, **fields):
        return NewTransaction(account_id=account.id, **fields)


def deposit(account, amount, **fields):
    """Post a deposit and return its transaction."""
    return move(account, Transaction.Type.DEPOSIT, amount, **fields)


def withdraw(account, amount, **fields):
    return move(account, Transaction.Type.WITHDRAW, amount, **fields)


def move(account, type, amount, **fields):
    order = OrderFactory(account=account, type=type, amount=Decimal(amount), **fields)
    return asking.ask(order, actor=account.user_id).transaction


def transfer(source, destination, amount, **fields):
    """Post a transfer and return its withdrawal, whose id it has."""
    command = Transfer(
        id=new_id(), source_id=source.id, destination_id=destination.id, amount=Decimal(amount), **fields
    )
    return asking.ask(command, actor=source.user_id).transaction


def hold(account, amount, **fields):
    """Set funds aside and return the hold."""
    placed, _ = asking.place_hold(
        id=new_id(), account_id=account.id, amount=Decimal(amount), actor=account.user_id, **fields
    )
    return placed


def hold_that_expires(account, amount):
    """Set funds aside, and wait until their time is over: nobody has written the end of the hold yet."""
    while True:
        expires_at = datetime.now(UTC) + timedelta(milliseconds=200)
        with suppress(ExpiresAtInvalid):  # a busy machine may need longer than that
            placed = hold(account, amount, expires_at=expires_at)
            time.sleep(max(0.0, (expires_at - datetime.now(UTC)).total_seconds()) + 0.01)
            return placed


def day(text):
    """`2023-01-04` or `2023-01-04T12:00` as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def issue_token(*groups, user=None, expiry=timedelta(hours=1), permissions=None, **bounds):
    """As `tokens.issue`, but with any end; with `permissions` it has these and no other."""
    if user is None:
        number = next(_numbers)
        user = User.objects.create_user(username=f"service-{number}", name=f"service {number}")
    named = Group.objects.filter(name__in=groups)
    user.groups.add(*named)
    if permissions is None:
        permissions = name_permissions(Permission.objects.filter(group__in=named))
    with atomic():
        made, token = Token.objects.create(
            user=user, expiry=expiry, permissions=sorted(permissions), **bounds
        )
        record.write(
            Caller(None, ActorKind.COMMAND),
            type="token.issued",
            subject="token",
            subject_id=made.token_key,
            owner=user.pk,
            after={**made.describe(), "groups": list_groups(user), "is_new_user": True},
        )
    return token
