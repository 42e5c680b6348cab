"""The ETag of a user or an account is of what PATCH can change, which changes only what If-Match names."""

import re
from functools import partial
from threading import Thread

import pytest
from django.db import connection
from django.db.transaction import atomic

from accounts import operations
from accounts.errors import EtagMismatch
from accounts.models import Account, User
from tests import asking
from tests.accounts.erasing import forget
from tests.cast import CALLER, AccountFactory, UserFactory, deposit, hold, new_id
from tests.conftest import make_client
from tests.database import execute, find_who_waits_for_a_lock
from tests.refusals import take_stock
from tests.transactions.committing import wait_until
from tests.transactions.test_concurrency import run_at_once
from transactions.posting.commands import SetMetadata

pytestmark = pytest.mark.django_db

API = "/api/v1"
KINDS = ["users", "accounts"]
NOTE, OTHER = {"metadata": {"k": "v"}}, {"metadata": {"k": "w"}}


@pytest.fixture
def admin(db):
    return make_client("api-admin")


def address_of(kind, account):
    return f"{API}/{kind}/{account.id if kind == 'accounts' else account.user_id}"


@pytest.fixture(params=KINDS)
def address(request, account):
    return address_of(request.param, account)


@pytest.fixture
def patch(admin, address):
    def patch(body, if_match=None):
        headers = {} if if_match is None else {"If-Match": if_match}
        return admin.patch(address, body, headers=headers)

    return patch


def read_etag(client, address):
    etag = client.get(address).headers["ETag"]
    assert re.fullmatch('"[0-9a-f]{32}"', etag)
    return etag


def test_every_answer_that_shows_one_has_its_etag(admin, address, patch):
    etag = read_etag(admin, address)
    changed = patch(NOTE)
    assert changed.headers["ETag"] == read_etag(admin, address) != etag
    assert admin.head(address).headers["ETag"] == changed.headers["ETag"]


def test_what_is_created_has_the_etag_that_it_is_read_with(admin):
    body = {"id": str(new_id()), "name": "x"}
    for _ in range(2):
        made = admin.post(f"{API}/users", body)
        assert made.headers["ETag"] == read_etag(admin, f"{API}/users/{body['id']}")
    body = {"user": body["id"], "currency": "EUR"}
    for _ in range(2):
        made = admin.post(f"{API}/accounts", body)
        assert made.headers["ETag"] == read_etag(admin, f"{API}/accounts/{made.json()['id']}")


def test_an_etag_is_of_what_patch_can_change_and_of_nothing_else(admin, account):
    addresses = [address_of(kind, account) for kind in KINDS]
    before = [read_etag(admin, each) for each in addresses]
    deposit(account, "5")
    hold(account, "1")
    asking.freeze(id=account.id, reason="x", request_id="test")
    admin.post(f"{API}/accounts", {"user": str(account.user_id), "currency": "EUR"})
    assert [read_etag(admin, each) for each in addresses] == before
    admin.patch(addresses[0], {"name": "another"})
    of_user, of_account = (read_etag(admin, each) for each in addresses)
    assert (of_user != before[0], of_account == before[1]) == (True, True)
    admin.patch(addresses[1], NOTE)
    assert read_etag(admin, addresses[0]) == of_user
    assert read_etag(admin, addresses[1]) != of_account


def test_what_is_changed_back_has_the_etag_that_it_had(admin, address, patch):
    before = read_etag(admin, address)
    patch(NOTE)
    patch({"metadata": {}})
    assert read_etag(admin, address) == before


def test_two_that_are_alike_have_each_their_own_etag(admin):
    users = [UserFactory(name="petya") for _ in range(2)]
    accounts = [AccountFactory() for _ in range(2)]
    for kind, rows in (("users", users), ("accounts", accounts)):
        assert len({read_etag(admin, f"{API}/{kind}/{row.id}") for row in rows}) == 2


@pytest.mark.parametrize(
    "if_match", ["{etag}", "*", " {etag} ", '"x", {etag}', '"x",{etag},W/"y"', ',"a,b" , ,{etag},']
)
def test_what_is_as_if_match_names_it_is_changed(admin, address, patch, if_match):
    etag = read_etag(admin, address)
    answer = patch(NOTE, if_match.format(etag=etag))
    assert (answer.status_code, answer.json()["metadata"]) == (200, NOTE["metadata"])


