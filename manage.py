#!/usr/bin/env python
"""Runs the project's commands."""

import os
import sys
from typing import NoReturn


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ledger_project.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        settings.INSTALLED_APPS  # noqa: B018, reads the settings
    except ImproperlyConfigured as error:
        fail(str(error))
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        fail(explain_missing_database(error))


def fail(sentence: str) -> NoReturn:
    """End with the sentence on stderr; of what serves, and nobody watches, as the log has its lines."""
    if sys.argv[1:2] in (["serve"], ["relay_events"]) and not sys.stderr.isatty():
        from rest import log

        log.configure("INFO")
        log.Lines().write(sentence)
        sys.exit(1)
    sys.exit(sentence)


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
