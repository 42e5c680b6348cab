import re
from contextlib import ExitStack, closing
from typing import Any

from django.db import Error
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

from accounts.models import NAME_LENGTH_MAX
from ledger.errors import LedgerError
from ledger.text import Rule
from rest.fields import AmountField, TextField
from rest.times import TimeZoneField
from transactions.errors import CommitNotConfirmed
from transactions.exchange.staging import Staging
from transactions.management import files, maps
from transactions.management.importing import RUN_AGAIN, Run
from transactions.management.options import StrictCommand, describe_file, failure


class Command(StrictCommand):
    help = (
        "Post the transactions of a file, an account's in the order of their effect, each exactly once: run "
        "it again after whatever ended it. Nothing is posted if any row is malformed or would be declined. "
        "Exit status: 0 all are posted, 1 some are declined or left out, 2 none is, or not to the end."
    )

    arguments = {
        **describe_file(files.TransactionLine._declared_fields, nargs="?"),
        "--map": {
            "help": "how the files of a bank become rows: a TOML file, or one of "
            + ", ".join(maps.list_shipped()),
        },
        "--opening-balance": {
            "field": AmountField(),
            "help": "what the account of the file had before its first row, where the file does not say it",
        },
        "--source": {"help": "where its keys come from: of another source, a key is another"},
        "--tz": {
            "field": TimeZoneField(),
            "help": "the zone of days and of times without an offset (default: the map's, or UTC)",
        },
        "--create-users": {
            "action": "store_true",
            "help": "make users (by external_id) and accounts that are missing",
        },
        "--dry-run": {
            "action": "store_true",
            "help": "post nothing; tell what would be posted and declined now",
        },
        "--allow-declines": {
            "action": "store_true",
            "help": "post the others when rows are declined; what is declined is so for ever",
        },
        "--retry-declined": {
            "metavar": "RUN",
            "help": "in place of a file: the rows that this run recorded as declined, each once",
        },
        "--declined": {"metavar": "CSV", "help": "where to list the rows that are declined"},
        "--skip-malformed": {"metavar": "CSV", "help": "list malformed rows there and post the others"},
        "--errors": {"type": int, "default": 20, "help": "how many errors to show (default: 20)"},
        "--actor": {
            "field": TextField(length_min=1, length_max=NAME_LENGTH_MAX, rule=Rule.IDENTIFIER),
            "default": "import",
            "help": "the user name that posts; made if missing",
        },
    }

    def handle(self, *args: Any, **options: Any) -> None:
        source = options["source"]
        if source is not None and not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", source):
            raise failure("--source is 1 to 40 letters, digits, dots, dashes and underscores.")
        if (options["file"] is None) == (options["retry_declined"] is None):
            raise failure("Name a file, or a run with --retry-declined.")
        map = self._load_map(options["map"])
        with (
            closing(Staging(newest_first=map is not None and map.newest_first)) as rows,
            Progress(
                "{task.description}",
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            ) as progress,
            ExitStack() as reports,
        ):
            run = Run(rows, progress, options, map, reports)
            try:
                run.read(reports)
                run.check()
                if options["dry_run"] or not options["allow_declines"]:
                    run.rehearse()
                if not options["dry_run"] and not run.foretold:
                    run.post()
            except files.FileBroken as broken:
                run.note_problems([broken.problem])
                raise failure("Nothing is posted.") from None
            except (Error, LedgerError, CommitNotConfirmed) as error:
                raise failure(f"{str(error).strip()}\n{RUN_AGAIN}") from error
        run.tell()

    def _load_map(self, name: str | None) -> maps.Map | None:
        try:
            return maps.load(name) if name else None
        except maps.MapInvalid as error:
            raise failure(f"--map: {error}") from None
