"""What reaches the application of a request, and the client of its answer, through the server."""

import gzip
import json
import socket
from types import SimpleNamespace

import httpx2
import pytest

from ledger_project.database.embedded import EmbeddedPostgres
from tests.cast import new_id
from tests.raw_requests import Request, send_to_port
from tests.servers import query
from tests.service import Service

pytestmark = pytest.mark.serve

TRANSACTIONS, TRANSFERS = "/api/v1/transactions", "/api/v1/transfers"
JSON = ("Content-Type", "application/json")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("requests"), {"BEHIND_TLS": "true"}).start()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def petya(service):
    return service.insist("POST", "/api/v1/users", {"id": str(new_id()), "name": "petya"})[1]


@pytest.fixture
def order(petya):
    account = petya["accounts"][0]["id"]
    return {"id": str(new_id()), "account": account, "type": "DEPOSIT", "amount": "1.00"}


def ask(service, method, target, body=None, *headers, token=None):
    content = b"" if body is None else json.dumps(body).encode()
    bearer = ("Authorization", f"Bearer {token or service.token}")
    of_body = [] if body is None else [JSON]
    own = {name.lower() for name, _ in headers}
    defaults = [line for line in [("Host", "localhost"), bearer, *of_body] if line[0].lower() not in own]
    return send_to_port(service.port, Request(method, target, [*defaults, *headers], content))


def test_nothing_that_payments_and_hot_reads_need_is_asked_of_the_database_by_the_loop(service, petya, order):
    """Django would refuse that, and the answer be a 500."""
    account = order["account"]
    of_user = {name: value for name, value in order.items() if name != "account"} | {"id": str(new_id())}
    too_much = {**order, "id": str(new_id()), "type": "WITHDRAW", "amount": "1000"}
    past = {**too_much, "id": str(new_id()), "amount": "1", "effective_at": "2020-01-01T00:00:00Z"}
    transfer = {"id": str(new_id()), "source": account, "destination": account, "amount": "1"}
    for path, body, told in [
        (TRANSACTIONS, order, 201),
        (TRANSACTIONS, {**order, "amount": "2"}, "idempotency_key_reused"),
        (TRANSACTIONS, {**of_user, "user": petya["id"]}, 201),
        (TRANSACTIONS, {**of_user, "user": str(new_id())}, "not_found"),
        (TRANSACTIONS, too_much, "insufficient_funds"),
        (TRANSACTIONS, past, "insufficient_funds_at"),
        (TRANSFERS, transfer, "same_account"),
        (TRANSFERS, {**transfer, "source": str(new_id())}, "not_found"),
        (f"{TRANSACTIONS}?dry_run=true", {**of_user, "user": petya["id"]}, 200),
        (f"{TRANSACTIONS}?dry%5Frun=%74rue", {**past, "id": str(new_id())}, 200),  # in the lane of payments
        (f"{TRANSFERS}?%64ry_run=true", {**transfer, "id": str(new_id())}, "same_account"),
        (f"{TRANSACTIONS}?dry_run=no", order, "invalid_parameter"),
    ]:
        answer = ask(service, "POST", path, body)
        assert told == (answer.status if isinstance(told, int) else answer.code), (body, answer)
    assert ask(service, "POST", TRANSACTIONS, order).headers["idempotency-replayed"] == "true"
    balance, cookie = f"/api/v1/users/{petya['id']}/balance", ("Cookie", "sessionid=abc; csrftoken=def")
    reads = [
        ("HEAD", TRANSFERS, 405),
        ("GET", f"{TRANSACTIONS}/{new_id()}", "not_found"),
        ("GET", f"{TRANSACTIONS}/%00%2F%ff", "no_such_address"),
    ]
    for then in ("at=2020-01-01T00:00:00Z", "known_at=2999-01-01T00:00:00Z"):
        reads += [
            ("GET", f"{balance}?{then}", 200),
            ("GET", f"/api/v1/accounts/{account}/balance?{then}", 200),
            ("GET", f"/api/v1/accounts/{new_id()}/balance?{then}", "not_found"),
        ]
    for path in (f"{TRANSACTIONS}/{order['id']}", balance):
        assert ask(service, "GET", path, None, cookie).status == 200
        reads += [
            ("GET", path, 200),
            ("HEAD", path, 200),
            ("GET", f"{path}/", "no_such_address"),
            ("OPTIONS", path, "method_not_allowed"),
            ("DELETE", path, "method_not_allowed"),
            ("GET", path.replace("-", "_"), "no_such_address"),
        ]
    for method, path, told in reads:
        answer = ask(service, method, path)
        assert told == (answer.status if isinstance(told, int) else answer.code), (method, path, answer)
    assert "SynchronousOnlyOperation" not in service.output


