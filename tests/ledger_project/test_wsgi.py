"""The application as a server calls it: what requests of the API are spared, and what they are not."""

import json
from io import BytesIO

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_finished, request_started
from django.db import connection
from django.test import Client

from ledger_project.wsgi import application
from rest.middleware import RequestMiddleware, drop_ended
from tests.cast import issue_token
from tests.raw_requests import Request, connection_kept, send

pytestmark = pytest.mark.django_db
ADDED = ("X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy", "X-Frame-Options")


def make_request(path, method="GET", **meta):
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
    }
    return WSGIRequest(environ | meta)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [("/api/v1/users", 401, "application/problem+json"), ("/api/v1/nothing", 404, "application/problem+json")]
    + [("/livez", 200, "application/json"), ("/admin/login/", 200, "text/html; charset=utf-8")],
)
def test_handle_answers_whoever_is_to_send_it(path, status, kind):
    with connection_kept():
        response = application.handle(make_request(path, HTTP_X_REQUEST_ID="trace-1"))
        response.close()
    assert (response.status_code, response["Content-Type"], response["X-Request-Id"]) == (
        status,
        kind,
        "trace-1",
    )
    assert response["Content-Length"] == str(len(response.content))


def test_an_answer_of_the_api_has_the_headers_that_every_page_has(client):
    page, answer = client.get("/livez"), client.get("/api/v1/users")
    for name in ADDED:
        assert answer[name] == page[name]


@pytest.mark.parametrize("path", ["/livez", "/api/v1/users"])
def test_over_tls_the_next_request_must_be_too(path, settings):
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_PRELOAD = 60, True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    client = Client()
    assert (
        client.get(path, HTTP_X_FORWARDED_PROTO="https")["Strict-Transport-Security"] == "max-age=60; preload"
    )
    assert "Strict-Transport-Security" not in client.get(path, HTTP_X_FORWARDED_PROTO="http")


@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/users"])
def test_another_host_is_refused_each_time(path, settings):
    client = Client()
    for host in ("localhost", "elsewhere.example", "localhost", "elsewhere.example", "a b"):
        assert client.get(path, HTTP_HOST=host).status_code in ({200, 401} if host == "localhost" else {400})
    settings.USE_X_FORWARDED_HOST = True
    client = Client()
    for _ in range(2):
        assert client.get(path, HTTP_HOST="localhost").status_code != 400
        assert (
            client.get(path, HTTP_HOST="localhost", HTTP_X_FORWARDED_HOST="elsewhere.example").status_code
            == 400
        )


def test_a_refused_host_is_a_problem(client):
    answer = client.get("/api/v1/users", HTTP_HOST="elsewhere.example")
    assert (answer["Content-Type"], answer.json()["code"]) == ("application/problem+json", "host_not_allowed")


def test_hosts_that_are_allowed_by_a_pattern_do_not_fill_memory(settings):
    settings.ALLOWED_HOSTS = [".example"]
    middleware = RequestMiddleware(None)
    for number in range(300):
        middleware(make_request("/api/v1/users", HTTP_HOST=f"a{number}.example"))
    assert len(middleware.hosts) == 100


def test_requests_of_the_api_send_no_signals_and_others_do():
    seen = []

    def see(signal, **kwargs):
        seen.append(signal)

    for signal in (request_started, request_finished):
        signal.connect(see)
    try:
        with connection_kept():
            send(application, Request("GET", "/api/v1/users", [("Host", "localhost")]))
            assert seen == []
            send(application, Request("GET", "/livez", [("Host", "localhost")]))
        assert seen == [request_started, request_finished]
    finally:
        for signal in (request_started, request_finished):
            signal.disconnect(see)


def test_head_is_answered_as_get_is():
    headers = [("Host", "localhost"), ("Authorization", f"Bearer {issue_token('api-read')}")]
    with connection_kept():
        got, headed = (
            send(application, Request(method, "/api/v1/users", headers)) for method in ("GET", "HEAD")
        )
    assert got.status == headed.status == 200
    assert got.headers["content-length"] == headed.headers["content-length"]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_too_old_is_closed_after_a_request_of_the_api(service):
    service.get("/api/v1/users")
    assert connection.connection is not None
    connection.close_at = 0
    service.get("/api/v1/users")
    assert connection.connection is None


def test_a_connection_in_a_transaction_is_left_alone(service):
    raw = connection.connection
    drop_ended(connection)
    service.get("/api/v1/users")
    assert connection.connection is raw


def test_what_nobody_expected_is_logged_with_its_request(monkeypatch, client, capsys):
    def fail(request):
        raise RuntimeError("unheard of")

    client.raise_request_exception = False
    monkeypatch.setattr(RequestMiddleware, "_answer", lambda self, request, match: fail(request))
    answer = client.get("/api/v1/users", HTTP_X_REQUEST_ID="trace-9")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "unheard of" not in answer.content.decode()
    assert not [line for line in capsys.readouterr().err.splitlines() if json.loads(line)["code"] == 200]
