"""Tokens: looked up once in five seconds, and never trusted longer."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.utils import timezone
from knox.models import AuthToken

from tests.cast import UserFactory
from tests.conftest import make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def client_of_user(user):
    return make_client("api-post", user=user)


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
        AuthToken.objects.all().delete()
    else:
        type(user).objects.filter(id=user.id).update(is_active=False)
    cache.clear()
    assert status(client_of_user) == 401


def test_what_is_cached_is_forgotten_after_seconds(client_of_user, settings, monkeypatch):
    kept = []
    monkeypatch.setattr(cache, "set", lambda key, value, timeout: kept.append(timeout))
    assert status(client_of_user) == 200
    assert kept == [settings.TOKEN_CACHE_SECONDS] == [5]


def test_an_expired_token_counts_at_once_even_when_cached(client_of_user, time_machine):
    assert status(client_of_user) == 200
    time_machine.move_to(timezone.now() + timedelta(hours=1, seconds=1))
    assert status(client_of_user) == 401


def test_a_changed_group_counts_when_the_cache_has_forgotten_it(client_of_user, user):
    body = {"user": str(user.id), "currency": "EUR"}
    assert client_of_user.post("/api/v1/accounts", body).status_code == 201
    user.groups.set(Group.objects.filter(name="api-read"))
    cache.clear()
    assert client_of_user.post("/api/v1/accounts", body).status_code == 403


def test_tokens_are_stored_hashed(client_of_user):
    header = client_of_user._credentials["HTTP_AUTHORIZATION"]
    token = header.removeprefix("Bearer ")
    [stored] = AuthToken.objects.all()
    assert token not in (stored.digest, stored.token_key)
    assert len(stored.digest) == 128


def test_a_session_of_the_back_office_is_no_way_into_the_api(client, user):
    client.force_login(user)
    assert client.get("/api/v1/accounts").status_code == 401
