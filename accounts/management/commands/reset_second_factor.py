from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import staff
from accounts.models import Staff
from ledger.callers import ActorKind, Caller


class Command(BaseCommand):
    help = "Forget the authenticator app of a member of staff: they set up another one at their next login."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="their user name")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        member = Staff.objects.filter(username=name, is_staff=True).first()
        if member is None:
            raise CommandError(f"There is no member of staff {name}.")
        has_had = staff.reset_second_factor(id=member.pk, caller=Caller(None, ActorKind.COMMAND))
        self.stdout.write(f"{name} had {'an' if has_had else 'no'} authenticator app.")
