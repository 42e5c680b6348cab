import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from datetime import UTC
from secrets import token_hex
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

RUN_AGAIN = "Run it again: what is posted stays, and is not posted twice."


class Command(StrictCommand):
    help = (
        "Post the transactions of a file, an account's in the order of their effect, each exactly once: run "
        "it again after whatever ended it. Nothing is posted if any row is malformed or would be declined. "
        "Exit status: 0 all are posted, 1 some are declined or left out, 2 none is, or not to the end."
    )

    arguments = {
        **describe_file(files.TransactionLine._declared_fields, nargs="?"),
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
        with (
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


class Run:
    """One run of the command: what it counts, shows and lists."""

    def __init__(
        self, rows: staging.Staging, progress: Progress, options: dict[str, Any], reports: ExitStack
    ) -> None:
        self.staging, self.progress, self.options = rows, progress, options
        kind = "retry" if options["retry_declined"] else options["source"]
        self.name = "-".join(filter(None, ("import", kind, token_hex(6))))  # the request id of its rows
        self.counts: Counter[str] = Counter()
        self.problems = self.declined = self.foretold = self.to_retry = 0
        self.stopped = False
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

    def read(self, opened: ExitStack) -> None:
        task = self.progress.add_task("Reading", total=None)
        for row in self._find_rows(opened):
            self.progress.advance(task)
            if isinstance(row, staging.Row):
                self.staging.add(row)
            else:
                self.note_problems(row)
        self.staging.index()
        self.progress.update(task, total=self.staging.count())
        if self.options["retry_declined"] and not self.staging.count():
            raise failure(f"No row was declined by a run {self.options['retry_declined']}.")

    def _find_rows(self, opened: ExitStack) -> Iterable[staging.Row | list[staging.Problem]]:
        if run := self.options["retry_declined"]:
            return imports.read_declined(run)
        file, format = opened.enter_context(open_input(self.options["file"], self.options["format"]))
        zone = self.options["tz"] or UTC
        return files.read_transactions(file, format=format, source=self.options["source"], zone=zone)

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

    def rehearse(self) -> None:
        """Decide everything without writing; what would be declined is `foretold`."""
        task = self.progress.add_task("Deciding", total=self.staging.count())
        if missing := self.staging.count_missing():
            self.counts["accounts made"] = missing
        for outcomes in imports.try_rows(self.staging, caller=Caller(NIL)):
            wrong = [outcome for outcome in outcomes if outcome.reason]
            self.foretold += len(wrong)
            self.note_outcomes(outcomes if self.options["dry_run"] else wrong)
            self.progress.advance(task, len(outcomes))

    def post(self) -> None:
        name = self.options["actor"]
        actor = User.objects.filter(username=name).first() or User.objects.create_user(name, name=name)
        caller = Caller(actor.id, ActorKind.COMMAND, self.name)
        if missing := self.staging.count_missing():
            self.counts["accounts made"] = missing
        task = self.progress.add_task("Accounts", total=missing, visible=missing > 0)
        for made in imports.make_accounts(self.staging, caller=caller):
            self.progress.advance(task, made)
        task = self.progress.add_task("Posting", total=self.staging.count())
        allowed = self.options["allow_declines"]
        try:
            for outcomes in imports.post_rows(self.staging, caller=caller, allow_declines=allowed):
                self.note_outcomes(outcomes)
                self.progress.advance(task, len(outcomes))
        except imports.Stopped as stopped:
            self.stopped = True
            self.note_outcomes([stopped.outcome])

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
                self.to_retry += not outcome.replayed
                if self.declined <= self.options["errors"]:
                    details = json.dumps(outcome.details)
                    self._say(f"line {outcome.line}: {what}: {details}")
                self.list_declined([outcome.line, outcome.id, outcome.reason, json.dumps(outcome.details)])

    def tell(self) -> None:
        """Raises `CommandError` when not all are posted."""
        is_tried = bool(self.options["dry_run"] or self.foretold)
        table = Table("rows", "would be" if is_tried else "are")
        for what, count in sorted(self.counts.items()):
            table.add_row(str(count), what)
        Console().print(table)
        if self.stopped:
            raise failure(f"This row would be declined now: with it stopped what was left. {RUN_AGAIN}")
        if self.foretold and not self.options["dry_run"]:
            raise failure(
                f"{self.foretold} rows would be declined, for ever. Nothing is posted: put right what they "
                "lack, or post the others with --allow-declines."
            )
        if self.to_retry and not is_tried:
            self._say(f"What was declined now is taken up again by --retry-declined {self.name}")
        if self.options["dry_run"]:
            Console().print("Nothing is posted. It is what would be, if nothing else is posted meanwhile.")
        if self.declined or self.problems:
            raise failure(f"{self.declined} rows are declined, {self.problems} errors.", FOUND)

    def _say(self, text: str) -> None:
        self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
