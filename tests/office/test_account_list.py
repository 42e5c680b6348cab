"""The list of accounts: newest first, found by what support staff have of the user."""

import pytest

from events.models import RecordEntry
from tests import asking
from tests.cast import AccountFactory, deposit, hold, new_id

LIST = "/admin/accounts/account/"


def list_users(client, **query):
    answer = client.get(LIST, query)
    assert answer.status_code == 200, answer
    return [str(account.user) for account in answer.context["cl"].result_list]


@pytest.fixture
def cast_of_four():
    anna = AccountFactory(name="Anna", external_id="crm-1")
    return [
        anna,
        AccountFactory(name="anna-maria", external_id="crm-10"),
        AccountFactory(name="Петя", external_id="100%"),
        AccountFactory(name="100% Pete_r"),
    ]


def test_newest_accounts_come_first_with_what_they_have(support, cast_of_four):
    anna = cast_of_four[0]
    deposit(anna, "1234.50")
    hold(anna, "34.50")
    assert list_users(support) == ["100% Pete_r", "Петя", "anna-maria", "Anna"]
    html = support.get(LIST).content.decode()
    assert "1,234.50\N{NO-BREAK SPACE}USD" in html
    assert "1,200.00\N{NO-BREAK SPACE}USD" in html
    assert f"/admin/accounts/account/{anna.id}/change/" in html


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("an", ["anna-maria", "Anna"]),
        ("ANNA-", ["anna-maria"]),
        ("пет", ["Петя"]),
        ("maria", []),
        ("crm-1", ["Anna"]),
        ("CRM-1", []),
        ("100%", ["100% Pete_r", "Петя"]),
        ("%", []),
        ("100_", []),
        ("\\", []),
        ("  anna ", ["anna-maria", "Anna"]),
        ("an\x00", []),
        ("\U0010ffff", []),
        ("'; DROP TABLE accounts_account", []),
    ],
)
def test_an_account_is_found_by_the_name_or_external_id_of_its_user(support, cast_of_four, words, found):
    answer = support.get(LIST, {"q": words})
    assert answer.status_code == 200
    if "\x00" not in words:
        assert [str(account.user) for account in answer.context["cl"].result_list] == found
    assert RecordEntry.objects.filter(action="SEARCH").count() == 1


def test_an_account_is_found_by_its_id_and_by_that_of_its_user(support, cast_of_four):
    anna = cast_of_four[0]
    for id in (anna.id, anna.user_id):
        assert list_users(support, q=str(id)) == ["Anna"]
        assert list_users(support, q=str(id).upper()) == ["Anna"]
    assert list_users(support, q=str(new_id())) == []


def test_only_fifty_users_of_a_common_name_are_looked_up(support):
    for _ in range(52):
        AccountFactory(name="Ivan")
    assert len(list_users(support, q="ivan")) == 50
    assert support.get(LIST, {"q": "ivan"}).context["cl"].result_count == 50


def test_the_list_shows_only_frozen_or_only_closed_accounts(support, cast_of_four):
    for account in cast_of_four[:2]:
        asking.freeze(id=account.id, reason="x", request_id="test")
    asking.close(id=cast_of_four[2].id, reason="x", request_id="test")
    assert list_users(support, status="FROZEN") == ["anna-maria", "Anna"]
    assert list_users(support, status="CLOSED") == ["Петя"]
    assert list_users(support, status="ACTIVE") == ["100% Pete_r"]
    assert list_users(support, status="\x00") == []
