"""A posting's own transaction in two round trips: begin, lock and look; then, decided, write and commit.

The statements of a trip go down together in libpq's pipeline mode and are run one after the other, each with
a snapshot of its own: the look sees all that was committed before the lock was given. It is Django's
connection still: what the engine asks in between goes through it, in the same transaction. ADR 15 has the
reasons.
"""

import re
import select
from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, ProgrammingError, connections
from psycopg import Connection, errors, pq
from psycopg.adapt import Transformer

from accounts.operations import compile_lock
from transactions.errors import CommitNotConfirmed
from transactions.posting.state import COLUMNS
from transactions.posting.writing import LOOK, LOOK_AT_BATCHES, Look, read_fingerprints, require_no_lock

BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
COMMIT = "COMMIT"
DONE = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
STATEMENT_UNKNOWN = "26000"  # after a ROLLBACK psycopg deallocates everybody's prepared statements

Step = tuple[str, Sequence[str]]  # a statement with $1, $2 …, and its parameters


class Line:
    """What is kept of a connection: its prepared statements by their text, and how to wait for it."""

    numbers = count(1)

    def __init__(self, raw: "Connection[Any]") -> None:
        self.prepared: dict[str, bytes] = {}
        self.poll = select.poll()
        self.poll.register(raw.fileno(), select.POLLIN)
        self.transformer = Transformer()  # psycopg's own: Django's times are read by Python


_lines: "WeakKeyDictionary[Connection[Any], Line]" = WeakKeyDictionary()


class OwnTransaction:
    """Raises Django's database errors, as its cursors do. `end` it, whatever has happened."""

    def __init__(self) -> None:
        self.wrapper: Any = connections[DEFAULT_DB_ALIAS]
        self.line = self._connect()
        if self.line.poll.poll(0):  # an idle connection has nothing to read unless it has ended
            self.wrapper.close()
            self.line = self._connect()
        self.pg = self.wrapper.connection.pgconn
        self.prepares = settings.DATABASES[DEFAULT_DB_ALIAS]["OPTIONS"]["prepare_threshold"] is not None

    def _connect(self) -> Line:
        if self.wrapper.connection is None or self.wrapper.connection.closed:
            self.wrapper.close()
            self.wrapper.ensure_connection()
        raw: Connection[Any] = self.wrapper.connection
        line = _lines.get(raw)
        if line is None:
            line = _lines[raw] = Line(raw)
        return line

    def begin(
        self, account_ids: str, ids: str, batch_ids: str = "", *, skip_locked: bool = False
    ) -> tuple[list[tuple[Any, ...]], Look]:
        """Lock the accounts, then look at the clock and at which of the ids, and of the batches, are decided
        already. Ids are texts of `write_ids`.

        Of the accounts the rows of `COLUMNS`. Ids of no account are missing from them, and with `skip_locked`
        those that somebody else has locked.
        """
        steps = [
            (BEGIN, ()),
            (_number(compile_lock(COLUMNS, skip_locked)), [account_ids]),
            (_number(LOOK_AT_BATCHES), [ids, batch_ids]) if batch_ids else (_number(LOOK), [ids]),
        ]
        try:
            _, locked, seen = self._run(steps)
        except ProgrammingError as error:
            if getattr(error.__cause__, "sqlstate", None) != STATEMENT_UNKNOWN:
                raise
            self.end()
            self.line.prepared.clear()
            _, locked, seen = self._run(steps)
        self.wrapper.in_atomic_block = True
        [(clock, isolation, decided, *batches)] = self._load(seen)
        known = read_fingerprints(batches[0]) if batches else {}
        look = Look(clock=clock, isolation=isolation, decided=set(decided), batches=known)
        return self._load(locked), look

    def commit(self, *last: Step) -> None:
        """Run the last steps and commit. COMMIT's own answer is the witness that it was one.

        It says nothing of a transaction that was over before, so there must still be one. Raises
        `RequestInProgress` and `CommitNotConfirmed`.
        """
        if self.wrapper.needs_rollback or self.pg.transaction_status == pq.TransactionStatus.IDLE:
            raise CommitNotConfirmed
        try:
            *_, done = self._run([*((_number(text), values) for text, values in last), (COMMIT, ())])
        except OperationalError as error:
            require_no_lock(error)
            raise
        self.wrapper.in_atomic_block = False
        if done.command_status != COMMIT.encode():
            raise CommitNotConfirmed

    def end(self) -> None:
        """Roll back, unless it is committed."""
        wrapper = self.wrapper
        wrapper.in_atomic_block = wrapper.needs_rollback = False
        wrapper.run_on_commit = []
        if self.pg.status != pq.ConnStatus.OK or self.pg.pipeline_status != pq.PipelineStatus.OFF:
            wrapper.close()
        elif self.pg.transaction_status != pq.TransactionStatus.IDLE:
            self.pg.exec_(b"ROLLBACK")

    def _load(self, result: pq.abc.PGresult) -> list[tuple[Any, ...]]:
        self.line.transformer.set_pgresult(result)
        return self.line.transformer.load_rows(0, result.ntuples, tuple)

    def _run(self, steps: Sequence[Step]) -> list[Any]:
        """The results of the steps. After one that fails the others are not run; its error is raised."""
        with self.wrapper.wrap_database_errors:
            pg = self.pg
            names = [self._prepare(text) for text, _ in steps] if self.prepares else None
            pg.enter_pipeline_mode()
            for number, (text, values) in enumerate(steps):
                parameters = [value.encode() for value in values]
                if names is None:
                    pg.send_query_params(text.encode(), parameters)
                else:
                    pg.send_query_prepared(names[number], parameters)
            pg.pipeline_sync()
            self._flush()
            results = self._receive()
            pg.exit_pipeline_mode()
            for result in results:
                self._require_done(result)
            return results

    def _prepare(self, text: str) -> bytes:
        """The name of the prepared statement; it is prepared once in a connection."""
        name = self.line.prepared.get(text)
        if name is None:
            name = b"posting_%d" % next(Line.numbers)
            self._require_done(self.pg.prepare(name, text.encode()))
            self.line.prepared[text] = name
        return name

    def _require_done(self, result: pq.abc.PGresult) -> None:
        """Raises the statement's error. One without an SQLSTATE is libpq's own: the connection is lost."""
        if result.status in DONE:
            return
        error = errors.error_from_result(result)
        raise error if error.sqlstate else psycopg.OperationalError(str(error))

    def _flush(self) -> None:
        """Send what is left of a large statement, and take what the server says meanwhile."""
        while self.pg.flush():
            both = select.poll()
            both.register(self.pg.socket, select.POLLIN | select.POLLOUT)
            if both.poll()[0][1] & ~select.POLLOUT:
                self.pg.consume_input()

    def _receive(self) -> list[Any]:
        pg, wait = self.pg, self.line.poll.poll
        results: list[Any] = []
        while True:
            while pg.is_busy():
                wait()
                pg.consume_input()
            result = pg.get_result()
            if result is None:  # between two statements
                if pg.status != pq.ConnStatus.OK:
                    raise psycopg.OperationalError("The connection is lost.")
            elif result.status == pq.ExecStatus.PIPELINE_SYNC:
                return results
            else:
                results.append(result)


@cache
def _number(text: str) -> str:
    """The statement with $1, $2 … in place of Django's %s."""
    numbers = count(1)
    return re.sub("%s", lambda _: f"${next(numbers)}", text)
