"""Health, metrics, logs and the back office."""

import json
import re
from concurrent.futures import Future
from datetime import datetime

import pytest
import structlog
from django.conf import settings
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, RequestFactory, override_settings

from accounts.models import User
from events.models import NIL
from ledger import traces
from ledger_project import health
from rest import log, middleware
from rest.answers import Answer
from rest.middleware import RequestMiddleware
from tests.cast import deposit, new_id, withdraw
from tests.scraping import scrape_relay
from transactions import reading

pytestmark = pytest.mark.django_db


def read_metric(name):
    text = Client().get("/metrics").content.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, flags=re.M)
    return float(found[1]) if found else 0.0


def test_the_process_lives_and_is_ready(client):
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_without_its_database_the_process_lives_but_is_not_ready(client, monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", refuse)
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 503


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_has_ended_is_made_anew_before_the_request(service, account):
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
        assert cursor.fetchone() == (True,)
    other.close()
    assert service.get(f"/api/v1/accounts/{account.id}/balance").status_code == 200


def test_without_its_migrations_the_process_is_not_ready(client, monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations)")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "migrations are missing")


def test_with_migrations_of_the_next_release_the_process_is_ready(client, monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)
    MigrationRecorder(connection).record_applied("transactions", "0999_of_the_next_release")
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_requests_and_postings_are_counted(service, account):
    requests = 'ledger_requests_total{method="GET",route="api/v1/accounts",status="200"}'
    posted = 'ledger_postings_total{outcome="posted",type="DEPOSIT"}'
    declined = 'ledger_postings_total{outcome="insufficient_funds",type="WITHDRAW"}'
    before = [read_metric(name) for name in (requests, posted, declined, "ledger_posting_seconds_count")]
    service.get("/api/v1/accounts")
    deposit(account, "10")
    withdraw(account, "50")
    after = [read_metric(name) for name in (requests, posted, declined, "ledger_posting_seconds_count")]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 1, 2]
    assert scrape_relay()['ledger_database_connections{state="active"}'] >= 1


def test_labels_are_not_the_callers(client):
    client.generic("BREW", "/api/v1/coffee")
    text = Client().get("/metrics").content.decode()
    assert "BREW" not in text
    assert "coffee" not in text


def test_every_answer_has_its_request_id_and_a_callers_own_is_kept(client):
    assert client.get("/livez", headers={"X-Request-Id": "trace-7"})["X-Request-Id"] == "trace-7"
    for forged in ('x"\nINFO forged', "a" * 65, ""):
        made = client.get("/api/v1/users", headers={"X-Request-Id": forged})["X-Request-Id"]
        assert re.fullmatch(r"[0-9a-f-]{36}", made)


def read_lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_request_is_one_log_line_without_token_or_query(service, capsys):
    answer = service.get("/api/v1/transactions?reference=secret", headers={"X-Request-Id": "trace-7"})
    [line] = read_lines(capsys)
    assert (line["event"], line["status"], line["request_id"]) == ("request_finished", 200, "trace-7")
    assert (line["method"], line["route"], line["level"]) == ("GET", "api/v1/transactions", "info")
    assert line["actor"] == str(User.objects.get(username__startswith="service").id)
    assert line["actor_kind"] == "service"
    assert line["bytes"] == len(answer.content)
    assert 0 < line["duration_ms"] < 60_000
    assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None
    assert "secret" not in json.dumps(line)


@pytest.mark.parametrize(
    ("path", "route", "shown"),
    [
        ("/admin/", "admin/", None),
        ("/api/v1/nothing", "none", None),
        ("/static/nothing.css", "none", None),
        (f"/api/v1/users/{NIL}", "api/v1/users/<id:pk>", f"/api/v1/users/{NIL}"),
        (
            f"/admin/accounts/user/{NIL}/change/",
            "admin/accounts/user/<path:object_id>/change/",
            f"/admin/accounts/user/{NIL}/change/",
        ),
        ("/admin/accounts/user/Ivan/change/", "admin/accounts/user/<path:object_id>/change/", None),
        ("/admin/Ivan", "admin/(?P<url>.*)$", None),
    ],
)
def test_every_request_is_one_log_line_whoever_answers_it(client, path, route, shown, capsys):
    answer = client.get(path)
    [line] = read_lines(capsys)
    assert (line["status"], line["method"], line["actor"]) == (answer.status_code, "GET", None)
    assert (line["route"], line["path"]) == (route, shown)
    assert line["bytes"] == len(answer.content)


