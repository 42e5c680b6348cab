"""The viewsets of the API are what DRF's documentation says."""

import gc
from datetime import UTC, datetime

import pytest
from django.test import RequestFactory
from rest_framework.exceptions import Throttled
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate
from rest_framework.throttling import BaseThrottle

from accounts.rest.views import UserViewSet
from ledger_project.wsgi import application
from rest.answers import Answer, Deprecation, answer
from rest.middleware import find_address
from rest.schema import AutoSchema
from rest.viewsets import ApiViewSet
from tests.cast import UserFactory, issue_token, new_id
from tests.office.staff import make_staff
from tests.raw_requests import Request, connection_kept, send

pytestmark = pytest.mark.django_db
make = APIRequestFactory()


class Echo(ApiViewSet):
    """Answers with what it was sent."""

    permission_classes = [AllowAny]
    authentication_classes = []

    def create(self, request, **kwargs):
        return Response(
            {"data": request.data, "query": request.query_params.dict(), "user": str(request.user), **kwargs}
        )

    def list(self, request):
        user = str(getattr(request.user, "pk", None))
        return answer({"user": user, "auth": request.auth, "action": self.action})

    def fail(self, request):
        raise Throttled


ACTIONS = {"get": "list", "post": "create", "put": "fail"}


def test_data_query_and_kwargs_are_there():
    request = make.post("/?a=1", {"b": ["1.5", None]}, format="json")
    response = Echo.as_view(ACTIONS)(request, pk="x").render()
    assert response.data == {
        "data": {"b": ["1.5", None]},
        "query": {"a": "1"},
        "user": "AnonymousUser",
        "pk": "x",
    }
    assert response["Content-Type"] == "application/json"


def test_what_is_deprecated_says_since_when_until_when_and_what_instead():
    since, until = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC)

    class Old(Echo):
        deprecations = {"list": Deprecation(since, until, "/api/v1/new")}

    told = Old.as_view(ACTIONS)(make.get("/")).headers
    assert told["Deprecation"] == "@1798761600"
    assert told["Sunset"] == "Thu, 01 Jul 2027 00:00:00 GMT"
    assert told["Link"] == '</api/v1/new>; rel="successor-version"'
    for others in (
        Old.as_view(ACTIONS)(make.post("/", {}, format="json")),
        Echo.as_view(ACTIONS)(make.get("/")),
    ):
        assert not {"Deprecation", "Sunset", "Link"} & set(others.headers)
    view = Old()
    view.action, view.action_map, schema = "list", {"get": "list"}, AutoSchema()
    schema.view = view
    assert schema.is_deprecated()
    view.action = "create"
    assert not schema.is_deprecated()


@pytest.mark.parametrize("kind", ["user", "nobody"])
def test_a_test_may_say_who_asks(kind):
    request = make.get("/", HTTP_X_REQUEST_ID="x")
    user = UserFactory() if kind == "user" else None
    force_authenticate(request, user=user, token="a token")
    response = Echo.as_view(ACTIONS)(request)
    assert (
        response.content == b'{"user":"%s","auth":"a token","action":"list"}' % str(user and user.pk).encode()
    )


def test_a_client_may_say_so_too_and_permissions_are_the_users_own():
    client = APIClient()
    client.force_authenticate(make_staff(superuser=True))
    assert client.post("/api/v1/users", {"id": str(new_id()), "name": "x"}, format="json").status_code == 201
    client.force_authenticate(UserFactory())
    assert client.post("/api/v1/users", {"id": str(new_id()), "name": "x"}, format="json").status_code == 403
    client.force_authenticate(None)
    assert client.get("/api/v1/users").status_code == 401


class Nobody(BasePermission):
    def has_permission(self, request, view):
        return False


class Never(BaseThrottle):
    def allow_request(self, request, view):
        return False


@pytest.mark.parametrize(
    ("options", "status"),
    [({}, 200), ({"permission_classes": [Nobody]}, 403), ({"throttle_classes": [Never]}, 400)],
)
def test_permissions_and_throttles_of_a_view_are_asked(options, status):
    request = make.get("/", HTTP_X_REQUEST_ID="x")
    assert Echo.as_view(ACTIONS, **options)(request).status_code == status


def test_a_refusal_goes_to_the_exception_handler():
    response = Echo.as_view(ACTIONS)(make.put("/", HTTP_X_REQUEST_ID="x"))
    assert (response.status_code, response.exception) == (400, True)


@pytest.mark.parametrize("method", ["get", "head", "post", "options", "delete", "trace"])
def test_allow_names_what_drf_says_it_does(method, client):
    view = UserViewSet(action_map={"get": "list", "post": "create", "head": "list"})
    view.get = view.post = view.head = view.list
    answered = getattr(client, method)("/api/v1/users")
    assert answered["Allow"] == "GET, HEAD, POST" == ", ".join(view.allowed_methods)


def test_an_answer_is_a_response_like_others():
    shown = Answer(b"{}", 201, {"Cache-Control": "no-store"})
    shown["X"] = "é".encode().decode("latin-1")
    shown.set_cookie("a", "b")
    assert (shown.status_code, shown.reason_phrase, shown.charset) == (201, "Created", "utf-8")
    assert (shown.content, shown.text, shown.json if hasattr(shown, "json") else None) == (b"{}", "{}", None)
    assert shown.headers["cache-control"] == "no-store"
    assert shown.cookies["a"].value == "b"
    assert b"Set-Cookie: a=b" in shown.serialize_headers() + str(shown.cookies).encode()
    shown.content = b"[]"
    assert b"".join(shown) == b"[]"
    shown.close()
    assert shown.closed


def test_a_request_leaves_nothing_to_the_collector(petya):
    token = issue_token("api-read")
    headers = [("Host", "localhost"), ("Authorization", f"Bearer {token}")]
    request = Request("GET", f"/api/v1/users/{petya.id}/balance", headers)
    with connection_kept():
        send(application, request)
        gc.collect()
        gc.disable()
        try:
            assert send(application, request).status == 200
            assert gc.collect() == 0
        finally:
            gc.enable()


def test_the_view_of_an_address_takes_djangos_own_requests(petya):
    match = find_address(f"/api/v1/users/{petya.id}")
    request = RequestFactory().get("/", HTTP_X_REQUEST_ID="x")
    assert match.func(request, **match.kwargs).status_code == 401
