"""End the holds whose time is over. Nothing waits for it: whoever locks an account ends its due holds."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db.transaction import atomic

from accounts import holds, operations, queries

ACCOUNTS_AT_ONCE = 100


class Command(BaseCommand):
    help = "End the holds whose time is over, an account per commit, and tell it to the feed."

    def handle(self, *args: Any, **options: Any) -> None:
        expired = 0
        while ids := queries.find_accounts_with_due_holds(ACCOUNTS_AT_ONCE):
            for id in ids:
                with atomic():
                    expired += holds.expire_holds(operations.lock_account(id))
        self.stdout.write(f"{expired} holds have expired.")
