"""A ledger in a world: served, and used over HTTP."""

import http.client
import json
import time
from contextlib import suppress
from typing import NamedTuple

import uuid_utils.compat

from tests.operations.world import World

SERVE = ". /etc/ledger/ledger_app.env\npython manage.py serve"
SECONDS_MAX = 30


class Made(NamedTuple):
    user: str
    id: str


class Ledger:
    """Its client follows the client's rule: what failed is sent again with the same id."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.admin = self.issue("admin", "api-admin", "api-read", "api-post")

    def start(self) -> "Ledger":
        self.world.serve(SERVE)
        return self

    def issue(self, name: str, *groups: str) -> str:
        """A token of a service."""
        return self.world.shell(
            f"python manage.py issue_token {name} --group {' '.join(groups)}"
        ).splitlines()[-1]

    def make_account(self, name: str) -> Made:
        """A user with an empty account."""
        status, user = self.send("POST", "/api/v1/users", {"name": name, "external_id": name})
        assert status == 201, user
        status, found = self.send("GET", f"/api/v1/accounts?user={user['id']}")
        return Made(user["id"], found["results"][0]["id"])

    def deposit(self, account: Made, *, id: str = "") -> str:
        """1.00; its id. Whether it is new or was there already is the same."""
        body = {
            "id": id or str(uuid_utils.compat.uuid7()),
            "account": account.id,
            "type": "DEPOSIT",
            "amount": "1.00",
        }
        deadline = time.monotonic() + SECONDS_MAX
        while (answer := self.try_to_send("POST", "/api/v1/transactions", body))[0] not in (200, 201):
            assert answer[0] in (0, 503), answer
            assert time.monotonic() < deadline, answer
            time.sleep(0.1)
        return str(body["id"])

    def try_to_send(self, *arguments: object, **options: str) -> tuple[int, dict]:
        with suppress(OSError, http.client.HTTPException):
            return self.send(*arguments, **options)
        return 0, {}

    def send(self, method: str, path: str, body: object = None, *, token: str = "") -> tuple[int, dict]:
        """One request, and its answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.world.http_port, timeout=20)
        try:
            headers = {"Authorization": f"Bearer {token or self.admin}"}
            headers |= {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        finally:
            connection.close()
