"""Tidying up due holds never waits for an account that somebody is working on."""

import pytest

from accounts.models import Hold
from tests.cast import AccountFactory, hold_that_expires
from tests.transactions.committing import lock
from transactions import posting


@pytest.mark.django_db(transaction=True)
def test_a_locked_account_is_left_alone_and_the_others_are_done():
    accounts = [AccountFactory(funds="5") for _ in range(2)]
    due = [hold_that_expires(account, "1") for account in accounts]
    with lock(accounts[0]):
        assert posting.expire_some() == 1
        statuses = [Hold._base_manager.get(id=placed.id).status for placed in due]
        assert statuses == ["OPEN", "EXPIRED"]
        assert posting.expire_some() == 0
    assert posting.expire_some() == 1
