import sys
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connection

from ledger_project.auditing import FOUND
from ledger_project.database.addresses import as_maintenance
from ledger_project.database.locks import if_free
from transactions import audits
from transactions.management import options as options_of_audits

LOCK = 7_237_641_002  # the key of the advisory lock, which only says that somebody audits because it was due


class Command(BaseCommand):
    help = (
        "Run `audit_balances --since last` by AUDIT_DATABASE_URL, if the last audit of everything is older "
        "than AUDIT_EVERY_MINUTES and nobody else is running this command. The relay begins it. Exit status: "
        "0 clean or not due, 3 something was found, else it could not run."
    )

    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.AUDIT_EVERY_MINUTES:
            raise CommandError("AUDIT_EVERY_MINUTES is 0: no audit is ever due.", returncode=2)
        every = timedelta(minutes=settings.AUDIT_EVERY_MINUTES)
        with as_maintenance(connection), if_free(connection, LOCK) as is_free:
            if is_free and audits.is_due(every):
                # In this process: others would go by the service's address.
                try:
                    call_command("audit_balances", "--since", "last", "--json", "--workers", "1")
                except SystemExit as end:
                    sys.exit(FOUND if end.code == options_of_audits.FOUND else end.code)
