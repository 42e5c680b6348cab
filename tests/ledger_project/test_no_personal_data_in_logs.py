"""No line of a log holds personal data: neither the service's, at any level, nor that of its PostgreSQL.

Everything that can be asked is asked with marked words: what is created, searched, refused, what breaks.
"""

import json
import logging
import re
import subprocess
import sys
from contextlib import suppress
from urllib.parse import quote

import httpx2
import psycopg
import pytest
import structlog

from accounts.models import User
from ledger_project.database.embedded import EmbeddedPostgres
from rest import log
from tests.cast import new_id
from tests.servers import PROJECT
from tests.service import Service

pytestmark = pytest.mark.drill

MARK = "Konstantinovskaya"  # in everything that is personal
NAME, HANDLE, MAIL = f"Anna {MARK}", f"crm-{MARK}", f"anna@{MARK}.example"


class Caller:
    """Sends requests with the token, or as somebody in the office with cookies."""

    def __init__(self, service):
        self.service = service
        root = f"http://127.0.0.1:{service.port}"
        self.client = httpx2.Client(
            base_url=root, follow_redirects=True, headers={"Referer": root}, timeout=20, trust_env=False
        )

    def api(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.service.token}"}
        answer = self.client.request(method, f"/api/v1/{path}", json=body, headers=headers)
        return answer.status_code, answer.text

    def page(self, path, **form):
        answer = self.client.get(path)
        if form:
            found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', answer.text)
            answer = self.client.post(path, data={**form, "csrfmiddlewaretoken": found and found[1]})
        return answer.status_code, answer.text


@pytest.fixture(scope="module", params=["INFO", "DEBUG"])
def service(request, tmp_path_factory):
    environment = {"LOG_LEVEL": request.param, "SECOND_FACTOR": "false", "WEBHOOK_LOOPBACK": "true"}
    service = Service(tmp_path_factory.mktemp("logs") / "var", environment).start()
    yield service
    service.stop()


def ask_the_api(caller):
    body = {"id": str(new_id()), "name": NAME, "external_id": HANDLE, "metadata": {"mail": MAIL}}
    status, text = caller.api("POST", "users", body)
    assert status == 201
    user = json.loads(text)
    account = user["accounts"][0]["id"]
    for method, path, sent in [
        ("POST", "users", body),
        ("POST", "users", {**body, "name": f"Olga {MARK}"}),
        ("POST", "users", {**body, "id": str(new_id())}),
        ("POST", "users", {**body, "external_id": f"{MARK}\x00"}),
        ("POST", "users", {**body, "metadata": [MARK]}),
        ("POST", "users", {"name": NAME, MARK: MARK}),
        ("PATCH", f"users/{user['id']}", {"name": f"Anna {MARK}-Smirnova"}),
        ("GET", f"users?external_id={HANDLE}", None),
        ("GET", f"users?name={quote(NAME)}", None),
        ("GET", f"users?{MARK}={MARK}", None),
        ("GET", f"users/{quote(MAIL)}", None),
        ("GET", f"{MARK}", None),
        ("GET", f"events?types={MARK}", None),
        ("GET", f"transactions?reference={MARK}", None),
        ("POST", f"accounts/{account}/freeze", {"reason": f"{NAME} has lost her card"}),
        ("PATCH", f"accounts/{account}", {"metadata": {"mail": MAIL}}),
        ("POST", "accounts", {"user": user["id"], "currency": "EUR", "name": NAME}),
        ("POST", "holds", {"account": account, "amount": MARK, "reference": MARK}),
        ("POST", "subscriptions", {"kind": "webhook", "url": f"http://127.0.0.1:9/{MARK}"}),
        (f"{MARK.upper()}", "users", None),
    ]:
        assert caller.api(method, path, sent)[0] < 500
    return user


