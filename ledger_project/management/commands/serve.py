"""The whole service from one command: database, migrations, first credentials, server, relay."""

import os
import secrets
import signal
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connections

from accounts import tokens
from accounts.models import User
from ledger.callers import ActorKind, Caller
from ledger.logs import describe_error
from ledger_project import checks
from ledger_project.environment import describe_unwritable
from ledger_project.management.serving import ServingCommand
from ledger_project.secret_files import keep_last
from ledger_project.server.__main__ import become
from rest import log

TOKEN_FILE = settings.VAR / "api_token"
PASSWORD_FILE = settings.VAR / "admin_password"


class Command(ServingCommand):
    help = "Serve the API and the back office, with the embedded database unless DATABASE_URL is set."
    requires_system_checks = []  # `require_right` makes those that matter here

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8080)
        parser.add_argument("--workers", type=int, default=settings.WORKERS, help="processes (WORKERS, or 2)")
        parser.add_argument("--no-migrate", action="store_true", help="a job of its own does that")
        parser.add_argument("--no-relay", action="store_true", help="relay_events runs somewhere else")

    def handle(self, *args: Any, host: str, port: int, workers: int, **options: Any) -> None:
        """Check the settings, prepare everything, then become the process that watches over the service."""
        require_right(checks.find_errors(checks.OF_SETTINGS, Tags.compatibility))
        require_folder()
        require_free_port(host, port)
        database = settings.EMBEDDED_POSTGRES
        try:
            if database is not None:
                log.tell("database_starts", "Starting the embedded PostgreSQL ...")
                database.start()
                database.ensure_database(settings.DATABASES["default"]["NAME"])
            if not options["no_migrate"]:
                call_command("migrate", verbosity=0)
            require_right(checks.check_units())
            made = database is not None and make_credentials()
            connections.close_all()
        except BaseException as error:
            if database is not None:
                database.stop()
            if isinstance(error, OperationalError):
                raise CommandError(f"The database does not answer: {describe_error(error)}.") from None
            raise
        # A signal to stop that arrives meanwhile is heard afterwards.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        flags = ["--first-time"] if made else []
        flags += ["--no-relay"] if options["no_relay"] else []
        become(host, port, workers, flags)


def require_right(errors: Iterable[CheckMessage]) -> None:
    """Raises `CommandError` with a line for each error."""
    if wrong := checks.describe(errors):
        raise CommandError(wrong)


def require_folder() -> None:
    """Raises `CommandError` unless there is a folder that the service can write its files to."""
    try:
        settings.VAR.mkdir(parents=True, exist_ok=True)
        reason = None if os.access(settings.VAR, os.W_OK | os.X_OK) else "Permission denied"
    except OSError as error:
        reason = error.strerror
    if reason:
        raise CommandError(describe_unwritable("LEDGER_VAR", reason))


def require_free_port(host: str, port: int) -> None:
    """Raises `CommandError` when somebody else listens there, before anything is started."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}:{port} ({error.strerror}). Choose --port.") from None


def make_credentials() -> bool:
    """Make an administrator and an API token and keep their secrets in `var/`, unless that was done before.

    Returns whether they were made now.
    """
    if TOKEN_FILE.exists():
        return False
    password = secrets.token_urlsafe(18)
    if not User.objects.filter(username="admin").exists():
        User.objects.create_superuser(username="admin", password=password, name="Administrator")
        keep_last(PASSWORD_FILE, password + "\n")
    token, _user, _is_new = tokens.issue(
        name="first-service", groups=["api-admin"], days=365, caller=Caller(None, ActorKind.COMMAND)
    )
    keep_last(TOKEN_FILE, token + "\n")
    return True


def describe_service(port: int, *, with_secrets: bool) -> str:
    """What the operator reads once it is up: where everything is, and on the first run the secrets, which go
    to a terminal only: what else is written to is kept and read by others."""
    base = f"http://localhost:{port}"
    lines = ["", f"API docs     {base}/api/docs", f"Back office  {base}/admin/"]
    if with_secrets and not sys.stdout.isatty():
        lines += [f"{TOKEN_FILE.name} and {PASSWORD_FILE.name} of `admin` are in {settings.VAR}."]
    elif with_secrets:
        token = TOKEN_FILE.read_text().strip()
        lines += [
            f"             admin / {PASSWORD_FILE.read_text().strip()}",
            f"API token    {token}",
            "             Both are kept in var/, for your eyes only. The first call:",
            "",
            f"curl -s {base}/api/v1/users -H 'Authorization: Bearer {token}' \\",
            """  -H 'Content-Type: application/json' -d '{"name": "petya", "external_id": "petya-1"}'""",
            "",
            "Customers to look at, and what the examples of the API docs name, in another terminal:",
            "",
            ".venv/bin/python manage.py seed_demo --users 20 --transactions 2000",
        ]
    return "\n".join([*lines, "", "Ctrl-C stops everything.", ""])
