from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from events import feed


class Command(BaseCommand):
    help = (
        "After a restore or a failover: begin another epoch of the feed. Old cursors are answered with 410 "
        "then, so that consumers compare what they have; subscriptions go on from their own cursors."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--force", action="store_true", help="even if the database is the one it was")

    def handle(self, *args: Any, **options: Any) -> None:
        epoch = feed.begin_epoch(force=options["force"])
        self.stdout.write(
            f"The feed is in the new epoch {epoch}."
            if epoch
            else "Nothing to do: the database is the one it was. --force begins a new epoch all the same."
        )
