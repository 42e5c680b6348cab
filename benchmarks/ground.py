"""A ledger of a benchmark's own, on the embedded PostgreSQL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from benchmarks import machine


@contextmanager
def embedded_ledger(folder: Path, **environment: str) -> Iterator[None]:
    """Django works on the migrated ledger in the folder. Nothing of the project may be loaded before."""
    folder.chmod(0o755)
    os.environ |= {
        "LEDGER_VAR": str(folder),
        "DJANGO_SETTINGS_MODULE": "ledger_project.settings",
        **environment,
    }
    os.environ.pop("DATABASE_URL", None)
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    server = settings.EMBEDDED_POSTGRES
    assert server is not None
    server.settings |= machine.recommend_postgres()
    try:
        server.start()
        server.ensure_database(settings.DATABASES["default"]["NAME"])
        call_command("migrate", verbosity=0)
        yield
    finally:
        server.stop()
