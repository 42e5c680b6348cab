from typing import Any

from rest.times import DateField
from transactions.exchange import exports
from transactions.management.options import StrictCommand, failure, open_output


class Command(StrictCommand):
    help = (
        "Write all posted transactions in hledger's journal format, so that another program can add them up: "
        "hledger -f FILE balance. It compares every balance after every transaction with its own."
    )

    arguments = {
        "--from": {
            "field": DateField(),
            "help": "the first day (UTC), inclusive; before it: opening balances",
        },
        "--to": {"field": DateField(), "help": "the last day (UTC), inclusive"},
        "--output": {"help": "the file to write (default: stdout)"},
    }

    def handle(self, *args: Any, **options: Any) -> None:
        first_day, last_day = options["from"], options["to"]
        if first_day and last_day and first_day > last_day:
            raise failure("The last day is before the first.")
        with open_output(options["output"]) as file:
            file.writelines(exports.write_journal(first_day=first_day, last_day=last_day))
