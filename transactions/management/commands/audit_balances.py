"""The proof of every balance, for operators and for programs."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.db import Error
from django.db.models import Q
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Column, Table

from accounts.models import Account
from ledger.values import format_time
from transactions import audits
from transactions.management.options import COULD_NOT_RUN, FOUND, StrictCommand
from transactions.models import AuditRun
from transactions.proof import audit

SHOWN = 20


class Command(StrictCommand):
    help = (
        "Prove every balance from its rows, in one snapshot and without locking anything. Exit status: 0 "
        "clean, 1 something was found, 2 the audit could not run. Nothing is repaired."
    )

    arguments = {
        "--account": {"type": UUID, "action": "append", "help": "only this account (repeatable)"},
        "--user": {"type": UUID, "action": "append", "help": "only the accounts of this user"},
        "--since": {
            "help": "only what is newer than `last` (the last clean run of everything; if there is none yet,"
            " everything), than the clean run with that id, or than a time"
        },
        "--check": {"action": "append", "choices": audit.CHECKS, "help": "only this check (repeatable)"},
        "--workers": {"type": int, "default": 2, "help": "processes (default: 2)"},
        "--json": {"action": "store_true", "help": "a JSON object per finding, then one in all"},
    }

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.prove(options)
        except (CommandError, Error) as error:
            self.stderr.write(f"The audit could not run: {error}")
            sys.exit(COULD_NOT_RUN)

    def prove(self, options: dict[str, Any]) -> None:
        """Audit, store the run, tell of it, and end with the exit status of what was found."""
        if options["workers"] < 1:
            raise CommandError("--workers is at least 1.")
        scope = audit.Scope(
            accounts=find_accounts(options["account"], options["user"]),
            checks=frozenset(options["check"] or audit.CHECKS),
            since=None if options["since"] is None else find_moment(options["since"]),
        )
        started_at = timezone.now()
        with Progress(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=options["json"],
        ) as progress:
            task = progress.add_task("Events", total=None)
            result, moment = audit.run(
                scope,
                workers=options["workers"],
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        self.store(scope, result, started_at, moment)
        seconds = (timezone.now() - started_at).total_seconds()
        if options["json"]:
            self.print_json(result, moment, seconds)
        else:
            self.print_tables(result, seconds)
        if result.count:
            sys.exit(FOUND)

    def store(self, scope: audit.Scope, result: audit.Result, started_at: datetime, moment: datetime) -> None:
        """Keep the run for the metrics. A role that may only read has its answer all the same."""
        try:
            audits.note(scope, result, started_at=started_at, seen_through=moment)
        except Error as error:
            self.stderr.write(f"The run could not be stored: {error}")

    def print_json(self, result: audit.Result, moment: datetime, seconds: float) -> None:
        for finding in result.findings:
            self.stdout.write(json.dumps({**asdict(finding), "remedy": finding.remedy}))
        self.stdout.write(
            json.dumps(
                {
                    "accounts": result.accounts,
                    "transactions": result.rows,
                    "findings": result.count,
                    "seen_through": format_time(moment),
                    "seconds": round(seconds, 1),
                }
            )
        )

    def print_tables(self, result: audit.Result, seconds: float) -> None:
        console = Console(file=self.stdout)  # type: ignore[arg-type]
        if result.findings:
            names = ("account", "row", "expected", "found")
            table = Table("check", *(Column(name, overflow="fold") for name in names), title="Findings")
            for finding in result.findings[:SHOWN]:
                table.add_row(
                    finding.check,
                    finding.account or "",
                    f"{finding.table} {finding.row}",
                    finding.expected,
                    finding.found,
                )
            console.print(table)
            for remedy in dict.fromkeys(finding.remedy for finding in result.findings):
                checks = sorted({each.check for each in result.findings if each.remedy == remedy})
                console.print(f"[bold]{', '.join(checks)}[/]: {remedy}")
            if result.count > SHOWN:
                console.print(f"{result.count - SHOWN} more findings; --json shows them.")
        verdict = f"{result.count} findings" if result.count else "clean: every balance is proven"
        console.print(
            f"{result.accounts} accounts, {result.rows} transactions in {seconds:.1f} s: {verdict}.",
            highlight=False,
        )


def find_accounts(accounts: list[UUID] | None, users: list[UUID] | None) -> tuple[UUID, ...] | None:
    """The accounts that were named, or None for all. Raises `CommandError` for one that is not there."""
    if not accounts and not users:
        return None
    wanted = Q(id__in=accounts or []) | Q(user_id__in=users or [])
    found = tuple(Account._base_manager.filter(wanted).values_list("id", flat=True))
    if missing := set(accounts or []) - set(found):
        raise CommandError(f"There is no account {missing.pop()}.")
    if not found:
        raise CommandError("The user has no accounts.")
    return found


def find_moment(text: str) -> datetime | None:
    """What `--since` means. Only of clean runs of everything is it known that all before them is right.

    None before the first of them, for `last`: so a timer that asks for it works from the first day on. Raises
    `CommandError`.
    """
    try:
        clean = AuditRun.objects.filter(is_whole=True, findings=0)
        run = audits.find_last_clean() if text == "last" else clean.filter(id=UUID(text)).first()
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise CommandError(f"--since is `last`, the id of a run, or a time; not {text!r}.") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_current_timezone())
    if run is None and text != "last":
        raise CommandError(f"There is no clean audit of everything with the id {text}.")
    return run.seen_through if run else None
