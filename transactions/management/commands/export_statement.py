from argparse import ArgumentParser
from datetime import UTC
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.errors import AccountNotFound
from accounts.models import Account
from rest.fields import DateField, TimeZoneField, UUIDField
from transactions.exchange import exports
from transactions.management.options import COULD_NOT_RUN, open_output, read_option
from transactions.reading import statements


class Command(BaseCommand):
    help = "Write an account's statement over some days as CSV, as the API does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", required=True, help="the account's id")
        parser.add_argument("--from", required=True, help="the first day, inclusive")
        parser.add_argument("--to", required=True, help="the last day, inclusive")
        parser.add_argument("--tz", help="the zone of the days (default: UTC)")
        parser.add_argument("--output", help="the file to write (default: stdout)")

    def handle(self, *args: Any, **options: Any) -> None:
        account_id = read_option("--account", options["account"], UUIDField())
        first_day = read_option("--from", options["from"], DateField())
        last_day = read_option("--to", options["to"], DateField())
        zone = read_option("--tz", options["tz"], TimeZoneField()) or UTC
        if first_day > last_day:
            raise CommandError("The last day is before the first.", returncode=COULD_NOT_RUN)
        try:
            statement = statements.read_statement(
                Account.objects.filter(id=account_id), first_day=first_day, last_day=last_day, zone=zone
            )
        except AccountNotFound as error:
            raise CommandError(error.detail, returncode=COULD_NOT_RUN) from None
        with open_output(options["output"]) as file:
            file.writelines(exports.write_statement(statement))
