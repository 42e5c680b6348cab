"""Demo data, posted through the engine like everything else."""

import random
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import uuid_utils.compat
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from accounts import currencies, operations
from accounts.errors import ExternalIdTaken, UserErased
from accounts.models import Account
from ledger.callers import ActorKind, Caller
from ledger_project.management.demo import make_examples
from transactions import posting
from transactions.models import Transaction
from transactions.posting.commands import NewTransaction

SLICE = 500
HISTORY = timedelta(days=90)
NAMES = ("Petya", "Masha", "Olga", "Ivan", "Anna", "Lev", "Vera", "Boris", "Nina", "Oleg")
CALLER = Caller(None, ActorKind.COMMAND, "seed_demo")


class Command(BaseCommand):
    help = (
        "Make users and a history of deposits and withdrawals, some late, some declined, and what the "
        "examples of the API docs name."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--users", type=int, default=100)
        parser.add_argument("--transactions", type=int, default=10_000)

    def handle(self, *args: Any, users: int, transactions: int, **options: Any) -> None:
        if users < 1 or transactions < 0:
            raise CommandError("--users is at least 1, --transactions at least 0.")
        try:
            make_examples(caller=CALLER)
        except (ExternalIdTaken, UserErased) as refused:
            self.stderr.write(f"What the examples of the API docs name was not made: {refused.detail}")
        outcomes: Counter[str] = Counter()
        with Progress(
            "{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        ) as progress:
            accounts = [create_user(number) for number in progress.track(range(users), description="Users")]
            task = progress.add_task("Transactions", total=transactions)
            orders = make_orders(accounts, transactions)
            caller = CALLER._replace(actor=accounts[0].user_id)
            while some := list(islice(orders, SLICE)):
                for result in posting.post(some, caller=caller):
                    row = result.transaction
                    outcomes[f"{row.type} {row.decline_reason or 'posted'}"] += 1
                progress.advance(task, len(some))
        table = Table("outcome", "transactions")
        for outcome, count in sorted(outcomes.items()):
            table.add_row(outcome, str(count))
        progress.console.print(table)


def create_user(number: int) -> Account:
    id, name = uuid_utils.compat.uuid7(), f"{NAMES[number % len(NAMES)]} {number}"
    user, _ = operations.create_user(id=id, name=name, caller=CALLER)
    return user.accounts.get()


def make_orders(accounts: list[Account], count: int) -> Iterator[NewTransaction]:
    """Orders over the last three months, in time's order but for some that come late."""
    unit = Decimal(1).scaleb(-currencies.get_decimals(accounts[0].currency))
    start = timezone.now() - HISTORY
    for number in range(count):
        jitter = timedelta(days=random.choice((0, 0, 0, 0, 0, 0, 0, 0, 0, -3)))  # noqa: S311
        deposit = random.random() < 0.55  # noqa: S311
        yield NewTransaction(
            id=uuid_utils.compat.uuid7(),
            account_id=random.choice(accounts).id,  # noqa: S311
            type=Transaction.Type.DEPOSIT if deposit else Transaction.Type.WITHDRAW,
            amount=random.randint(1, 50_000) * unit,  # noqa: S311
            effective_at=start + HISTORY * (number / count) + jitter,
            reference=f"demo {number}",
        )
