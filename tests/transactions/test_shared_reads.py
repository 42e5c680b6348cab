"""Reads of the same moment are one statement, and each is answered as if it had been alone."""

from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection

from tests.cast import AccountFactory, deposit, new_id
from tests.transactions import disturbing
from tests.transactions.committing import PATIENCE_SECONDS, wait_for_all
from transactions.reading import balances, queries

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def sharing():
    balances.sharing.start()
    try:
        yield
    finally:
        balances.sharing.stop()


def read_in_one_group(*reads):
    """The futures of reads that waited for the same thread. Each is a function and its key."""
    futures = [balances.sharing.ask(read) for read in reads]
    with sharing():
        wait_for_all(futures)
    return futures


def share_balance(account):
    return balances.share(balances.read_current_balances, account.id).result(PATIENCE_SECONDS).balance


def test_reads_of_every_kind_in_one_group_have_their_own_answers():
    accounts = [AccountFactory() for _ in range(3)]
    rows = [deposit(account, str(number)) for number, account in enumerate(accounts, 1)]
    reads = [(balances.read_current_balances, account.id) for account in accounts]
    reads += [(queries.get_transactions, row.id) for row in rows]
    reads += [(balances.read_balances_of_users, (account.user_id, "main")) for account in accounts]
    answers = [future.result() for future in read_in_one_group(*reads, *reads)]
    assert answers[9:] == answers[:9]
    assert [(answer.account_id, answer.balance) for answer in answers[:3]] == [
        (account.id, number) for number, account in enumerate(accounts, 1)
    ]
    assert [answer.id for answer in answers[3:6]] == [row.id for row in rows]
    assert [answer["USD"].balance for answer in answers[6:9]] == [1, 2, 3]


def test_what_does_not_exist_is_none_and_keeps_nobody_from_an_answer(account):
    reads = [
        (balances.read_current_balances, new_id()),
        (balances.read_current_balances, account.id),
        (queries.get_transactions, new_id()),
        (balances.read_balances_of_users, (new_id(), "main")),
    ]
    nobody, somebody, nothing, without = [future.result() for future in read_in_one_group(*reads)]
    assert (nobody, somebody.account_id, nothing, without) == (None, account.id, None, {})


def test_a_read_that_fails_fails_for_those_who_asked_for_it_only(account):
    def fail(keys):
        raise ZeroDivisionError

    reads = [(fail, 1), (balances.read_current_balances, account.id), (fail, 2)]
    first, read, last = read_in_one_group(*reads)
    assert read.result().account_id == account.id
    assert [type(future.exception()) for future in (first, last)] == [ZeroDivisionError] * 2


def test_a_read_sees_what_was_posted_before_it_was_asked_for(account):
    with sharing():
        for number in range(1, 20):
            deposit(account, "1")
            assert share_balance(account) == number


def test_a_connection_that_was_lost_is_replaced_before_anybody_is_told(account):
    def kill(keys):
        disturbing.kill_connection()
        return dict.fromkeys(keys, True)

    with sharing():
        assert share_balance(account) == 0
        assert balances.share(kill, 1).result(PATIENCE_SECONDS)
        assert share_balance(account) == 0


def test_without_a_database_reads_fail_and_afterwards_they_do_not(account, tmp_path):
    with sharing():
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(connection.settings_dict, "HOST", str(tmp_path))
            with pytest.raises(OperationalError):
                share_balance(account)
        assert share_balance(account) == 0
