"""Statements that are written by hand, over Django's connection."""

from typing import Any

from django.db import connection


def fetch(statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """All rows that the statement answers with."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
