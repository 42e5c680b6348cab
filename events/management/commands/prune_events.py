from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events import feed


class Command(BaseCommand):
    help = (
        "Let old events leave the feed, a thousand per commit; the ledger itself keeps everything. "
        "Nothing goes that is younger than 30 days or that a subscription has not been sent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=90, help="keep so many days (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < feed.RETENTION_DAYS_MIN:
            raise CommandError(f"--days is at least {feed.RETENTION_DAYS_MIN}.")
        removed = 0
        while some := feed.prune(days=options["days"]):
            removed += some
        self.stdout.write(f"{removed} events left the feed.")
