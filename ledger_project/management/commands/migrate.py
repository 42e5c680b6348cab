"""Django's `migrate`, one at a time, by the address that migrations have."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from ledger_project.database.addresses import as_owner
from ledger_project.database.locks import alone

LOCK = 7_237_641_001  # the key of the advisory lock, which only says that somebody migrates


class Command(migrate.Command):
    help = (
        f"{migrate.Command.help} Of several that begin at once one migrates, and the others wait. With "
        "MIGRATION_DATABASE_URL it goes by that address."
    )

    def execute(self, *args: Any, **options: Any) -> Any:
        """The checks look into the database too: at the first time the service's role is not there yet."""
        with as_owner(connections[options["database"]]):
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        with alone(connections[options["database"]], LOCK):
            super().handle(*args, **options)