def test_a_long_list_is_tried_out_in_the_lane_of_readers(service, petya, order):
    item = {**order, "command": "transaction", "reference": "x" * 50}
    commands = [{**item, "id": str(new_id())} for _ in range(400)]
    body = {"id": str(new_id()), "atomic": True, "commands": commands}
    assert len(json.dumps(body)) > 64 * 1024
    answer = ask(service, "POST", "/api/v1/batches?dry_run=true", body)
    assert (answer.status, len(answer.json()["results"])) == (200, 400)
    assert ask(service, "GET", f"/api/v1/batches/{body['id']}").status == 404
    alone = {**order, "id": str(new_id()), "reference": "x" * 70_000}
    for target in (TRANSACTIONS, f"{TRANSACTIONS}?dry_run=true"):
        assert ask(service, "POST", target, alone).code == "body_too_large"


def test_tokens_that_are_unknown_expired_or_not_ascii_are_none(service, order):
    def post(token):
        return ask(service, "POST", TRANSACTIONS, order, token=token).code

    assert post("a" * 64) == post("short") == post("b" * 300) == "token_invalid"
    assert post("\xe9") == "not_authenticated"
    token = service.issue_token("api-post")
    assert ask(service, "POST", TRANSACTIONS, order, token=token).status == 201
    postgres = EmbeddedPostgres(service.var / "postgres")
    guard, of = "token_keeps_what_it_may", f"WHERE token_key = '{token[:15]}'"
    for statement in (
        f"ALTER TABLE accounts_token DISABLE TRIGGER {guard}",
        f"UPDATE accounts_token SET expiry = now() - interval '1 s' {of}",
        f"ALTER TABLE accounts_token ENABLE ALWAYS TRIGGER {guard}",
    ):
        query(postgres, statement, dbname="ledger")
    service.restart_workers()  # who has taken it notes that it was used, and ends
    used = f"SELECT last_used_at IS NOT NULL FROM accounts_token {of}"
    assert query(postgres, used, dbname="ledger") == [(True,)]
    assert post(token) == "token_expired"
    assert "SynchronousOnlyOperation" not in service.output


def test_a_header_that_is_not_ascii_is_never_taken_for_none(service, order):
    keyed = {name: value for name, value in order.items() if name != "id"}
    strange = ("Idempotency-Key", "caf\xe9")
    assert ask(service, "POST", TRANSACTIONS, keyed, strange).code == "idempotency_key_invalid"
    assert ask(service, "POST", TRANSACTIONS, order, strange).code == "two_identities"
    assert ask(service, "GET", TRANSACTIONS, None, ("Host", "caf\xe9")).code == "host_not_allowed"
    assert ask(service, "POST", TRANSACTIONS, order, ("X-Anything", "caf\xe9")).status == 201


def test_an_underscore_is_no_hyphen(service, order):
    keyed = {name: value for name, value in order.items() if name != "id"}
    assert ask(service, "POST", TRANSACTIONS, keyed, ("Idempotency_Key", "k")).code == "identity_required"


def test_two_lines_of_a_key_are_none(service, order):
    keyed = {name: value for name, value in order.items() if name != "id"}
    lines = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    assert ask(service, "POST", TRANSACTIONS, keyed, *lines).code == "idempotency_key_invalid"
    assert ask(service, "POST", TRANSACTIONS, keyed, lines[0]).status == 201
    assert ask(service, "POST", TRANSACTIONS, keyed, ("Idempotency-Key", "a,a")).status == 201


