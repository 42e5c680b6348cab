"""The whole service from one command: database, migrations, first credentials, server, relay."""

import contextlib
import ctypes
import io
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from accounts.models import User
from ledger_project.embedded_postgres import EmbeddedPostgresError
from ledger_project.secret_files import keep_last

WATCH_SECONDS = 0.5
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 20
TOKEN_DAYS = 365
PR_SET_PDEATHSIG = 1
TOKEN_FILE = settings.VAR / "api_token"
PASSWORD_FILE = settings.VAR / "admin_password"

Starts = dict[str, Callable[[], subprocess.Popen[bytes]]]  # by the name of what they start


class Command(BaseCommand):
    help = "Serve the API and the back office, with the embedded database unless DATABASE_URL is set."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8080)
        parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        require_free_port(host, port)
        self.stopping = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.stop)
        database = settings.EMBEDDED_POSTGRES
        starts: Starts = {
            "server": partial(start_server, host, port, options["workers"]),
            "relay": start_relay,
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        try:
            if database is not None:
                self.stdout.write("Starting the embedded PostgreSQL ...")
                database.start()
                database.ensure_database(settings.DATABASES["default"]["NAME"])
            call_command("migrate", verbosity=0)
            made = make_credentials() if database is not None else False
            connections.close_all()
            for name, start in starts.items():
                self.running[name] = start()
            self.wait_until_it_listens(self.running["server"], host, port)
            self.stdout.write(describe_service(port, with_secrets=made))
            self.watch(starts)
        finally:
            for process in self.running.values():
                process.terminate()
            for process in self.running.values():
                end_group(process)
            if database is not None:
                database.stop()
        self.stdout.write("Stopped.")

    def stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def wait_until_it_listens(self, server: subprocess.Popen[bytes], host: str, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.stopping:
            if server.poll() is not None or time.monotonic() > deadline:
                raise CommandError("The server did not start; its messages are above.")
            with socket.socket() as probe:
                if probe.connect_ex((host, port)) == 0:
                    return
            time.sleep(0.1)

    def watch(self, starts: Starts) -> None:
        """Until told to stop, bring back what has ended, as often as it takes: a full disk may become free.

        granian brings back its own workers, and ends when they die too soon after one another.
        """
        database = settings.EMBEDDED_POSTGRES
        while not self.stopping:
            try:
                for name, start in starts.items():
                    if self.running[name].poll() is not None:
                        self.stderr.write(f"The {name} has ended; starting it again ...")
                        end_group(self.running[name])
                        self.running[name] = start()
                if database is not None and not database.is_running():
                    self.stderr.write("The embedded PostgreSQL is gone; starting it again ...")
                    database.start()
            except (OSError, EmbeddedPostgresError) as error:
                self.stderr.write(str(error))
            time.sleep(WATCH_SECONDS)


def require_free_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}:{port} ({error.strerror}). Choose --port.") from None


def start_server(host: str, port: int, workers: int) -> subprocess.Popen[bytes]:
    metrics = settings.VAR / "metrics"  # one file per worker process; those of earlier runs do not count
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    command = [sys.executable, "-m", "ledger_project.server"]
    command += ["--host", host, "--port", str(port), "--workers", str(workers)]
    return start_process(command, PROMETHEUS_MULTIPROC_DIR=str(metrics), DATABASE_POOL="true")


def start_relay() -> subprocess.Popen[bytes]:
    return start_process([sys.executable, "manage.py", "relay_events"])


def start_process(command: list[str], **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env={**os.environ, **environment},
        preexec_fn=stop_with_parent if sys.platform == "linux" else None,
        start_new_session=True,
    )


def stop_with_parent() -> None:
    """Ask the kernel to end the process when `serve` is killed, so that nothing holds the port alone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process that was told to end, and end what it leaves behind."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS_MAX)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def make_credentials() -> bool:
    """An administrator and an API token, made once and kept in `var/`; whether that was now."""
    if TOKEN_FILE.exists():
        return False
    password = secrets.token_urlsafe(18)
    if not User.objects.filter(username="admin").exists():
        User.objects.create_superuser(username="admin", password=password, name="Administrator")
        keep_last(PASSWORD_FILE, password + "\n")
    token = io.StringIO()
    call_command(
        "issue_token",
        "first-service",
        group=["api-admin"],
        days=TOKEN_DAYS,
        stdout=token,
        stderr=io.StringIO(),
    )
    keep_last(TOKEN_FILE, token.getvalue().strip() + "\n")
    return True


def describe_service(port: int, *, with_secrets: bool) -> str:
    base = f"http://localhost:{port}"
    lines = ["", f"API docs     {base}/api/docs", f"Back office  {base}/admin/"]
    if with_secrets:
        token = TOKEN_FILE.read_text().strip()
        lines += [
            f"             admin / {PASSWORD_FILE.read_text().strip()}",
            f"API token    {token}",
            "             Both are kept in var/, for your eyes only. The first call:",
            "",
            f"curl -s {base}/api/v1/users -H 'Authorization: Bearer {token}' \\",
            """  -H 'Content-Type: application/json' -d '{"name": "petya", "external_id": "petya-1"}'""",
        ]
    return "\n".join([*lines, "", "Ctrl-C stops everything.", ""])
