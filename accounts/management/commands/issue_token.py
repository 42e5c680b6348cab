from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import tokens
from accounts.currencies import AMOUNT_MAX, DECIMALS_MAX
from accounts.models import NAME_LENGTH_MAX
from ledger.callers import ActorKind, Bounds, Caller
from ledger.text import Rule, find_fault


class Command(BaseCommand):
    help = "Issue an API token for a service, or for an account holder by id; the token alone goes to stdout."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user name; a service of that name is made if there is none")
        several: dict[str, Any] = {"nargs": "+", "default": [], "action": "extend"}
        parser.add_argument(
            "--group",
            **several,
            help="groups to put the user into, whose permissions the token has, e.g. api-post; of others that"
            " the user is in, it has none",
        )
        parser.add_argument(
            "--permission",
            **several,
            help="single permissions that the user has, e.g. transactions.add_transaction",
        )
        parser.add_argument(
            "--account-name", **several, help="bind it to accounts of these names, e.g. main (default: all)"
        )
        parser.add_argument(
            "--type", **several, help="bind it to DEPOSIT or WITHDRAW, and what comes to it (default: both)"
        )
        parser.add_argument("--amount-max", help="bind it to amounts up to this one, in any currency")
        parser.add_argument("--days", type=int, default=90, help="days until the token expires (default: 90)")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        bounds = Bounds(
            frozenset(options["account_name"]) or None,
            frozenset(options["type"]) or None,
            read_amount(options["amount_max"]),
        )
        if fault := find_fault(name, Rule.IDENTIFIER):
            raise CommandError(f"The name: {fault.detail}")
        try:
            token, _, is_new = tokens.issue(
                name=name,
                groups=options["group"],
                permissions=options["permission"],
                bounds=bounds,
                days=options["days"],
                caller=Caller(None, ActorKind.COMMAND),
            )
        except tokens.TokenError as error:
            raise CommandError(explain(error, name)) from None
        if is_new:
            self.stderr.write(f"Made the service user {name}.")
        self.stdout.write(token)


def read_amount(text: str | None) -> Decimal | None:
    """What is no number is refused by `tokens.issue`."""
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def explain(error: tokens.TokenError, name: str) -> str:
    names = ", ".join(error.args)
    match error:
        case tokens.DaysInvalid():
            return f"--days is from 1 to {tokens.DAYS_MAX}."
        case tokens.GroupsUnknown():
            known = ", ".join(Group.objects.order_by("name").values_list("name", flat=True))
            return f"There is no group {names}. There are: {known}."
        case tokens.PermissionsUnknown():
            return f"There is no permission {names}. A name is like transactions.add_transaction."
        case tokens.PermissionsBeyondUser():
            return f"{name} has no permission {names}: put it into a group that gives it."
        case tokens.AccountNamesInvalid():
            most = tokens.ACCOUNT_NAMES_MAX
            return f"--account-name takes {most} names at most, of 1 to {NAME_LENGTH_MAX} characters."
        case tokens.TypesInvalid():
            return f"--type is {' or '.join(sorted(tokens.TYPES))}."
        case tokens.AmountMaxInvalid():
            return f"--amount-max is more than 0, at most {AMOUNT_MAX}, with {DECIMALS_MAX} decimals at most."
    raise error
