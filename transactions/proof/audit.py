"""The audit: proof of every balance from its rows, in one snapshot, without a lock on anything.

The accounts are divided into slices that worker processes take one after the other, all in the same exported
snapshot. What is wrong is a `Finding` that names the row; nothing is repaired.
"""

import hmac
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.transaction import atomic

from accounts.models import Account
from ledger.sql import fetch
from transactions.models import chain
from transactions.proof import audit_remedies, audit_sql, audit_walk, audit_worker, guards
from transactions.reading.queries import SETTLED_AFTER, SNAPSHOT

ROWS_A_SLICE = 50_000
WORTH_WORKERS = 20  # tasks: to start a process takes longer than a few of them
FINDINGS_MAX = 1000  # that are kept; the others are counted
PER_ACCOUNT_MAX = 3  # of one check: behind a wrong row everything may look wrong
WALKED = [*(check for check, _ in audit_walk.FLAGS.values()), "chain"]
CHECKS = [*WALKED, *(each.name for each in audit_sql.QUESTIONS), "guards"]
ROWS_AT_ONCE = 1000  # that are fetched


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. `row` is the key of a row of `table`."""

    check: str
    account: str | None
    table: str
    row: str
    expected: str
    found: str

    @property
    def remedy(self) -> str:
        """What puts it right, in the operator's hands."""
        return audit_remedies.REMEDIES.get(self.check, audit_remedies.A_ROW)


@dataclass(frozen=True, slots=True)
class Slice:
    """Accounts from one id to another, and how many rows they have together, more or less."""

    first: UUID
    last: UUID
    rows: int
    accounts: int


@dataclass
class Result:
    """What was looked at, and what is wrong with it."""

    accounts: int = 0
    rows: int = 0
    findings: list[Finding] = field(default_factory=list)
    count: int = 0  # of findings, those that were not kept included

    def add(self, findings: Sequence[Finding], *, rows: int = 0) -> None:
        self.rows += rows
        self.count += len(findings)
        self.findings += findings[: max(0, FINDINGS_MAX - len(self.findings))]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is audited: some accounts or all, some checks or all, all rows or those recorded after `since`."""

    accounts: tuple[UUID, ...] | None = None
    checks: frozenset[str] = frozenset(CHECKS)
    since: datetime | None = None


# With the name of the snapshot. A question is one of all accounts.
Task = tuple[Scope, str | None, Slice | audit_sql.Question]


def run(
    scope: Scope, *, workers: int = 1, progress: Callable[[int, int], object] = lambda done, total: None
) -> tuple[Result, datetime]:
    """Audit; and the moment up to which all that was recorded was seen, where `since` may go on from.

    `progress` is told of rows done, of all. With one worker it works in this process, inside the caller's
    transaction if there is one.
    """
    result, done = Result(), 0
    with take_snapshot() as (snapshot, moment):
        slices = list(_make_slices(scope))
        total = sum(each.rows for each in slices)
        result.accounts = sum(each.accounts for each in slices)
        # A question of all accounts is not asked about some; a whole one of no part of any kind.
        tasks: list[Task] = [  # the longest first
            (scope, snapshot, question)
            for question in audit_sql.QUESTIONS
            if not question.is_sliced and question.name in scope.checks and scope.accounts is None
            if scope.since is None or not question.is_whole
        ]
        tasks += [(scope, snapshot, each) for each in slices]
        for task_rows, rows, findings in _work(tasks, workers):
            result.add(findings, rows=rows)
            done += task_rows
            progress(done, total)
    if "guards" in scope.checks:
        result.add([Finding("guards", None, *wrong) for wrong in guards.find_wrong()])
    result.findings.sort(
        key=lambda finding: (CHECKS.index(finding.check), finding.account or "", finding.row)
    )
    return result, moment


def _work(tasks: Sequence[Task], workers: int) -> Iterator[tuple[int, int, list[Finding]]]:
    if workers == 1 or len(tasks) < WORTH_WORKERS:
        yield from map(_audit, tasks)
    else:
        with ProcessPoolExecutor(
            workers,
            mp_context=get_context("spawn"),
            initializer=audit_worker.set_up,
            initargs=(connection.settings_dict["NAME"],),
        ) as pool:
            for future in as_completed([pool.submit(_audit_in_snapshot, task) for task in tasks]):
                yield future.result()


def _audit_in_snapshot(task: Task) -> tuple[int, int, list[Finding]]:
    with take_snapshot(task[1]):
        return _audit(task)


@contextmanager
def take_snapshot(name: str | None = None) -> Iterator[tuple[str | None, datetime]]:
    """A read-only transaction that sees one moment: the named snapshot's, or one that others may share."""
    is_inside = connection.in_atomic_block
    with atomic(), connection.cursor() as cursor:
        if not is_inside:
            cursor.execute(SNAPSHOT)
            if name:
                cursor.execute(f"SET TRANSACTION SNAPSHOT '{name}'")
            cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("SELECT clock_timestamp()" + ("" if is_inside or name else ", pg_export_snapshot()"))
        moment, *exported = cursor.fetchone()
        yield (exported[0] if exported else None), moment - SETTLED_AFTER


