from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from accounts.currencies import format_amount
from rest.times import TimeField
from transactions.exchange import comparison
from transactions.management import files
from transactions.management.options import (
    FOUND,
    StrictCommand,
    describe_file,
    failure,
    open_input,
)

SHOWN_MAX = 100


class Command(StrictCommand):
    help = (
        "Compare the balances of a file with the ledger's and show each that differs. "
        "Exit status: 0 all are equal, 1 some differ, 2 it could not be told."
    )

    arguments = {
        **describe_file(files.BalanceLine._declared_fields),
        "--at": {
            "field": TimeField(),
            "help": "compare the balances effective at this moment (default: now)",
        },
        "--all": {"action": "store_true", "help": "an account that is not in the file must be empty"},
    }

    def handle(self, *args: Any, **options: Any) -> None:
        different = 0
        totals: dict[str, tuple[int, Decimal, Decimal]] = {}  # by currency: accounts, expected and found
        with open_input(options["file"], options["format"]) as (file, format):
            try:
                for each in comparison.compare(
                    files.read_balances(file, format=format), at=options["at"], all=options["all"]
                ):
                    if each.currency:
                        count, expected, found = totals.get(each.currency, (0, Decimal(0), Decimal(0)))
                        totals[each.currency] = (
                            count + 1,
                            expected + (each.expected or 0),
                            found + (each.found or 0),
                        )
                    if each.expected != each.found:
                        different += 1
                        if different <= SHOWN_MAX:
                            self.stdout.write(_describe(each))
            except files.Unfitting as error:
                wrong = error.problem
                raise failure(f"line {wrong.line}, {wrong.field}: {wrong.code}: {wrong.detail}") from None
        table = Table("currency", "accounts", "expected", "found")
        for currency, (count, *sums) in sorted(totals.items()):
            table.add_row(currency, str(count), *(format_amount(each, currency) for each in sums))
        Console().print(table)
        if different:
            raise failure(f"{different} balances differ.", FOUND)


def _describe(each: comparison.Compared) -> str:
    line = f"line {each.line}" if each.line else "no line"
    expected = "" if each.expected is None else f" {each.expected:f} expected,"
    found = each.refusal or f"{format_amount(each.found or Decimal(0), each.currency)} {each.currency} found."
    return f"{line}, {each.account}:{expected} {found}"
