from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import Staff


class Command(BaseCommand):
    help = "Forget the authenticator app of a member of staff: they set up another one at their next login."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="their user name")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        if not Staff.objects.filter(username=name, is_staff=True).exists():
            raise CommandError(f"There is no member of staff {name}.")
        forgotten, _ = TOTPDevice.objects.filter(user__username=name).delete()
        self.stdout.write(f"{name} had {'an' if forgotten else 'no'} authenticator app.")
