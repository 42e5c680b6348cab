from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from rest.fields import DateField
from transactions.exchange import exports
from transactions.management.options import COULD_NOT_RUN, open_output, read_option


class Command(BaseCommand):
    help = (
        "Write all posted transactions in hledger's journal format, so that another program can add them up: "
        "hledger -f FILE balance. It compares every balance after every transaction with its own."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", help="the first day (UTC), inclusive; before it: opening balances")
        parser.add_argument("--to", help="the last day (UTC), inclusive")
        parser.add_argument("--output", help="the file to write (default: stdout)")

    def handle(self, *args: Any, **options: Any) -> None:
        first_day = read_option("--from", options["from"], DateField())
        last_day = read_option("--to", options["to"], DateField())
        if first_day and last_day and first_day > last_day:
            raise CommandError("The last day is before the first.", returncode=COULD_NOT_RUN)
        with open_output(options["output"]) as file:
            file.writelines(exports.write_journal(first_day=first_day, last_day=last_day))
