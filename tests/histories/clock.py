"""The database's clock in the hands of a test: every look is a millisecond later, and days can be skipped.
In a transaction that only reads it stands still.

So holds expire, days end, and both happen at the very moment of a posting, without anybody waiting for it.
"""

from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection

from tests.cast import day
from tests.database import execute

START = day("2030-10-26T20:00")  # the night in which Berlin's clocks are set back, and its day has 25 hours
TICK = timedelta(milliseconds=1)
INSTALL = f"""
CREATE SCHEMA moving;
CREATE SEQUENCE moving.ticks;
CREATE FUNCTION moving.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT timestamptz '{START.isoformat()}' + interval '1 millisecond' * CASE
        WHEN current_setting('transaction_read_only')::boolean THEN (SELECT last_value FROM moving.ticks)
        ELSE nextval('moving.ticks')
    END
$$;
SET search_path = moving, pg_catalog, public
"""


@contextmanager
def moving_clock():
    execute(INSTALL)
    connection.close_at = None  # another connection would see the real clock, however long this takes
    try:
        yield
    finally:
        execute("RESET search_path; DROP SCHEMA moving CASCADE")


def read_clock() -> datetime:
    clock: datetime = execute("SELECT clock_timestamp()")[0][0]
    return clock


def move_clock(to: datetime) -> None:
    """On to that moment, which the next look but one will see; never back."""
    execute("SELECT setval('moving.ticks', greatest(nextval('moving.ticks'), %s))", (to - START) // TICK)


def count_ticks() -> int:
    """As far as it has come, without a look at it."""
    ticks: int = execute("SELECT last_value FROM moving.ticks")[0][0]
    return ticks


def set_clock_back(ticks: int) -> None:
    """Only over looks by which nothing was decided."""
    execute("SELECT setval('moving.ticks', %s)", ticks)


def restart_clock() -> None:
    execute("SELECT setval('moving.ticks', 1)")
