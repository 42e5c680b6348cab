"""Statements that are written by hand, over Django's connection."""

from typing import Any

from django.db import connection

# The SQLSTATEs of what a standby, or a database that was made read only, does not do.
READ_ONLY = ("25006", "55000")
# How SQLSTATEs begin when the database cannot be asked: a lost or refused connection, or a standby.
UNAVAILABLE = ("08", "57P", "25006")


def fetch(statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """All rows that the statement answers with."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
