"""The table of addresses says what Django's resolver would."""

import pytest
from django.urls import Resolver404, get_resolver, resolve

from rest import API
from rest.middleware import find_address
from tests.cast import new_id

ROUTES = [
    str(pattern.pattern) for pattern in get_resolver().url_patterns if f"/{pattern.pattern}".startswith(API)
]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("upper", [False, True])
def test_every_address_of_the_api_is_in_the_table(route, upper):
    id = str(new_id())
    path = "/" + route.replace("<id:pk>", id.upper() if upper else id)
    found, expected = (
        (match.func, match.kwargs, match.route, match.captured_kwargs)
        for match in (find_address(path), resolve(path))
    )
    assert found == expected


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v1/users/",
        "/api/v1/users/x",
        "/api/v1//users",
        "/api/v1/users/<id:pk>",
    ]
    + ["/api/v1/users/{id}/", "/api/v1/users/{id}/nothing", "/api/v1/users/{id}\n", "/api/v1/users/{id}0"]
    + ["/api/v1/batches/", "/api/v1/users/0{id}", "/api/v1/users/{id}/balance/{id}", "/livez/"]
    + ["/", "/api/v1/batches\n", "/api/v1/users\n", "/API/v1/users", "/api/v1/users/{id}//balance"]
    + ["/api/v1/users/٠1910000-0000-7000-8000-000000000001"],
)
def test_what_is_no_address_of_the_api_is_left_to_the_resolver(path, client):
    path = path.format(id=new_id()) if "{id}" in path else path
    assert find_address(path) is None
    if path.startswith(API):
        with pytest.raises(Resolver404):
            resolve(path)


def test_a_match_is_of_one_request():
    first, second = (find_address(f"{API}users/{new_id()}") for _ in range(2))
    assert first.kwargs != second.kwargs
    assert first.__dict__ is not second.__dict__
