"""`python manage.py db start|stop|status`: the embedded database."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger_project.database.embedded import EmbeddedPostgresError


class Command(BaseCommand):
    help = "Starts or stops the embedded database, or says whether it runs (exit status 0) or not (3)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status"])

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        postgres = settings.EMBEDDED_POSTGRES
        if postgres is None:
            raise CommandError("DATABASE_URL is set: the embedded database is not used.")
        try:
            if action == "start":
                postgres.start()
                postgres.ensure_database(settings.DATABASES["default"]["NAME"])
            elif action == "stop":
                postgres.stop()
            running = postgres.is_running()
        except EmbeddedPostgresError as error:
            raise CommandError(str(error)) from error
        where = f"running, socket in {postgres.socket_folder}" if running else "not running"
        self.stdout.write(f"The embedded database is {where}.")
        if action == "status" and not running:
            sys.exit(3)  # as the Linux Standard Base has it for `status`
