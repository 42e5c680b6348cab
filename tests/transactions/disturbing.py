"""What goes wrong around a posting's write and its commit, in a real database."""

from contextlib import contextmanager

import psycopg
from django.db import connection

from tests.database import execute
from transactions.posting import writing
from transactions.posting.own_transaction import OwnTransaction


@contextmanager
def another_connection():
    other = connection.copy()
    try:
        yield other
    finally:
        other.close()


def kill_connection():
    """The server ends the connection of the thread that calls this."""
    pid = connection.connection.info.backend_pid
    with another_connection() as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        assert cursor.fetchone() == (True,)


def write_failure(sqlstate):
    """A statement that the server fails."""
    return f"DO $$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{sqlstate}'; END $$"


def fail_with(sqlstate):
    """Let the server itself raise it."""
    execute(write_failure(sqlstate))


def end_early():
    execute("ROLLBACK")


def lose_the_answer():
    """COMMIT was sent, and the connection is lost before its answer has come."""
    with connection.wrap_database_errors:
        connection.connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")


def do_nothing():
    pass


def disturb_writes(
    monkeypatch, *, times=1, before=do_nothing, beside=(), between=do_nothing, after=do_nothing
):
    """Call something before the first so many writes, between them and their commits, or after these.

    Answers with the list of all writes. A write and its commit go down together: for something to happen in
    between they go down one after the other. Statements `beside` go down with them, between the two.
    """
    commit, write, writes = OwnTransaction.commit, writing.write, []

    def commit_disturbed(own, *statements):
        if statements:
            writes.append(statements)
        if not statements or len(writes) > times:
            commit(own, *statements)
            return
        before()
        if between is not do_nothing:
            for statement in statements:
                write(*statement)
            between()
            statements = ()
        commit(own, *statements, *((statement, ()) for statement in beside))
        after()

    def write_disturbed(*statement):
        """In the transaction of a caller."""
        writes.append(statement)
        if len(writes) <= times:
            before()
        write(*statement)

    monkeypatch.setattr(OwnTransaction, "commit", commit_disturbed)
    monkeypatch.setattr(writing, "write", write_disturbed)
    return writes
