#!/usr/bin/env python
"""Runs the project's commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ledger_project.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        settings.INSTALLED_APPS  # noqa: B018, reads the settings
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        sys.exit(explain_missing_database(error))


def explain_missing_database(error: Exception) -> str:
    """One line that says what to run, when the database does not answer; else the error itself."""
    from django.conf import settings

    embedded = settings.EMBEDDED_POSTGRES
    if embedded is None:
        return f"The database of DATABASE_URL does not answer: {str(error).splitlines()[0]}"
    if embedded.is_running():
        raise error
    return "The embedded database is not running. Start it with `make run` or `python manage.py db start`."


if __name__ == "__main__":
    main()
