from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db.transaction import atomic
from knox.models import AuthToken

from accounts.models import User


class Command(BaseCommand):
    help = "Issue an API token for a service, or for an account holder by id; the token alone goes to stdout."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user name; a service of that name is made if there is none")
        parser.add_argument(
            "--group", nargs="+", default=[], help="groups to put the user into, e.g. api-post"
        )
        parser.add_argument("--days", type=int, default=90, help="days until the token expires (default: 90)")

    @atomic
    def handle(self, *args: Any, **options: Any) -> None:
        name, days = options["name"], options["days"]
        if not 1 <= days <= 3650:
            raise CommandError("--days is from 1 to 3650.")
        groups = Group.objects.filter(name__in=options["group"])
        if unknown := set(options["group"]) - {group.name for group in groups}:
            known = ", ".join(Group.objects.order_by("name").values_list("name", flat=True))
            raise CommandError(f"There is no group {', '.join(sorted(unknown))}. There are: {known}.")
        user = User.objects.filter(username=name).first()
        if user is None:
            user = User.objects.create_user(username=name, name=name)
            self.stderr.write(f"Made the service user {name}.")
        user.groups.add(*groups)
        _, token = AuthToken.objects.create(user=user, expiry=timedelta(days=days))
        self.stdout.write(token)
