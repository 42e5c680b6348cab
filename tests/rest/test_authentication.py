"""Tokens: looked up once in five seconds, and never trusted longer."""

import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Token
from rest import viewsets
from rest.viewsets import known_tokens
from tests.cast import CALLER, UserFactory, day, issue_token
from tests.conftest import make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def client_of_user(user):
    return make_client("api-post", user=user)


@pytest.fixture
def token(client_of_user):
    return client_of_user._credentials["HTTP_AUTHORIZATION"].removeprefix("Bearer ")


def status(client):
    return client.get("/api/v1/accounts").status_code


def test_in_the_steady_state_a_token_costs_no_query(client_of_user, django_assert_num_queries):
    assert status(client_of_user) == 200
    with django_assert_num_queries(1):  # the list itself
        assert status(client_of_user) == 200


def revoke(token):
    assert tokens.revoke(token_key=token[:15], caller=CALLER) == 1


@pytest.mark.parametrize("how", ["token revoked", "user disabled"])
def test_a_revoked_token_counts_when_the_cache_has_forgotten_it(client_of_user, token, user, how):
    assert status(client_of_user) == 200
    if how == "token revoked":
        revoke(token)
    else:
        type(user).objects.filter(id=user.id).update(is_active=False)
    known_tokens.clear()
    assert client_of_user.get("/api/v1/accounts").json()["code"] == "token_invalid"


def test_what_is_known_is_forgotten_after_five_seconds(client_of_user, token, settings, monkeypatch):
    assert settings.TOKEN_CACHE_SECONDS == 5
    assert status(client_of_user) == 200
    revoke(token)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 4.5)
    assert status(client_of_user) == 200
    monkeypatch.setattr(time, "monotonic", lambda: now + 5.1)
    assert status(client_of_user) == 401


def test_wrong_tokens_are_not_kept_and_cost_one_query_each(db, django_assert_num_queries):
    client = APIClient()
    for n in range(3):
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {n}{'0' * 63}")
        with django_assert_num_queries(1):
            assert status(client) == 401
    assert known_tokens == {}


def test_more_tokens_than_can_be_known_are_forgotten(client_of_user, monkeypatch):
    monkeypatch.setattr(viewsets, "TOKENS_MAX", 3)
    for _ in range(5):
        assert status(make_client("api-read")) == 200
    assert 0 < len(known_tokens) <= 3


@pytest.mark.parametrize("header", ["bearer {}", "BEARER  {}", "Bearer\t{}"])
def test_a_scheme_in_other_letters_and_other_spaces_is_the_same(client_of_user, token, header):
    for _ in range(2):
        client_of_user.credentials(HTTP_AUTHORIZATION=header.format(token))
        assert status(client_of_user) == 200


PLAIN = 'Bearer realm="ledger"'
INVALID = f'{PLAIN}, error="invalid_token", error_description="The token is not valid"'
EXPIRED = f'{PLAIN}, error="invalid_token", error_description="The token has expired"'


def find_refusal(client):
    answer = client.get("/api/v1/accounts")
    assert answer.status_code == 401
    return answer.json()["code"], answer["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["", "Basic {}", "{}", "Bearer{}"])
def test_who_sends_no_bearer_token_is_nobody(client_of_user, token, header):
    assert status(client_of_user) == 200
    client_of_user.credentials(HTTP_AUTHORIZATION=header.format(token))
    assert find_refusal(client_of_user) == ("not_authenticated", PLAIN)


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer {} {}", "Bearer {}\xe9", "Bearer {}0", "Bearer " + "a" * 10_000]
)
def test_what_is_no_valid_token_is_told_from_none(client_of_user, token, header):
    assert status(client_of_user) == 200
    client_of_user.credentials(HTTP_AUTHORIZATION=header.format(token, token))
    assert find_refusal(client_of_user) == ("token_invalid", INVALID)


def test_an_expired_token_counts_at_once_even_when_cached(client_of_user, time_machine):
    assert status(client_of_user) == 200
    time_machine.move_to(timezone.now() + timedelta(hours=1, seconds=1))
    for _ in range(2):
        assert find_refusal(client_of_user) == ("token_expired", EXPIRED)
        known_tokens.clear()


