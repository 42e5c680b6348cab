"""A run of `import_transactions`: what it reads, checks, posts, counts and tells."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC
from secrets import token_hex
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from accounts.idempotency import NIL
from accounts.models import User
from ledger.callers import ActorKind, Caller
from transactions.exchange import imports, openings
from transactions.exchange.rows import Problem, Row
from transactions.exchange.staging import Staging
from transactions.management import files, maps
from transactions.management.options import FOUND, failure, open_input, open_output, read_fixed
from transactions.management.tables import Form

RUN_AGAIN = "Run it again: what is posted stays, and is not posted twice."


class Run:
    """One run of the command: what it counts, shows and lists."""

    def __init__(
        self,
        rows: Staging,
        progress: Progress,
        options: dict[str, Any],
        map: maps.Map | None,
        reports: ExitStack,
    ) -> None:
        self.staging, self.progress, self.options, self.map = rows, progress, options, map
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
            if isinstance(row, Row):
                self.staging.add(row)
            elif isinstance(row, files.LeftOut):
                self.counts[f"left out: {row.why}"] += 1
            else:
                self.note_problems(row)
        self.staging.index()
        self.progress.update(task, total=self.staging.count())
        if self.staging.count() or self.counts:
            return
        if self.options["retry_declined"]:
            raise failure(f"No row was declined by a run {self.options['retry_declined']}.")
        if not self.options["allow_empty"]:
            raise failure("The file has no rows. If that is right, say --allow-empty.")
        self.counts["posted"] = 0

    def _find_rows(self, opened: ExitStack) -> Iterable[Row | list[Problem] | files.LeftOut]:
        if run := self.options["retry_declined"]:
            return imports.read_declined(run)
        fixed = read_fixed(self.options, files.TransactionLine._declared_fields)
        like = Form(self.map.format, self.map.encoding, self.map.delimiter) if self.map else None
        file, form = opened.enter_context(open_input(self.options, like))
        zone = self.options["tz"] or (self.map and self.map.zone) or UTC
        return files.read_transactions(
            file, form, source=self.options["source"], zone=zone, map=self.map, fixed=fixed
        )

    def check(self) -> None:
        """Raises `CommandError` when something is wrong that is not to be left out."""
        is_whole = self.staging.has_balances() or self.options["opening_balance"] is not None
        self.note_problems(self.staging.take_out_repeated())
        self.note_problems(imports.find_accounts(self.staging, create=self.options["create_users"]))
        if not self.problems:  # else there are rows of which nothing is known
            self._check_balances()
        task = self.progress.add_task("Checking", total=self.staging.count())
        for checked, problems, outcomes in imports.check_rows(self.staging):
            self.note_problems(problems)
            self.note_outcomes(outcomes)
            self.progress.advance(task, checked)
        if not self.problems:
            self.note_problems(openings.check_ends(self.staging))
        if self.problems > self.options["errors"]:
            self._say(f"… and {self.problems - self.options['errors']} more.")
        if self.problems and is_whole and self.options["skip_malformed"]:
            raise failure(f"{self.problems} errors in a file of balances. Nothing is posted.")
        if self.problems and self.options["skip_malformed"] is None:
            raise failure(f"{self.problems} errors. Nothing is posted.")

    def _check_balances(self) -> None:
        given = self.options["opening_balance"]
        try:
            self.note_problems(
                openings.check_balances(self.staging, source=self.options["source"], given=given)
            )
        except openings.SeveralAccounts:
            raise failure("--opening-balance is of one account, and the file has several.") from None

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

    def note_problems(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.problems += 1
            self.counts[f"malformed: {problem.code}"] += 1
            if self.problems <= self.options["errors"]:
                field = f", {problem.field}" if problem.field else ""
                self._say(f"{self._name(problem.line)}{field}: {problem.code}: {problem.detail}")
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
                    self._say(f"{self._name(outcome.line)}: {what}: {details}")
                line = max(outcome.line, 0)
                self.list_declined([line, outcome.id, outcome.reason, json.dumps(outcome.details)])

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

    def _name(self, line: int) -> str:
        if line < 0:
            return "opening balance"
        return f"{'entry' if self.map and self.map.format == maps.CAMT else 'line'} {line}"

    def _say(self, text: str) -> None:
        self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
