"""Commands that serve: where nobody watches a terminal, all they write is lines of the log."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, OutputWrapper

from rest import log


class ServingCommand(BaseCommand):
    """Run as a process of its own, and not by another command or a test, it takes what the process writes."""

    def run_from_argv(self, argv: list[str]) -> Any:
        log.take_everything()
        if not sys.stderr.isatty():
            self.stderr = OutputWrapper(log.Lines())
        return super().run_from_argv(argv)
