import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from datetime import UTC
from typing import Any

from django.db import Error
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from accounts.idempotency import NIL
from accounts.models import NAME_LENGTH_MAX, User
from ledger.callers import ActorKind, Caller
from ledger.errors import LedgerError
from ledger.text import Rule
from rest.fields import TextField
from rest.times import TimeZoneField
from transactions.errors import CommitNotConfirmed
from transactions.exchange import imports, staging
from transactions.management import files
from transactions.management.options import (
    FOUND,
    StrictCommand,
    describe_file,
    failure,
    open_input,
    open_output,
)


class Command(StrictCommand):
    help = (
        "Post the transactions of a file, an account's in the order of their effect, each exactly once: run "
        "it again after whatever ended it. Nothing is posted if any row is malformed. Exit status: 0 all are "
        "posted, 1 some are declined or left out, 2 it could not run or not to the end."
    )

    arguments = {
        **describe_file(files.TransactionLine._declared_fields),
        "--source": {"help": "where its keys come from: of another source, a key is another"},
        "--tz": {
            "field": TimeZoneField(),
            "help": "the zone of days and of times without an offset (default: UTC)",
        },
        "--create-users": {
            "action": "store_true",
            "help": "make users (by external_id) and accounts that are missing",
        },
        "--dry-run": {
            "action": "store_true",
            "help": "post nothing; tell what would be posted and declined now",
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
        with (
            open_input(options["file"], options["format"]) as (file, format),
            closing(staging.Staging()) as rows,
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
            run = Run(rows, progress, options, reports)
            try:
                run.read(
                    files.read_transactions(file, format=format, source=source, zone=options["tz"] or UTC)
                )
                run.check()
                run.post(request_id=f"import {source or ''}".strip())
            except files.FileBroken as broken:
                run.note_problems([broken.problem])
                raise failure("Nothing is posted.") from None
            except (Error, LedgerError, CommitNotConfirmed) as error:
                raise failure(
                    f"{str(error).strip()}\nRun it again: what is posted stays, and is not posted twice."
                ) from error
        run.tell()


class Run:
    """One run of the command: what it counts, shows and lists."""

    def __init__(
        self, rows: staging.Staging, progress: Progress, options: dict[str, Any], reports: ExitStack
    ) -> None:
        self.staging, self.progress, self.options = rows, progress, options
        self.counts: Counter[str] = Counter()
        self.problems = self.declined = 0
        self.list_declined = self._open(reports, "declined", ("line", "id", "reason", "details"))
        self.list_malformed = self._open(reports, "skip_malformed", ("line", "field", "code", "detail"))

    def _open(
        self, reports: ExitStack, option: str, columns: Iterable[str]
    ) -> Callable[[Iterable[Any]], object]:
        """What writes a row to the CSV that the option names; nothing when it names none."""
        if self.options[option] is None:
            return lambda row: None
        writer = csv.writer(reports.enter_context(open_output(self.options[option])))
        writer.writerow(columns)
        return writer.writerow

    def read(self, rows: Iterable[staging.Row | list[staging.Problem]]) -> None:
        task = self.progress.add_task("Reading", total=None)
        for row in rows:
            self.progress.advance(task)
            if isinstance(row, staging.Row):
                self.staging.add(row)
            else:
                self.note_problems(row)
        self.staging.index()
        self.progress.update(task, total=self.staging.count())

    def check(self) -> None:
        """Raises `CommandError` when something is wrong that is not to be left out."""
        self.note_problems(self.staging.take_out_repeated())
        self.note_problems(imports.find_accounts(self.staging, create=self.options["create_users"]))
        task = self.progress.add_task("Checking", total=self.staging.count())
        for checked, problems, outcomes in imports.check_rows(self.staging):
            self.note_problems(problems)
            self.note_outcomes(outcomes)
            self.progress.advance(task, checked)
        if self.problems > self.options["errors"]:
            self._say(f"… and {self.problems - self.options['errors']} more.")
        if self.problems and self.options["skip_malformed"] is None:
            raise failure(f"{self.problems} errors. Nothing is posted.")

    def post(self, *, request_id: str) -> None:
        if missing := self.staging.count_missing():
            self.counts["accounts made"] = missing
        if self.options["dry_run"]:
            slices = imports.try_rows(self.staging, caller=Caller(NIL))
        else:
            name = self.options["actor"]
            actor = User.objects.filter(username=name).first() or User.objects.create_user(name, name=name)
            caller = Caller(actor.id, ActorKind.COMMAND, request_id)
            task = self.progress.add_task("Accounts", total=missing, visible=missing > 0)
            for made in imports.make_accounts(self.staging, caller=caller):
                self.progress.advance(task, made)
            slices = imports.post_rows(self.staging, caller=caller)
        task = self.progress.add_task("Posting", total=self.staging.count())
        for outcomes in slices:
            self.note_outcomes(outcomes)
            self.progress.advance(task, len(outcomes))

    def note_problems(self, problems: Iterable[staging.Problem]) -> None:
        for problem in problems:
            self.problems += 1
            self.counts[f"malformed: {problem.code}"] += 1
            if self.problems <= self.options["errors"]:
                field = f", {problem.field}" if problem.field else ""
                self._say(f"line {problem.line}{field}: {problem.code}: {problem.detail}")
            self.list_malformed(problem)

    def note_outcomes(self, outcomes: Iterable[imports.Outcome]) -> None:
        for outcome in outcomes:
            what = (
                f"declined: {outcome.reason}"
                if outcome.reason
                else "posted, late"
                if outcome.late
                else "posted"
            )
            self.counts[f"there already, {what}" if outcome.replayed else what] += 1
            if outcome.reason:
                self.declined += 1
                self.list_declined([outcome.line, outcome.id, outcome.reason, json.dumps(outcome.details)])

    def tell(self) -> None:
        """Raises `CommandError` when not all are posted."""
        table = Table("rows", "would be" if self.options["dry_run"] else "are")
        for what, count in sorted(self.counts.items()):
            table.add_row(str(count), what)
        Console().print(table)
        if self.options["dry_run"]:
            Console().print("Nothing is posted. It is what would be, if nothing else is posted meanwhile.")
        if self.declined or self.problems:
            raise failure(f"{self.declined} rows are declined, {self.problems} errors.", FOUND)

    def _say(self, text: str) -> None:
        self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