def ask_the_office(caller, user):
    password = (caller.service.var / "admin_password").read_text().strip()
    assert "username" in caller.page("/admin/login/")[1]
    for name, word in ((MAIL, NAME), ("admin", MARK), ("admin", password)):
        caller.page("/admin/login/", username=name, password=word, next="/admin/")
    assert caller.page("/admin/accounts/user/")[0] == 200
    assert NAME in caller.page(f"/admin/accounts/user/?q={quote(NAME)}")[1]
    for path in (
        f"/admin/find/?q={quote(NAME)}",
        f"/admin/accounts/account/?q={quote(NAME)}",
        f"/admin/transactions/transaction/?q={MARK}",
        f"/admin/events/recordentry/?q={MARK}",
        f"/admin/accounts/user/{quote(MAIL)}/change/",
        f"/admin/{MARK}",
        f"/{MARK}",
        f"/admin/accounts/user/?{MARK}={MARK}",
    ):
        assert caller.page(path)[0] < 500
    account = user["accounts"][0]["id"]
    forms = {"reason": f"{NAME} has found it"}
    assert caller.page(f"/admin/accounts/account/{account}/unfreeze/", **forms)[0] == 200
    assert caller.page(f"/admin/accounts/user/{user['id']}/forget/", reason=f"a letter of {NAME}")[0] == 200


def run_command(service, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=service.make_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_that_was_marked_is_in_a_log(service):
    caller = Caller(service)
    with caller.client:
        user = ask_the_api(caller)
        ask_the_office(caller, user)
    for arguments in (
        ("issue_token", NAME),
        ("export_person", user["id"], "--output", str(service.var / "person.json")),
        ("erase_person", user["id"], "--list"),
    ):
        assert run_command(service, *arguments).returncode == 0
    postgres = EmbeddedPostgres(service.var / "postgres")
    break_statements(postgres)
    logs = service.output + postgres.log_file.read_text()
    assert service.output.count("request_finished") > 30
    assert [line for line in logs.splitlines() if MARK.lower() in line.lower()] == []


def break_statements(postgres):
    """What a row or a value makes the database refuse is not in its log."""
    with psycopg.connect(
        host=str(postgres.socket_folder), user="postgres", dbname="ledger", autocommit=True
    ) as connection:
        for statement, values in (
            ("SELECT %s::uuid", [NAME]),
            (
                "INSERT INTO accounts_user SELECT (jsonb_populate_record(u, jsonb_build_object("
                "'id', gen_random_uuid(), 'username', %s))).* FROM accounts_user AS u WHERE external_id = %s",
                [MAIL, HANDLE],
            ),
            ("SELECT pg_sleep(0.3), %s::text", [NAME]),
            (f"SELECT '{MARK}' FROM {MARK}", []),
            ("UPDATE accounts_user SET name = %s", [NAME]),
        ):
            with suppress(psycopg.Error):
                connection.execute(statement, values)


class TestErrors:
    """What a line says of an error, which itself may quote anything."""

    def describe(self, error):
        return log.write_traceback(None, "error", {"event": "x", "exc_info": error})

    def fail(self, make):
        try:
            make()
        except Exception as error:
            return self.describe(error)

    def test_it_says_where_it_was_and_of_what_kind_and_not_its_message(self):
        def make():
            try:
                int(MARK)
            except ValueError as error:
                raise KeyError(MAIL) from error

        told = self.fail(make)["exception"]
        assert "in make" in told
        assert "ValueError" in told.splitlines()[told.splitlines().index("ValueError")]
        assert told.endswith("KeyError")
        assert MARK not in told

    @pytest.mark.django_db
    def test_of_the_database_it_says_the_code_and_the_names(self, petya):
        told = self.fail(lambda: User.objects.create(username=str(petya.id), name=NAME))["exception"]
        assert "23505 accounts_user accounts_user_username_key" in told
        assert str(petya.id) not in told
        assert MARK not in told

    def test_a_line_of_whatever_library_has_no_message_of_an_error(self, capfd):
        handler = logging.StreamHandler()
        handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=log.PROCESSORS,
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(),
                ],
            )
        )
        logger = logging.getLogger("of a library")
        logger.addHandler(handler)
        try:
            int(MARK)
        except ValueError:
            logger.exception("it broke")
        logger.removeHandler(handler)
        written = capfd.readouterr().err
        assert "it broke" in written
        assert "ValueError" in written
        assert MARK not in written
