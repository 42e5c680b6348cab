from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from accounts.currencies import format_amount
from rest.fields import TimeField
from transactions.exchange import comparison
from transactions.exchange.comparison import Compared, Expected
from transactions.management import files
from transactions.management.files import FileBroken, Unfitting
from transactions.management.options import COULD_NOT_RUN, find_format, open_input, read_option

DIFFERENT = 1
SHOWN_MAX = 100


class Command(BaseCommand):
    help = (
        "Compare the balances of a file with the ledger's and show each that differs. "
        "Exit status: 0 all are equal, 1 some differ, 2 it could not be told."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        columns = ", ".join(files.BalanceLine._declared_fields)
        parser.add_argument("file", help=f"CSV with a header, or JSON lines, of {columns}; - is stdin")
        parser.add_argument("--format", choices=files.FORMATS, help="default: as the file's name ends")
        parser.add_argument("--at", help="compare the balances effective at this moment (default: now)")
        parser.add_argument(
            "--all", action="store_true", help="an account that is not in the file must be empty"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        format = find_format(options["file"], options["format"])
        at = read_option("--at", options["at"], TimeField())
        different = 0
        sums: dict[str, Sums] = {}
        with open_input(options["file"], format) as file:
            try:
                for each in comparison.compare(_read(file, format), at=at, all=options["all"]):
                    if each.currency:
                        sums.setdefault(each.currency, Sums()).add(each)
                    if not each.is_equal:
                        different += 1
                        if different <= SHOWN_MAX:
                            self.stdout.write(_describe(each))
            except (FileBroken, Unfitting) as error:
                problem = error.problem
                detail = f"line {problem.line}, {problem.field}: {problem.code}: {problem.detail}"
                raise CommandError(detail, returncode=COULD_NOT_RUN) from None
        totals = Table("currency", "accounts", "expected", "found")
        for currency, sides in sorted(sums.items()):
            balances = (format_amount(sides.expected, currency), format_amount(sides.found, currency))
            totals.add_row(currency, str(sides.accounts), *balances)
        Console().print(totals)
        if different:
            raise CommandError(f"{different} balances differ.", returncode=DIFFERENT)


@dataclass
class Sums:
    """What the two sides hold in one currency."""

    accounts: int = 0
    expected: Decimal = Decimal(0)
    found: Decimal = Decimal(0)

    def add(self, each: Compared) -> None:
        self.accounts += 1
        self.expected += each.expected or 0
        self.found += each.found or 0


def _read(file: TextIO, format: str) -> Iterator[Expected]:
    """Raises `Unfitting` at the first line that is malformed."""
    for line in files.read_lines(file, format=format, shape=files.BalanceLine):
        for problem in line.problems:
            raise Unfitting(problem)
        yield Expected(line.number, files.read_named(line), line.values["balance"])


def _describe(each: Compared) -> str:
    line = f"line {each.line}" if each.line else "no line"
    expected = "" if each.expected is None else f" {each.expected:f} expected,"
    found = each.refusal or f"{format_amount(each.found or Decimal(0), each.currency)} {each.currency} found."
    return f"{line}, {each.account}:{expected} {found}"
