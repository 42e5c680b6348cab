"""Clients that hold a server up, on purpose or not, and the well-behaved ones beside them."""

import http.client
import json
import re
import resource
import socket
import statistics
import threading
import time
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlencode

from tests.cast import new_id

TRANSACTIONS = "/api/v1/transactions"
CLIENTS = 16
SECONDS = 1.0  # of one measurement
ANSWER_SECONDS_MAX = 20
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
# Address, content type, and the most bytes: bodies that never come.
UNFINISHED = {
    "API bodies": (TRANSACTIONS, JSON, 60_000),
    "batches": ("/api/v1/batches", JSON, 1024 * 1024),
    "forms": ("/admin/login/", FORM, 1024 * 1024),
    "chunked bodies": (TRANSACTIONS, JSON, None),
}


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def make_head(method, path, *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


@contextmanager
def connections(port, number, start=b"", *, receive_bytes=None):
    """So many connections that have sent `start` and say nothing more.

    `receive_bytes` is how much the kernel takes for the client, which is a few MB otherwise.
    """
    made = []
    try:
        for _ in range(number):
            made.append(socket.socket())
            made[-1].settimeout(ANSWER_SECONDS_MAX)
            if receive_bytes:
                made[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            made[-1].connect(("127.0.0.1", port))
            made[-1].sendall(start)
        yield made
    finally:
        for each in made:
            each.close()


def unfinished(service, kind, number=64, length=None):
    path, content_type, most = UNFINISHED[kind]
    lines = [f"Content-Type: {content_type}", f"Authorization: Bearer {service.token}"]
    lines.append(f"Content-Length: {length or most}" if most else "Transfer-Encoding: chunked")
    part = b'{"id": "' if most else b'5\r\n{"id"\r\n'
    return connections(service.port, number, make_head("POST", path, *lines) + part)


@contextmanager
def in_threads(number, work):
    """`work` again and again in so many threads, until the block is left. What it raises fails the test."""
    ended, failures = threading.Event(), []

    def run():
        try:
            while not ended.is_set():
                work()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert not failures, failures


def connect(service):
    return http.client.HTTPConnection("127.0.0.1", service.port, timeout=ANSWER_SECONDS_MAX)


def log_in_wrongly(service):
    """One wrong password, of a name that nobody has: it is hashed all the same, unless too many wait."""
    _, page, headers = service.send("GET", "/admin/login/")
    cookie = headers["Set-Cookie"].partition(";")[0]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
    form = {"csrfmiddlewaretoken": token, "username": str(new_id()), "password": "wrong"}
    with closing(connect(service)) as connection:
        connection.request("POST", "/admin/login/", urlencode(form), {"Content-Type": FORM, "Cookie": cookie})
        assert connection.getresponse().status in (200, 503)


@contextmanager
def slow_readers(service, path, number):
    """Connections that ask for a long answer and take 1 KB of it a second."""
    head = make_head("GET", path, f"Authorization: Bearer {service.token}")
    with connections(service.port, number, head, receive_bytes=4096) as readers:

        def read():
            time.sleep(1)
            for reader in readers:
                reader.setblocking(False)
                with suppress(BlockingIOError, ConnectionError):
                    reader.recv(1024)

        with in_threads(1, read):
            yield readers


class Bystanders:
    """Well-behaved clients, and somebody who asks whether the service lives."""

    def __init__(self, service, accounts):
        self.service, self.accounts = service, accounts

    def measure(self):
        """The median time of a POST, in seconds. None was refused, and the service lived."""
        times, refused = [], []
        until = time.monotonic() + SECONDS

        def post(account):
            connection = connect(self.service)
            headers = {"Authorization": f"Bearer {self.service.token}", "Content-Type": JSON}
            while time.monotonic() < until:
                order = {"id": str(new_id()), "account": account, "type": "DEPOSIT", "amount": "1.00"}
                started = time.monotonic()
                connection.request("POST", TRANSACTIONS, json.dumps(order), headers)
                answer = connection.getresponse()
                text = answer.read().decode()
                times.append(time.monotonic() - started)
                if answer.status != 201:
                    refused.append(text)
            connection.close()

        threads = [threading.Thread(target=post, args=(account,)) for account in self.accounts]
        for thread in threads:
            thread.start()
        self.require_life()
        for thread in threads:
            thread.join()
        assert not refused, refused[:3]
        assert len(times) >= CLIENTS
        return statistics.median(times)

    def require_life(self):
        started = time.monotonic()
        assert self.service.send("GET", "/livez")[0] == 200
        assert time.monotonic() - started < 1
