import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from accounts import erasing
from events.errors import FeedStopped
from events.relay import Relay
from ledger_project.auditing import Auditor
from ledger_project.management.serving import ServingCommand
from ledger_project.metrics_port import listen
from transactions import posting, search
from transactions.reading import statistics

SECONDS = 3600.0


class Hourly:
    """A chore that is done once an hour, and at the start, however often it is asked for."""

    def __init__(self, chore: Callable[[], object]) -> None:
        self.chore, self.due_at = chore, 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self.due_at:
            self.due_at = time.monotonic() + SECONDS
            self.chore()


class Command(ServingCommand):
    help = (
        "Give events their places in the feed, send them to every subscription, end holds whose time is "
        "over, let hashes of erased external ids go; count for the dashboard, keep what is searched; audit "
        "every AUDIT_EVERY_MINUTES. Several may run. SIGTERM ends it after what is being sent."
    )

    requires_system_checks = []  # they load every page of the back office, which it would keep

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="until nothing is due any more")
        port, host = settings.RELAY_METRICS_PORT, settings.RELAY_METRICS_HOST
        parser.add_argument(
            "--metrics-port",
            type=int,
            default=port,
            help="for /metrics and /livez; 0: none (RELAY_METRICS_PORT)",
        )
        parser.add_argument("--metrics-host", default=host, help="its address (RELAY_METRICS_HOST)")

    def handle(self, *args: Any, **options: Any) -> None:
        chores: list[Callable[[], object]] = [posting.expire_some, Hourly(erasing.forget_hashes)]
        auditor = Auditor(timedelta(minutes=settings.AUDIT_EVERY_MINUTES))
        if settings.AUDIT_EVERY_MINUTES and not options["once"]:
            chores.append(auditor)
        relay = Relay(chores=tuple(chores))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: relay.stop())
        # Beside it, so that neither is in the way of what is sent, nor stops it.
        others = [
            Thread(target=work, args=(relay.stopping,), name=name, daemon=True)
            for name, work in (("figures", statistics.keep), ("search", search.keep))
        ]
        try:
            if options["once"]:
                statistics.attempt(relay.stopping)
                relay.run(once=True)
                while search.attempt():
                    pass
            else:
                with self.watched(relay, options["metrics_host"], options["metrics_port"]):
                    for thread in others:
                        thread.start()
                    relay.run()
        except FeedStopped as error:
            raise CommandError(error.detail) from error
        finally:
            relay.stop()
            auditor.stop()
            for thread in others:
                if thread.ident:
                    thread.join(statistics.PAUSE_SECONDS)  # what it has not committed it does next time
            if settings.TRACING:
                from ledger_project import tracing

                tracing.flush()

    def watched(self, relay: Relay, host: str, port: int) -> AbstractContextManager[object]:
        """Lets the relay be watched at this port while the block runs, unless it is 0."""
        try:
            return listen(relay, host, port) if port else nullcontext()
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}:{port} ({error.strerror}).") from error
