import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error

from transactions.management.options import COULD_NOT_RUN, FOUND, StrictCommand
from transactions.proof import anchors


class Command(StrictCommand):
    help = (
        "Say what was changed, removed or cut off since the anchor was made. audit_balances proves the rest. "
        "Exit status: 0 nothing, 1 something was found, 2 it could not run or the file is no anchor."
    )

    arguments = {
        "file": {"type": Path},
        "--public-key": {"action": "append", "default": [], "help": "trust this key too (repeatable)"},
    }

    def handle(self, *args: Any, **options: Any) -> None:
        trusted = {anchors.get_public_key(), *settings.ANCHOR_PUBLIC_KEYS, *options["public_key"]}
        found = 0
        try:
            with options["file"].open() as file:
                for finding in anchors.verify(anchors.read(file, trusted)):
                    found += 1
                    self.stdout.write(
                        f"account {finding.account}: {finding.table} {finding.row}: "
                        f"expected {finding.expected}, found {finding.found}"
                    )
        except (anchors.AnchorInvalid, OSError, UnicodeDecodeError, Error) as error:
            self.stderr.write(f"The anchor could not be verified: {error}")
            sys.exit(COULD_NOT_RUN)
        self.stdout.write(
            f"{found} findings." if found else "Everything that was anchored is there, unchanged."
        )
        if found:
            sys.exit(FOUND)
