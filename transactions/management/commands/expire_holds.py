"""End the holds whose time is over. Nothing waits for it: whoever locks an account ends its due holds."""

from typing import Any

from django.core.management.base import BaseCommand

from transactions import posting


class Command(BaseCommand):
    help = "End the holds whose time is over, an account per commit, and tell it to the feed."

    def handle(self, *args: Any, **options: Any) -> None:
        # Until there is none left to end.
        self.stdout.write(f"{sum(iter(posting.expire_some, 0))} holds have expired.")
