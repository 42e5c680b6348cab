from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import tokens
from ledger.callers import ActorKind, Caller
from ledger.text import Rule, find_fault


class Command(BaseCommand):
    help = "Issue an API token for a service, or for an account holder by id; the token alone goes to stdout."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user name; a service of that name is made if there is none")
        parser.add_argument(
            "--group", nargs="+", default=[], help="groups to put the user into, e.g. api-post"
        )
        parser.add_argument("--days", type=int, default=90, help="days until the token expires (default: 90)")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        if fault := find_fault(name, Rule.IDENTIFIER):
            raise CommandError(f"The name: {fault.detail}")
        try:
            token, _, is_new = tokens.issue(
                name=name,
                groups=options["group"],
                days=options["days"],
                caller=Caller(None, ActorKind.COMMAND),
            )
        except tokens.DaysInvalid:
            raise CommandError(f"--days is from 1 to {tokens.DAYS_MAX}.") from None
        except tokens.GroupsUnknown as error:
            known = ", ".join(Group.objects.order_by("name").values_list("name", flat=True))
            raise CommandError(f"There is no group {', '.join(error.args)}. There are: {known}.") from None
        if is_new:
            self.stderr.write(f"Made the service user {name}.")
        self.stdout.write(token)
