"""The customers whom somebody has looked at last, and Find behind a key."""

import re

from accounts.models import User
from tests.accounts.erasing import forget
from tests.cast import AccountFactory
from tests.office.staff import make_staff, open_office
from tests.office.test_find import FIND, read_page

RECENT = "/admin/find/recent/"


def test_the_customers_seen_last_are_offered_the_last_one_first(support, account):
    others = [AccountFactory(name=f"Seen {number}") for number in range(11)]
    for each in others:
        support.get(read_page("accounts/user", each.user_id))
    support.get(read_page("accounts/account", account.id))
    for address in (FIND, RECENT):
        text = support.get(address).content.decode()
        ids = re.findall(r"/admin/accounts/user/([0-9a-f-]{36})/", text)
        assert ids == [str(each.user_id) for each in [account, *others[:1:-1]]]


def test_whoever_was_forgotten_is_not_offered_any_more_and_a_new_session_knows_nobody(support, account):
    support.get(read_page("accounts/user", account.user_id))
    assert "petya" in support.get(RECENT).content.decode()
    assert "/accounts/user/" not in open_office(make_staff("support")).get(RECENT).content.decode()
    forget(User.objects.get(pk=account.user_id))
    assert str(account.user_id) not in support.get(RECENT).content.decode()


def test_every_page_has_find_behind_a_key(support, account):
    for address in ("/admin/", "/admin/accounts/user/", read_page("accounts/account", account.id)):
        text = support.get(address).content.decode()
        assert f'data-recent="{RECENT}"' in text
        assert "searchCommand" not in text
