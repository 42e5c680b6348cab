from collections.abc import Iterator
from pathlib import Path
from typing import Any

from events.errors import EventsPruned, FeedEpochChanged
from events.models import Cursor, parse_cursor
from ledger.errors import LedgerError
from transactions.exchange import movements
from transactions.management.options import StrictCommand, failure, open_output

EVERYTHING = "Without the file of the position the next export is of everything, which does no harm."


class Command(StrictCommand):
    help = (
        "Write all posted transactions, or those that are new since the last export, as import_transactions "
        "reads them: a ledger that does has the same balances at every moment."
    )

    arguments = {
        "--format": {"choices": tuple(movements.WRITERS), "default": "csv", "help": "default: csv"},
        "--position": {
            "metavar": "FILE",
            "help": "go on after the position of the feed in this file, and keep the new one there; "
            "without the file: everything",
        },
        "--output": {"help": "the file to write (default: stdout)"},
    }

    def handle(self, *args: Any, **options: Any) -> None:
        write = movements.WRITERS[options["format"]]
        after = _read_position(options["position"])
        try:
            # Before the rows: what is posted meanwhile comes again the next time, and is not posted twice.
            self.end = movements.read_end() if after is None else after
            rows = movements.read_all() if after is None else self._read_new(after)
            with open_output(options["output"]) as file:
                file.writelines(write(rows))
        except (EventsPruned, FeedEpochChanged) as error:
            raise failure(f"{options['position']}: {error.detail} {EVERYTHING}") from None
        except LedgerError as error:
            raise failure(error.detail) from None
        if options["position"]:
            with open_output(options["position"]) as file:
                file.write(f"{self.end.text}\n")

    def _read_new(self, after: Cursor) -> Iterator[movements.Movement]:
        for some, self.end in movements.read_new(after):
            yield from some


def _read_position(path: str | None) -> Cursor | None:
    try:
        text = Path(path).read_text(encoding="utf-8").strip() if path else None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise failure(f"{path}: {error}.") from None
    cursor = parse_cursor(text) if text is not None else None
    if text is not None and cursor is None:
        raise failure(f"{path} is not of an export of this ledger.")
    return cursor