def test_what_is_long_is_compressed_for_who_can_read_that(service, petya, order):
    accepted = ("Accept-Encoding", "gzip, br")
    for _ in range(3):
        assert ask(service, "POST", TRANSACTIONS, {**order, "id": str(new_id())}).status == 201
    statement = f"/api/v1/accounts/{order['account']}/statement?from=2020-01-01&to=2099-01-01"
    for target in (TRANSACTIONS, "/api/v1/events", statement, "/api/schema"):
        plain, packed = ask_raw(service, target), ask_raw(service, target, accepted)
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert "Accept-Encoding" in packed.headers["vary"]
        assert len(packed.content) < len(plain.content)
        assert gzip.decompress(packed.content)[:200] == plain.content[:200]  # cursors are new each time
    user = ask_raw(service, f"/api/v1/users/{petya['id']}", accepted)
    assert user.headers["etag"].startswith('"')  # a weak one would never match
    assert "content-encoding" not in user.headers


def ask_raw(service, target, *headers):
    bearer = ("Authorization", f"Bearer {service.token}")
    lines = dict((bearer, *headers))
    with (
        httpx2.Client() as client,
        client.stream(
            "GET",
            f"http://localhost:{service.port}{target}",
            headers={"Accept-Encoding": "identity", **lines},
        ) as answer,
    ):
        content = b"".join(answer.iter_raw())
        return SimpleNamespace(headers=answer.headers, content=content)


def test_two_lines_of_a_header_are_one_with_a_comma_and_cookies_one_with_a_semicolon(service):
    bearer = ("Authorization", f"Bearer {service.token}")
    assert ask(service, "GET", TRANSACTIONS, None, bearer, bearer).code == "token_invalid"
    login = ask(service, "GET", "/admin/login/")
    csrf = login.headers["set-cookie"].partition(";")[0]
    form = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", "a=b"), ("Cookie", csrf)]
    origin = [("X-Forwarded-Proto", "https"), ("Origin", "https://localhost")]
    token = csrf.partition("=")[2]
    body = f"csrfmiddlewaretoken={token}&username=x&password=y".encode()
    request = Request("POST", "/admin/login/", [("Host", "localhost"), *form, *origin], body)
    assert send_to_port(service.port, request).status == 200


def test_the_proxys_word_on_tls_arrives(service):
    plain = ask(service, "GET", TRANSACTIONS)
    over_tls = ask(service, "GET", TRANSACTIONS, None, ("X-Forwarded-Proto", "https"))
    assert "strict-transport-security" not in plain.headers
    assert "strict-transport-security" in over_tls.headers


def test_hosts_are_looked_at_whatever_their_form(service):
    for host in ("localhost:8080", "[::1]:8080", "127.0.0.1"):
        assert ask(service, "GET", TRANSACTIONS, None, ("Host", host)).status == 200
    assert ask(service, "GET", TRANSACTIONS, None, ("Host", "localhost"), ("Host", "localhost")).status == 400


@pytest.mark.parametrize("length", ["+5", "5,5", "0x5", "-1", "5 5", "1e2", "", "9" * 30])
def test_a_length_with_two_readings_is_refused_by_the_server(service, length):
    request = Request("POST", TRANSACTIONS, [("Host", "x"), JSON, ("Content-Length", length)], b"hello")
    assert send_to_port(service.port, request).status == 400


def test_a_body_that_nobody_asked_for_is_read_and_forgotten(service, order):
    assert ask(service, "POST", TRANSACTIONS, order).status == 201
    assert ask(service, "GET", f"{TRANSACTIONS}/{order['id']}", {"a": "b"}).status == 200


def test_who_waits_for_a_continue_gets_one(service, order):
    body = json.dumps(order).encode()
    lines = [
        f"POST {TRANSACTIONS} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {service.token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Expect: 100-continue",
    ]
    with socket.create_connection(("127.0.0.1", service.port), 10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(10_000).startswith(b"HTTP/1.1 201 ")


def test_pages_files_and_their_cookies_arrive_whole(service):
    css = ask(service, "GET", "/static/admin/css/base.css")
    assert (css.status, len(css.text.encode())) == (200, int(css.headers["content-length"]))
    part = ask(service, "GET", "/static/admin/css/base.css", None, ("Range", "bytes=0-9"))
    assert (part.status, part.text) == (206, css.text[:10])
    assert ask(service, "HEAD", "/static/admin/css/base.css").status == 200
    assert "csrftoken" in ask(service, "GET", "/admin/login/").headers["set-cookie"]
