"""The examples of nginx and HAProxy, in front of a ledger that is served: what passes and what does not."""

import json
import time
from contextlib import suppress

import pytest

from tests.deploy.proxies import HAProxy, Nginx
from tests.programs import require
from tests.service import Service, find_free_port

KINDS = {"haproxy": HAProxy, "nginx": Nginx}
# The same limits, so small that a test need not wait for them.
SMALL = {
    "haproxy": {"timeout http-request 10s": "timeout http-request 2s", "gt 100 }": "gt 3 }"},
    "nginx": {
        "client_body_timeout 10s": "client_body_timeout 2s",
        "limit_conn addresses 100": "limit_conn addresses 3",
    },
}
pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    var = tmp_path_factory.mktemp("var")
    var.parent.chmod(0o755)
    service = Service(var, {"BEHIND_TLS": "true", "METRICS_PUBLIC": "true"}).start()
    yield service
    service.stop()


@pytest.fixture(params=KINDS)
def make(request, tmp_path, service):
    """Starts the proxy; its second server is one that does not answer."""
    kind = KINDS[request.param]
    require(kind.command[0], request.param)
    made = []

    def make_proxy(*, small=False):
        changes = SMALL[request.param] if small else {}
        proxy = kind(tmp_path / "proxy", (service.port, find_free_port()), changes)
        made.append(proxy.start())
        return proxy

    yield make_proxy
    for proxy in made:
        proxy.stop()


def ask(proxy, method, path, body=None, **headers):
    connection = proxy.connect()
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def as_service(service):
    return {"Authorization": f"Bearer {service.token}", "Content-Type": "application/json"}


def test_requests_pass_though_one_of_two_servers_is_gone(make, service):
    proxy = make()
    for number in range(8):
        status, text = ask(
            proxy,
            "POST",
            "/api/v1/users",
            json.dumps({"name": "petya", "external_id": f"petya-{number}"}),
            **as_service(service),
        )
        assert status == 201, text
    long = json.dumps({"name": "petya", "metadata": {"text": "x" * 40_000}})
    status, text = ask(proxy, "POST", "/api/v1/users", long, **as_service(service))
    assert (status, b"/errors/" in text) == (
        400,
        True,
    )  # longer than one buffer, and passed


def test_the_ledger_knows_that_the_connection_is_over_tls(make):
    connection = make().connect()
    connection.request("GET", "/admin/login/")
    answer = connection.getresponse()
    assert answer.status == 200
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    connection.close()


def test_metrics_are_not_for_the_world(make, service):
    assert service.send("GET", "/metrics")[0] == 200
    assert ask(make(), "GET", "/metrics")[0] == 404


def test_a_body_that_is_too_long_never_reaches_the_ledger(make, service):
    with make().open_socket() as client:
        client.sendall(b"POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n")
        client.sendall(b"x" * 40_000)  # HAProxy looks when its buffer is full
        assert b" 413 " in client.recv(100)


def test_a_head_that_is_too_long_is_refused(make):
    with make().open_socket() as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n")
        assert b" 400 " in client.recv(100)


def test_a_body_that_stands_still_ends_at_the_proxy(make, service):
    before = count_requests(service)
    with make(small=True).open_socket() as client:
        began = time.monotonic()
        client.sendall(b"POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        answer = b""
        with suppress(ConnectionResetError):
            answer = client.recv(100)
        assert not answer or b" 408 " in answer
        assert time.monotonic() - began < 20
    assert count_requests(service) == before


def count_requests(service):
    return sum(
        '"path": "/api/v1/users"' in line or "/api/v1/users" in line for line in service.output.splitlines()
    )


# Python 3.11 leaves the socket of a connection open that is reset before its handshake.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_one_address_has_so_many_connections_and_no_more(make):
    proxy = make(small=True)
    held = [proxy.open_socket() for _ in range(3)]
    try:
        for each in held:
            each.sendall(b"POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.5)
        try:
            status, _ = ask(proxy, "GET", "/livez")
        except OSError:
            status = 429  # HAProxy ends the connection without a word
        assert status == 429
    finally:
        for each in held:
            each.close()
    time.sleep(0.5)
    assert ask(proxy, "GET", "/livez")[0] == 200
