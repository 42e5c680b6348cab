"""`manage.py send_money_intents`: sends what the outbox has, for ever. Several may run."""

import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.db.utils import InterfaceError, OperationalError

from ledger_client.outbox import settings
from ledger_client.outbox.sending import send_due, send_next
from ledger_client.outbox.statistics import measure

PAUSE_SECONDS = 1.0


class Command(BaseCommand):
    help = "Send money intents to the ledger until they are answered. SIGTERM ends it after the one it is at."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="send what is due, and end")
        parser.add_argument(
            "--pause", type=float, default=PAUSE_SECONDS, help="seconds, when nothing is due (default: 1)"
        )

    def handle(self, *args: Any, once: bool, pause: float, **options: Any) -> None:
        with settings.connect() as ledger:
            if once:
                tried, now = send_due(ledger), measure()
                self.stdout.write(f"{tried} sent; {now.waiting} wait, {now.parked} are parked.")
                return
            stopping = Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stopping.set())
            while not stopping.is_set():
                try:
                    if send_next(ledger):
                        continue
                except (OperationalError, InterfaceError) as error:
                    self.stderr.write(f"The database is away: {error}")
                close_old_connections()
                stopping.wait(pause)
