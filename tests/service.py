"""The whole service, as `manage.py serve` runs it, and a client that obeys the client's rule."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import uuid_utils.compat

from tests.servers import PROJECT, wait_for

START_SECONDS_MAX = 60
ANSWER_SECONDS_MAX = 40


class Service:
    """One `serve` in a folder of its own, with the embedded database; `environment` is added to its own.

    `project` is the checkout that is served, `options` are of the command.
    """

    def __init__(
        self,
        var: Path,
        environment: dict[str, str] | None = None,
        project: Path = PROJECT,
        options: Sequence[str] = (),
    ) -> None:
        self.var = var
        self.options = options
        self.project = project
        self.environment = environment or {}
        self.port = find_free_port()
        self.log = var / "serve.log"

    @property
    def output(self) -> str:
        """What the present run has printed."""
        return self.log.read_text()

    @property
    def token(self) -> str:
        """That of the first service, which may everything."""
        return (self.var / "api_token").read_text().strip()

    def make_environment(self) -> dict[str, str]:
        """That of its processes, and of commands that look after it."""
        own = {"DATABASE_URL", "SECRET_KEY", "CHAIN_KEY", "WEBHOOK_KEY", "ANCHOR_KEY", "SECOND_FACTOR_KEY"}
        environment = {k: v for k, v in os.environ.items() if k not in own}
        return environment | {"LEDGER_VAR": str(self.var), "PYTHONUNBUFFERED": "1", **self.environment}

    def start(self) -> "Service":
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.port), *self.options],
                cwd=self.project,
                env=self.make_environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        while not self.listens():
            assert self.process.poll() is None, self.output
            time.sleep(0.05)
        return self

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        status = self.process.wait(START_SECONDS_MAX)
        assert not self.listens(), "somebody still listens"
        return status

    def find_workers(self) -> list[psutil.Process]:
        """The processes that answer requests: the children of the server's own."""
        workers = self.find_child("server").children()
        assert workers
        return workers

    def find_relay(self) -> psutil.Process:
        return self.find_child("relay")

    def find_child(self, name: str) -> psutil.Process:
        """It may have ended a moment ago, and is started again."""

        found: list[psutil.Process] = []

        def is_there() -> bool:
            children = psutil.Process(self.process.pid).children()
            found[:] = [child for child in children if child.name() == name]
            return len(found) == 1

        wait_for(is_there)
        return found[0]

    def restart_workers(self) -> None:
        """One after the other, gracefully."""
        before = {worker.pid for worker in self.find_workers()}
        self.find_child("server").send_signal(signal.SIGHUP)
        wait_for(lambda: not before & {worker.pid for worker in self.find_workers()}, 30)

    def issue_token(self, group: str) -> str:
        """A token of a new service of that group."""
        command = [
            sys.executable,
            "manage.py",
            "issue_token",
            f"service-{uuid_utils.compat.uuid7()}",
            "--group",
            group,
        ]
        options = {"cwd": PROJECT, "env": self.make_environment(), "capture_output": True, "text": True}
        token: str = subprocess.run(command, check=True, **options).stdout.strip()
        return token

    def read_postmaster_pid(self) -> int:
        return int((self.var / "postgres/data/postmaster.pid").read_text().split()[0])

    def kill_postmaster(self) -> None:
        """The next one, if this one has been killed before and is not back yet: its file stays until then."""

        def is_killed() -> bool:
            with suppress(OSError, IndexError, ValueError):  # gone, or its file is being written
                pid = self.read_postmaster_pid()
                if not is_gone(pid):
                    os.kill(pid, signal.SIGKILL)
                    return True
            return False

        wait_for(is_killed, 60)

    def send(self, method, path, body=None, timeout=20, **headers):
        """One request; raises what the network raises."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
            connection.request(method, path, body and json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def insist(self, method, path, body=None):
        """The client's rule: the same request with the same id on network errors, 409 and 5xx."""
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while True:
            try:
                status, text, _ = self.send(method, path, body)
            except (OSError, http.client.HTTPException):
                status, text = 599, ""
            if status != 409 and status < 500:
                return status, json.loads(text)
            assert time.monotonic() < deadline, (status, text)
            time.sleep(0.05)


def is_gone(pid):
    """Whether the process has ended, if perhaps nobody has asked for its exit status yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
