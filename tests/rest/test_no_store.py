"""No cache keeps an answer of the API, whoever gives it. What shows no money may be kept."""

import pytest
from django.test import RequestFactory

from ledger_project.server.requests import Refusals
from rest.viewsets import ApiViewSet
from tests.cast import AccountFactory, deposit, new_id

pytestmark = pytest.mark.django_db


def is_not_kept(answer):
    return answer.headers.get("Cache-Control") == "no-store"


def test_answers_of_every_form_are_not_kept(service, reader):
    account = AccountFactory()
    row = deposit(account, "5")
    statement = f"/api/v1/accounts/{account.id}/statement?from=2020-01-01&to=2030-01-01"
    for address in (
        "/api/v1/users",
        f"/api/v1/transactions/{row.id}",
        f"/api/v1/accounts/{account.id}/balance",
        f"/api/v1/accounts/{account.id}/balance?at=2020-01-01",
        statement,
        "/api/v1/events",
    ):
        assert is_not_kept(reader.get(address)), address
        assert is_not_kept(reader.head(address)), address
    assert is_not_kept(reader.get(statement, headers={"Accept": "text/csv"}))
    made = service.post("/api/v1/users", {"id": str(new_id()), "name": "x"})
    assert (made.status_code, is_not_kept(made)) == (201, True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/users", 401),
        ("/api/v1/users/00000000-0000-4000-8000-000000000000", 401),
        ("/api/v1/nothing", 404),
        ("/api/v1/", 404),
        ("/api/nothing", 404),
    ],
)
def test_problems_are_not_kept(client, path, status):
    answer = client.get(path)
    assert (answer.status_code, is_not_kept(answer)) == (status, True)


def test_a_problem_before_there_is_a_view_is_not_kept(client):
    for path in ("/api/v1/users", "/api/v1/nothing"):
        answer = client.get(path, headers={"Host": "elsewhere.example"})
        assert (answer.status_code, is_not_kept(answer)) == (400, True), path


def test_a_fault_is_not_kept(service, monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError

    monkeypatch.setattr(ApiViewSet, "initial", fail)
    answer = service.get("/api/v1/users")
    assert (answer.status_code, is_not_kept(answer)) == (500, True)


def test_what_the_server_refuses_itself_is_not_kept():
    environ = RequestFactory().post("/api/v1/transactions", HTTP_HOST="localhost").environ
    answer = Refusals().make_answer(environ, "request_timeout", "The body did not arrive in time.")
    assert (answer.status_code, is_not_kept(answer)) == (408, True)


@pytest.mark.parametrize("path", ["/api/schema", "/api/docs"])
def test_what_shows_no_money_may_be_kept(client, path):
    assert "no-store" not in client.get(path).headers.get("Cache-Control", "")
