"""Make what is searched anew, from the ledger. The relay follows the feed meanwhile, and does the rest if
this is killed.
"""

import time
from typing import Any

from django.core.management.base import BaseCommand

from transactions import search

PAUSE_SECONDS = 0.1  # while somebody else does a step


class Command(BaseCommand):
    help = (
        "Make what the office searches anew, from the ledger, newest first, 500 rows per commit. Needed after"
        " SEARCH_CONTACT_KEYS was changed. Killed, the relay does the rest."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        search.begin_rebuilding()
        while search.read_knowledge().is_rebuilding:
            if not search.follow_some():
                time.sleep(PAUSE_SECONDS)
        self.stdout.write("What is searched is made anew.")
