"""The audits that were made: how the books stand, when the next is due; and one of an account, at once."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Any, NamedTuple
from uuid import UUID

import uuid_utils.compat
from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone

from events import errors
from ledger.sql import fetch
from transactions.models import AuditRun
from transactions.proof import audit

FOUND_KEPT = 100  # findings of a run that are kept by their rows; all are counted
ROWS_AT_ONCE = 50_000  # of an account that is audited while somebody waits for it: seconds
# What the service's role can do: the guards are compared with temporary tables, which it cannot make.
CHECKS_OF_AN_ACCOUNT = frozenset(audit.CHECKS) - {"guards"}
running = BoundedSemaphore(1)  # of a process's threads: others are for work

# The service may add what is of a part of the ledger, and cannot say that it was of everything.
NOTE_PART = """
INSERT INTO transactions_auditrun (id, started_at, seen_through, account_id, accounts, rows, findings, found)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s::jsonb)
RETURNING id
"""


class Standing(NamedTuple):
    """How the books stand. `last_at` is when the last audit of any kind ended, `whole` that of everything,
    `clean` the last of those that found nothing; `findings` are those of `whole`, or of an audit of a part
    since, if that has found more."""

    last_at: datetime | None
    whole: AuditRun | None
    clean: AuditRun | None
    findings: int


def find_standing() -> Standing:
    """An audit of a part that is clean says nothing of what the last one of everything has found."""
    whole = AuditRun.objects.filter(is_whole=True).order_by("-finished_at").first()
    since = AuditRun.objects.all()
    if whole is not None:
        since = since.filter(finished_at__gte=whole.finished_at)
    told = since.aggregate(last_at=Max("finished_at"), findings=Max("findings"))
    return Standing(told["last_at"], whole, find_last_clean(), told["findings"] or 0)


def is_due(every: timedelta) -> bool:
    """Whether the last audit of everything ended longer ago than that, or there was none."""
    return not AuditRun.objects.filter(is_whole=True, finished_at__gt=Now() - every).exists()


def find_last_clean() -> AuditRun | None:
    """The last audit of everything that found nothing: where the next one goes on."""
    return AuditRun.objects.filter(is_whole=True, findings=0).order_by("-finished_at").first()


def note(
    scope: audit.Scope, result: audit.Result, *, started_at: datetime, seen_through: datetime
) -> AuditRun:
    """Keep a run, with its findings by their rows."""
    accounts = scope.accounts or ()
    return AuditRun.objects.create(
        started_at=started_at,
        seen_through=seen_through,
        is_whole=scope.accounts is None and scope.checks == frozenset(audit.CHECKS),
        since=scope.since,
        account_id=accounts[0] if len(accounts) == 1 else None,
        accounts=result.accounts,
        rows=result.rows,
        findings=result.count,
        found=_describe(result.findings),
    )


def audit_account(*, id: UUID) -> AuditRun:
    """Audit one account now, and keep the run. It locks nothing. Raises `events.errors.Busy`.

    Call it outside a transaction: it sees one moment. The caller's page writes who asked for it.
    """
    if not running.acquire(blocking=False):
        raise errors.Busy("Another audit is under way. Send the same again.")
    try:
        started_at = timezone.now()
        result, moment = audit.run(audit.Scope(accounts=(id,), checks=CHECKS_OF_AN_ACCOUNT))
    finally:
        running.release()
    values = [
        *(uuid_utils.compat.uuid7(), started_at, moment, id, result.accounts, result.rows, result.count),
        json.dumps(_describe(result.findings)),
    ]
    [[made]] = fetch(NOTE_PART, values)
    return AuditRun.objects.get(id=made)


def _describe(findings: Sequence[audit.Finding]) -> list[dict[str, Any]]:
    """Which rows, and by which check. What stood there may be personal, and is not kept."""
    return [
        {"check": each.check, "account": each.account, "table": each.table, "row": each.row}
        for each in findings[:FOUND_KEPT]
    ]
