from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from events import maintenance

DAYS_DEFAULT = 90


class Command(BaseCommand):
    help = (
        "Remove old events from the feed, a thousand per commit; the ledger itself keeps everything. "
        "Nothing goes that is younger than 30 days or that a subscription has not been sent."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days", type=int, default=DAYS_DEFAULT, help=f"keep so many days (default: {DAYS_DEFAULT})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < maintenance.RETENTION_DAYS_MIN:
            raise CommandError(f"--days is at least {maintenance.RETENTION_DAYS_MIN}.")
        removed = 0
        while some := maintenance.prune(days=options["days"]):
            removed += some
        self.stdout.write(f"{removed} events were removed.")