def _make_slices(scope: Scope) -> Iterator[Slice]:
    """The accounts in the order of their ids, so many together that their rows are about a slice."""
    accounts = Account._base_manager.order_by("id")
    if scope.accounts is not None:
        accounts = accounts.filter(id__in=scope.accounts)
    if scope.since is not None:
        accounts = accounts.filter(last_recorded_at__gt=scope.since)
    first, rows, count = None, 0, 0
    for id, sequence in accounts.values_list("id", "event_sequence").iterator(chunk_size=10_000):
        first, rows, count = first or id, rows + sequence, count + 1
        if rows >= ROWS_A_SLICE or scope.accounts is not None:
            yield Slice(first, id, rows, count)
            first, rows, count = None, 0, 0
    if first is not None:
        yield Slice(first, id, rows, count)


def _audit(task: Task) -> tuple[int, int, list[Finding]]:
    """A slice's share of the progress, how many rows it had, and what is wrong with them."""
    scope, _, part = task
    since = scope.since or "-infinity"
    if isinstance(part, audit_sql.Question):
        return 0, 0, list(_ask(part, {"since": since}))
    parameters = {"since": since, "first": part.first, "last": part.last}
    findings: list[Finding] = []
    rows = _walk(scope, parameters, findings) if scope.checks.intersection(WALKED) else 0
    for question in audit_sql.QUESTIONS:
        if question.is_sliced and question.name in scope.checks:
            findings += _ask(question, parameters)
    return part.rows, rows, findings


def _ask(question: audit_sql.Question, parameters: dict[str, Any]) -> Iterator[Finding]:
    asks = question.asks
    for account, *told in fetch(asks, parameters) if isinstance(asks, str) else asks(parameters):
        yield Finding(question.name, account and str(account), *told)


def _walk(scope: Scope, parameters: dict[str, Any], findings: list[Finding]) -> int:
    """Every row of the accounts, in the order of the chain, streamed; how many there were."""
    current, *older = [
        hmac.new(key.encode(), digestmod="sha256")
        for key in (settings.CHAIN_KEY, *settings.CHAIN_KEY_FALLBACKS)
    ]
    seen: Counter[tuple[str, bytes]] = Counter()

    def find(check: str, account: bytes, row: bytes, expected: str, found: str) -> None:
        seen[check, account] += 1
        if check in scope.checks and seen[check, account] <= PER_ACCOUNT_MAX:
            findings.append(
                Finding(
                    check=check,
                    account=str(UUID(bytes=account)),
                    table="transactions_transaction",
                    row=str(UUID(bytes=row)),
                    expected=expected,
                    found=found,
                )
            )

    rows, before, link_before = 0, b"", b""
    with connection.wrap_database_errors, connection.connection.cursor(binary=True) as cursor:
        for account, row, flags, seed, format, link, body in cursor.stream(
            audit_walk.write_walk(chain.FORMATS), parameters, size=ROWS_AT_ONCE
        ):
            rows += 1
            if flags:
                for bit, (check, expected) in audit_walk.FLAGS.items():
                    if flags & bit:
                        find(check, account, row, expected, "otherwise")
            if account != before:
                before, link_before = account, seed
            if body is None:
                find("chain", account, row, "a form that is known", f"form {format}")
                link_before = link
                continue
            message = b"%d:%d:%s%s" % (format, len(link_before), link_before, body)
            if _compute(current, message) != link and link not in [_compute(key, message) for key in older]:
                find("chain", account, row, "the hash of this row and the one before it", "another")
            link_before = link
    return rows


def _compute(key: hmac.HMAC, message: bytes) -> bytes:
    """The message's hash under a key that was prepared once: half the work of `hmac.digest`."""
    copy = key.copy()
    copy.update(message)
    return copy.digest()