def test_that_a_token_has_expired_is_told_to_who_has_all_of_it(user):
    client, token = APIClient(), issue_token("api-read", user=user, expiry=timedelta(seconds=-1))
    for wrong in (token[:-1], token[:15] + "0" * 49, token + "0"):
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {wrong}")
        assert find_refusal(client) == ("token_invalid", INVALID)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert find_refusal(client) == ("token_expired", EXPIRED)
    revoke(token)
    known_tokens.clear()
    assert find_refusal(client) == ("token_invalid", INVALID)


def test_a_changed_group_counts_when_the_cache_has_forgotten_it(client_of_user, user):
    body = {"user": str(user.id), "currency": "EUR"}
    assert client_of_user.post("/api/v1/accounts", body).status_code == 201
    user.groups.set(Group.objects.filter(name="api-read"))
    known_tokens.clear()
    assert client_of_user.post("/api/v1/accounts", body).status_code == 403


def test_a_token_has_of_its_own_permissions_those_that_its_user_has(user):
    post = ("/api/v1/accounts", {"user": str(user.id), "currency": "EUR"})
    reader, poster = make_client("api-read", user=user), make_client("api-post", user=user)
    refused = reader.post(*post)
    assert (refused.status_code, refused.json()["permission"]) == (403, "accounts.add_account")
    assert poster.post(*post).status_code == 201
    user.groups.set(Group.objects.filter(name="api-read"))
    known_tokens.clear()
    assert poster.post(*post).status_code == 403
    assert poster.get("/api/v1/users").status_code == 200
    user.groups.set(Group.objects.filter(name="api-admin"))
    known_tokens.clear()
    assert [each.post(*post).status_code for each in (reader, poster)] == [403, 201]


def test_two_tokens_overlap_while_one_follows_the_other(user):
    old = issue_token("api-read", user=user)
    new = issue_token("api-read", user=user)
    client = APIClient()

    def ask(token):
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return status(client)

    assert [ask(old), ask(new)] == [200, 200]
    revoke(old)
    known_tokens.clear()
    assert [ask(old), ask(new)] == [401, 200]


def test_a_token_that_is_looked_up_is_noted_as_used_and_written_by_nobody_who_asks(
    client_of_user, token, django_assert_num_queries
):
    known_tokens.used.clear()
    for _ in range(3):
        assert status(client_of_user) == 200
    [stored] = Token.objects.all()
    assert stored.last_used_at is None
    uses = known_tokens.take_uses()
    assert list(uses) == [stored.digest]
    assert known_tokens.take_uses() == {}
    assert status(client_of_user) == 200  # it is known, and nothing is noted
    assert known_tokens.used == {}
    with django_assert_num_queries(1):
        assert tokens.note_uses(uses) == 1
    with django_assert_num_queries(0):
        assert tokens.note_uses({}) == 0
    stored.refresh_from_db()
    assert stored.last_used_at == uses[stored.digest]


@pytest.mark.parametrize(("later", "written"), [(-90, 0), (-1, 0), (59, 0), (61, 1)])
def test_a_use_is_written_once_in_a_minute_and_only_forward(token, later, written):
    digest, noon = Token.objects.get().digest, day("2026-01-01T12:00")
    tokens.note_uses({digest: noon})
    assert tokens.note_uses({digest: noon + timedelta(seconds=later), "of no token": noon}) == written
    assert Token.objects.get().last_used_at == noon + timedelta(seconds=later if written else 0)


def test_wrong_and_expired_tokens_are_not_used(user):
    known_tokens.used.clear()
    client = APIClient()
    for token in (issue_token(user=user, expiry=timedelta(seconds=-1)), "0" * 64):
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        assert status(client) == 401
    assert known_tokens.used == {}


def test_tokens_are_stored_hashed(token):
    [stored] = Token.objects.all()
    assert token not in (stored.digest, stored.token_key)
    assert len(stored.digest) == 128