@pytest.mark.parametrize("if_match", ['"x"', '""', "W/{etag}", '"x", W/{etag}', '"x","y"', '"*"'])
def test_what_is_not_as_if_match_names_it_stays(admin, address, patch, if_match):
    etag, before = read_etag(admin, address), take_stock()
    answer = patch(NOTE, if_match.format(etag=etag))
    assert (answer.status_code, answer.json()["code"]) == (412, "etag_mismatch")
    assert take_stock() == before
    assert read_etag(admin, address) == etag


@pytest.mark.parametrize(
    "if_match",
    [
        "",
        "x",
        '"x',
        'x"',
        "'x'",
        'w/"x"',
        '"x" "y"',
        '"x"; "y"',
        "*, *",
        '*, "x"',
        '"a b"',
        '"\x7f"',
        ",",
        "W/",
    ],
)
def test_an_if_match_that_is_none_is_refused(address, patch, if_match):
    before = take_stock()
    answer = patch(NOTE, if_match)
    [error] = answer.json()["errors"]
    assert (answer.status_code, answer.json()["code"]) == (400, "if_match_invalid")
    assert (error["pointer"], error["code"]) == ("If-Match", "if_match_invalid")
    assert take_stock() == before


def test_a_long_if_match_takes_no_longer_than_its_length(patch):
    """Were it ambiguous how it is read, this would not end."""
    assert patch(NOTE, '"a"' + ", \t" * 2000 + "x").status_code == 400
    assert patch(NOTE, " ," * 2000).status_code == 400


def test_a_change_that_was_made_is_answered_again_whatever_if_match_says(admin, address, patch):
    """After a network error nobody is told that their own change was in the way."""
    etag = read_etag(admin, address)
    first, again = patch(NOTE, etag), patch(NOTE, etag)
    assert (again.status_code, again.json(), again.headers["ETag"]) == (
        200,
        first.json(),
        first.headers["ETag"],
    )
    assert patch(OTHER, etag).status_code == 412


def test_an_account_that_is_always_in_use_is_changed(admin, account):
    etag = read_etag(admin, address_of("accounts", account))
    deposit(account, "5")
    assert admin.patch(address_of("accounts", account), NOTE, headers={"If-Match": etag}).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_is_not_there_whatever_if_match_says(admin, kind):
    answer = admin.patch(f"{API}/{kind}/{new_id()}", NOTE, headers={"If-Match": "*"})
    assert answer.status_code == 404


def test_who_was_forgotten_is_gone_whatever_if_match_says(admin, account):
    address = address_of("users", account)
    etag = read_etag(admin, address)
    forget(account.user)
    answer = admin.patch(address, {"name": "x"}, headers={"If-Match": etag})
    assert (answer.status_code, answer.json()["code"]) == (410, "user_erased")
    assert read_etag(admin, address) != etag


CHANGES = {
    "users": lambda account, **asked: operations.change_user(
        id=account.user_id, changes=asked.pop("body"), caller=CALLER, **asked
    ),
    "accounts": lambda account, **asked: asking.ask(
        SetMetadata(account_id=account.id, **asked.pop("body"), **asked)
    ),
}


def find_etag(kind, account):
    if kind == "accounts":
        return Account.objects.get(id=account.id).etag
    return User.objects.get(id=account.user_id).etag


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
def test_of_many_changes_at_once_of_what_all_have_seen_one_is_made(account, kind):
    etag = find_etag(kind, account)
    answers = run_at_once(
        *[
            partial(CHANGES[kind], account, body={"metadata": {"n": str(number)}}, if_match=[etag])
            for number in range(12)
        ]
    )
    assert len([answer for answer in answers if isinstance(answer, EtagMismatch)]) == 11


LOCKS = {
    "users": "SELECT 1 FROM accounts_user WHERE id = %s FOR NO KEY UPDATE",
    "accounts": "SELECT 1 FROM accounts_account WHERE id = %s FOR NO KEY UPDATE",
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
def test_an_etag_is_compared_after_the_lock_was_waited_for(account, kind):
    """Another change is made while a `PATCH` with the ETag of before it waits for the lock."""
    address = address_of(kind, account)
    etag, answers = find_etag(kind, account), []

    def send():
        try:
            client = make_client("api-admin")
            answers.append(client.patch(address, NOTE, headers={"If-Match": f'"{etag}"'}))
        finally:
            connection.close()

    late = Thread(target=send)
    with atomic():
        execute(LOCKS[kind], account.id if kind == "accounts" else account.user_id)
        late.start()
        wait_until(find_who_waits_for_a_lock)
        CHANGES[kind](account, body=OTHER)
    late.join()
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(412, "etag_mismatch")]
    account.refresh_from_db()
    row = account if kind == "accounts" else account.user
    row.refresh_from_db()
    assert row.metadata == OTHER["metadata"]
