import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, ProgrammingError, connections

from ledger_project.database.addresses import as_owner
from ledger_project.database.check import find_differences
from ledger_project.database.rights import Undecided
from ledger_project.database.roles import Roles


class Command(BaseCommand):
    help = (
        "The roles of the database: its owner, the service, maintenance and auditors. Prints the statements "
        "that make them, for psql. To be run after every migrate, as a superuser or a member of the owner: "
        "by MIGRATION_DATABASE_URL, if that is set."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--apply", action="store_true", help="run the statements, in one transaction")
        action.add_argument(
            "--check", action="store_true", help="say what is not as it should be (exit status 1)"
        )
        parser.add_argument("--prefix", default="ledger", help="of the roles' names (default: ledger)")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner(connections[DEFAULT_DB_ALIAS]):
            self.work(options)

    def work(self, options: dict[str, Any]) -> None:
        try:
            roles = Roles(options["prefix"])
            if options["check"]:
                if differences := list(find_differences(roles)):
                    self.stdout.write("\n".join([*differences, "database_roles --apply puts it right."]))
                    sys.exit(1)
                self.stdout.write("The roles are as they should be.")
            elif options["apply"]:
                roles.apply()
                self.stdout.write(f"Made the roles {', '.join(roles.names.values())}; passwords are yours.")
            else:
                self.stdout.write(roles.write_script())
        except (Undecided, ValueError, ProgrammingError) as error:
            raise CommandError(str(error).strip()) from error
