from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from transactions.management.options import StrictCommand
from transactions.proof import anchors


class Command(StrictCommand):
    help = (
        "Write the heads of all chains, signed, as JSON lines: to be kept outside the database, where who "
        "administers it cannot change them. verify_anchor compares."
    )

    arguments = {
        "file": {"nargs": "?", "type": Path, "help": "a new file"},
        "--public-key": {"action": "store_true", "help": "print the public key that verifies it"},
    }

    def handle(self, *args: Any, **options: Any) -> None:
        if options["public_key"]:
            self.stdout.write(anchors.get_public_key())
            return
        if options["file"] is None:
            raise CommandError("Name a new file, or ask for the --public-key.")
        try:
            with options["file"].open("x") as file:
                count = anchors.write(file)
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} accounts are anchored.")
