"""Tokens: looked up once in five seconds, and never trusted longer."""

import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Token
from rest import viewsets
from rest.viewsets import known_tokens
from tests.cast import UserFactory
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


@pytest.mark.parametrize("how", ["token deleted", "user disabled"])
def test_a_revoked_token_counts_when_the_cache_has_forgotten_it(client_of_user, user, how):
    assert status(client_of_user) == 200
    if how == "token deleted":
        Token.objects.all().delete()
    else:
        type(user).objects.filter(id=user.id).update(is_active=False)
    known_tokens.clear()
    assert status(client_of_user) == 401


def test_what_is_known_is_forgotten_after_five_seconds(client_of_user, settings, monkeypatch):
    assert settings.TOKEN_CACHE_SECONDS == 5
    assert status(client_of_user) == 200
    Token.objects.all().delete()
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


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic {}", "Bearer {} {}", "{}", "Bearer {}\xe9", "Bearer " + "a" * 10_000],
)
def test_what_is_no_bearer_token_is_nobody(client_of_user, token, header):
    assert status(client_of_user) == 200
    client_of_user.credentials(HTTP_AUTHORIZATION=header.format(token, token))
    answer = client_of_user.get("/api/v1/accounts")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_token_counts_at_once_even_when_cached(client_of_user, time_machine):
    assert status(client_of_user) == 200
    time_machine.move_to(timezone.now() + timedelta(hours=1, seconds=1))
    assert status(client_of_user) == 401


def test_a_changed_group_counts_when_the_cache_has_forgotten_it(client_of_user, user):
    body = {"user": str(user.id), "currency": "EUR"}
    assert client_of_user.post("/api/v1/accounts", body).status_code == 201
    user.groups.set(Group.objects.filter(name="api-read"))
    known_tokens.clear()
    assert client_of_user.post("/api/v1/accounts", body).status_code == 403


def test_tokens_are_stored_hashed(token):
    [stored] = Token.objects.all()
    assert token not in (stored.digest, stored.token_key)
    assert len(stored.digest) == 128
