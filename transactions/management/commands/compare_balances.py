from datetime import UTC
from decimal import Decimal
from typing import Any

from rest_framework.exceptions import ValidationError
from rich.console import Console
from rich.table import Table

from accounts.currencies import format_amount
from rest.fields import list_details
from rest.times import TimeZoneField, parse_time
from transactions.exchange import comparison
from transactions.management import files
from transactions.management.options import (
    FOUND,
    StrictCommand,
    describe_file,
    failure,
    open_input,
    read_fixed,
)

SHOWN_MAX = 100


class Command(StrictCommand):
    help = (
        "Compare the balances of a file with the ledger's and show each that differs. "
        "Exit status: 0 all are equal, 1 some differ, 2 it could not be told."
    )

    arguments = {
        **describe_file(files.BalanceLine._declared_fields),
        "--at": {"help": "compare the balances effective at this moment (default: now)"},
        "--tz": {
            "field": TimeZoneField(),
            "help": "the zone of --at, if it is a day or a time without an offset (default: UTC)",
        },
        "--all": {"action": "store_true", "help": "an account that is not in the file must be empty"},
    }

    def handle(self, *args: Any, **options: Any) -> None:
        lines = different = 0
        totals: dict[str, tuple[int, Decimal, Decimal]] = {}  # by currency: accounts, expected and found
        try:
            at = options["at"] and parse_time(options["at"], options["tz"] or UTC)
        except ValidationError as error:
            raise failure(f"--at: {list_details(error)[0]}") from None
        fixed = read_fixed(options, files.BalanceLine._declared_fields)
        with open_input(options) as (file, form):
            expected = files.read_balances(file, form, fixed=fixed)
            try:
                for each in comparison.compare(expected, at=at, all=options["all"]):
                    lines += each.line is not None
                    if each.currency:
                        count, *sums = totals.get(each.currency, (0, Decimal(0), Decimal(0)))
                        totals[each.currency] = (
                            count + 1,
                            sums[0] + (each.expected or 0),
                            sums[1] + (each.found or 0),
                        )
                    if each.expected != each.found:
                        different += 1
                        if different <= SHOWN_MAX:
                            self.stdout.write(_describe(each))
            except files.Unfitting as error:
                wrong = error.problem
                field = f", {wrong.field}" if wrong.field else ""
                raise failure(f"line {wrong.line}{field}: {wrong.code}: {wrong.detail}") from None
        if not lines and not options["allow_empty"]:
            raise failure("The file has no rows: nothing is compared. If that is right, say --allow-empty.")
        table = Table("currency", "accounts", "expected", "found")
        for currency, (count, *sums) in sorted(totals.items()):
            table.add_row(currency, str(count), *(format_amount(each, currency) for each in sums))
        Console().print(table, f"{lines} lines compared.")
        if different:
            raise failure(f"{different} balances differ.", FOUND)


def _describe(each: comparison.Compared) -> str:
    line = f"line {each.line}" if each.line else "no line"
    expected = "" if each.expected is None else f" {each.expected:f} expected,"
    found = each.refusal or f"{format_amount(each.found or Decimal(0), each.currency)} {each.currency} found."
    return f"{line}, {each.account}:{expected} {found}"
