"""A balance at a date while somebody is posting: an answer once given stays true."""

import threading
from contextlib import ExitStack
from functools import partial

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from tests.cast import AccountFactory, day, deposit
from tests.database import execute
from tests.servers import wait_for
from tests.transactions.test_concurrency import in_hand, require_sound, run_at_once
from transactions import reading

pytestmark = pytest.mark.django_db(transaction=True)
OTHERS_SECONDS_MAX = 120


def read_balance(account, **asked):
    return reading.read_balance(Account.objects.filter(id=account.id), **asked)


def read_balance_at(account, *, at=None, known_at=None):
    return reading.read_balance_at(account.id, at=at, known_at=known_at)


@pytest.mark.parametrize("read_then", [read_balance, read_balance_at])
def test_an_answer_for_a_named_moment_stays_true_whatever_is_being_posted(account, read_then):
    moments = [day("2999-01-01"), day("2023-02-01")]
    stop = threading.Event()

    def read(**asked):
        return read_then(account, **asked)

    def ask():
        try:
            return [read(at=moment) for _ in range(30) for moment in moments]
        finally:
            stop.set()

    def post_until_stopped(effective_at):
        while not stop.is_set():
            deposit(account, "1", effective_at=effective_at)

    writers = [partial(post_until_stopped, moment) for moment in (None, day("2023-01-04"))] * 4
    answers, *_ = run_at_once(ask, *writers)
    assert len({answer.version for answer in answers}) > 10
    for answer in answers:
        again = read(at=answer.at, known_at=answer.known_at)
        assert (again.balance, again.version) == (answer.balance, answer.version)
    require_sound(account)


def lock_account(strength, account):
    execute(f"SELECT 1 FROM accounts_account WHERE id = %s FOR {strength}", account.id)


@pytest.mark.parametrize("asked", [{"at": day("2023-01-04")}, {"known_at": day("2999-01-01")}, {}])
@pytest.mark.parametrize("neighbour", [None, "KEY SHARE"])
def test_a_balance_at_a_date_waits_for_who_is_posting(account, impatient, asked, neighbour):
    deposit(account, "1")
    with ExitStack() as stack:
        if neighbour:  # then several transactions stand in the row as one number
            stack.enter_context(in_hand(partial(lock_account, neighbour, account), commit=True))
        with in_hand(lambda: deposit(account, "1"), commit=True), pytest.raises(OperationalError):
            read_balance_at(account, **asked)
        assert read_balance_at(account).version == 2


@pytest.mark.parametrize(
    "before",
    [
        lambda account: deposit(account, "1"),
        lambda account: lock_account("SHARE", account),
        lambda account: lock_account("NO KEY UPDATE", account),
    ],
)
@pytest.mark.parametrize("commit", [True, False])
def test_a_balance_at_a_date_is_one_statement_when_nobody_is_posting_on_the_account(account, before, commit):
    deposit(account, "1")
    with in_hand(lambda: before(account), commit=commit):
        pass
    # Whatever began before, in another database of the server too, may be somebody who is posting.
    wait_for(lambda: not is_locked_while_read(account), OTHERS_SECONDS_MAX)
    other = AccountFactory()
    with in_hand(lambda: deposit(other, "1"), commit=True):
        assert not is_locked_while_read(account)


def is_locked_while_read(account):
    with CaptureQueriesContext(connection) as captured:
        read_balance_at(account, at=day("2023-01-04"))
    return any("FOR SHARE" in query["sql"] for query in captured)
