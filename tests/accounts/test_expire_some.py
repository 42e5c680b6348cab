"""Tidying up due holds never waits for an account that somebody is working on."""

import threading

import pytest
from django.db import connection
from django.db.transaction import atomic

from accounts.models import Hold
from tests import asking
from tests.cast import AccountFactory, deposit, hold_that_expires
from transactions import posting


@pytest.mark.django_db(transaction=True)
def test_a_locked_account_is_left_alone_and_the_others_are_done():
    accounts = [AccountFactory() for _ in range(2)]
    for account in accounts:
        deposit(account, "5")
    due = [hold_that_expires(account, "1") for account in accounts]
    locked, done = threading.Event(), threading.Event()

    def keep_locked():
        with atomic():
            asking.lock_account(accounts[0].id)
            locked.set()
            done.wait(20)
        connection.close()

    thread = threading.Thread(target=keep_locked)
    thread.start()
    locked.wait(20)
    try:
        assert posting.expire_some() == 1
        assert Hold._base_manager.get(id=due[0].id).status == "OPEN"
        assert Hold._base_manager.get(id=due[1].id).status == "EXPIRED"
        assert posting.expire_some() == 0
    finally:
        done.set()
        thread.join()
    assert posting.expire_some() == 1