@pytest.fixture
def at_level():
    """A handler of requests whose log has the lines of that level and above."""

    def make(level, status, **facts):
        def answer(request):
            response = Answer(b"{}", status)
            response.log_facts = facts
            return response

        with override_settings(LOG_LEVEL=level):
            return RequestMiddleware(answer)

    return make


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_probes_and_scrapes_are_lines_at_debug_only(at_level, path, capsys, monkeypatch):
    monkeypatch.setattr(middleware, "find_address", lambda path: None)  # this answers, whatever it finds
    for status in (200, 401, 503):
        at_level("INFO", status)(RequestFactory().get(path))
    assert read_lines(capsys) == []
    at_level("DEBUG", 503)(RequestFactory().get(path))
    assert [line["level"] for line in read_lines(capsys)] == ["debug"]
    at_level("INFO", 500)(RequestFactory().get(path))  # a fault of ours
    assert [line["level"] for line in read_lines(capsys)] == ["error"]


def test_who_met_a_lock_is_no_error_of_the_services(at_level, capsys):
    for status, code in ((503, "busy"), (503, "database_unavailable"), (500, "internal_error"), (404, "x")):
        at_level("WARNING", status, code=code)(RequestFactory().get("/somewhere"))
    lines = [(line["code"], line["level"]) for line in read_lines(capsys)]
    assert lines == [("busy", "warning"), ("database_unavailable", "error"), ("internal_error", "error")]
    at_level("ERROR", 503, code="busy")(RequestFactory().get("/somewhere"))
    assert read_lines(capsys) == []


def test_the_line_of_a_refusal_has_its_code(service, capsys):
    service.get("/api/v1/users?colour=red")
    [line] = read_lines(capsys)
    assert (line["status"], line["code"], line["level"]) == (400, "unknown_parameter", "info")


TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_sampled_trace_is_in_the_line_and_in_the_id_of_who_gives_none(service, account, capsys):
    body = {"account": str(account.id), "type": "DEPOSIT", "amount": "1", "id": str(new_id())}
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    row = service.post("/api/v1/transactions", body, headers=headers)
    assert row.json()["request_id"] == row["X-Request-Id"] == f"{TRACE}-{SPAN}"
    service.get("/api/v1/users", headers=headers | {"X-Request-Id": "mine"})
    lines = [(line["trace_id"], line["request_id"]) for line in read_lines(capsys)]
    assert lines == [(TRACE, f"{TRACE}-{SPAN}"), (TRACE, "mine")]


def test_a_trace_that_nobody_records_is_in_the_line_alone(service, capsys):
    answer = service.get("/api/v1/users", headers={"traceparent": f"00-{TRACE}-{SPAN}-00"})
    [line] = read_lines(capsys)
    assert line["trace_id"] == TRACE
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer["X-Request-Id"])


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f'00-{TRACE}-{SPAN}-01"}}',
    ],
)
def test_a_traceparent_that_is_none_is_passed_over(service, header, capsys):
    assert service.get("/api/v1/users", headers={"traceparent": header}).status_code == 200
    assert "trace_id" not in read_lines(capsys)[0]


def test_a_later_version_of_the_header_is_read_as_far_as_it_is_known():
    assert traces.read(f"01-{TRACE}-{SPAN}-03-more") == (TRACE, SPAN, True)


def test_a_log_line_can_neither_be_forged_nor_broken_by_a_path(client, capsys):
    client.get('/api/v1/users/%0A{"event":"forged"}%ED%A0%80')
    [line] = read_lines(capsys)
    assert line["event"] == "request_finished"


def test_the_row_knows_the_request_that_made_it_and_the_log_line_the_row(service, account, capsys):
    body = {"account": str(account.id), "type": "DEPOSIT", "amount": "1"}
    headers = {"Idempotency-Key": "k", "X-Request-Id": "trace-7"}
    row = service.post("/api/v1/transactions", body, headers=headers).json()
    assert row["request_id"] == "trace-7"
    [line] = read_lines(capsys)
    assert (line["transaction_id"], line["outcome"]) == (row["id"], "posted")


def test_a_line_in_between_has_the_requests_id_and_one_after_it_has_none(service, account, monkeypatch):
    logger, nothing = structlog.get_logger("test"), Future()
    nothing.set_result(None)

    def find_nothing(read, key):
        logger.info("in_between")
        return nothing

    monkeypatch.setattr(reading, "share", find_nothing)
    with structlog.testing.capture_logs(processors=[log.add_request]) as lines:
        service.get(f"/api/v1/accounts/{account.id}/balance", headers={"X-Request-Id": "trace-8"})
        logger.info("afterwards")
    assert [line.get("request_id") for line in lines] == ["trace-8", None]


def test_pages_outside_the_api_are_not_problems(client):
    assert client.get("/nowhere")["Content-Type"].startswith("text/html")
    assert client.get("/api/nowhere")["Content-Type"] == "application/problem+json"


def test_production_settings_pass_djangos_own_check():
    assert settings.DEBUG is False
    assert settings.SESSION_COOKIE_SECURE is settings.BEHIND_TLS
