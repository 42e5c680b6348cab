from typing import Any

from accounts.errors import AccountNotFound
from accounts.models import Account
from rest.fields import UUIDField
from rest.times import DateField, TimeZoneField
from transactions.exchange import exports
from transactions.management.options import StrictCommand, failure, open_output
from transactions.reading import statements


class Command(StrictCommand):
    help = "Write an account's statement over some days as CSV, as the API does."

    arguments = {
        "--account": {"required": True, "field": UUIDField(), "help": "the account's id"},
        "--from": {"required": True, "field": DateField(), "help": "the first day, inclusive"},
        "--to": {"required": True, "field": DateField(), "help": "the last day, inclusive"},
        "--tz": {"field": TimeZoneField(), "help": "the zone of the days (default: UTC)"},
        "--output": {"help": "the file to write (default: stdout)"},
    }

    def handle(self, *args: Any, **options: Any) -> None:
        if options["from"] > options["to"]:
            raise failure("The last day is before the first.")
        try:
            statement = statements.read_statement(
                Account.objects.filter(id=options["account"]),
                first_day=options["from"],
                last_day=options["to"],
                zone=options["tz"],
            )
        except AccountNotFound as error:
            raise failure(error.detail) from None
        with open_output(options["output"]) as file:
            file.writelines(exports.write_statement(statement))
