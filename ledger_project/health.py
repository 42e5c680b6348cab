"""Whether the process lives, and whether it can do its work."""

import mmap

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from ledger.sql import fetch
from ledger_project import checks

_migrated = False
_draining = mmap.mmap(-1, 1)  # one byte that every process forked from this one sees


def start_draining() -> None:
    """From now on this process and all that were forked from it say that they are not ready."""
    _draining[0] = 1


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; it looks at nothing else."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and can be written to, has all migrations, and the settings fit; else 503
    with the reason, as when the service is about to stop."""
    try:
        reason = "it is being stopped" if _draining[0] else find_reason()
    except Error:
        reason = "the database does not answer"
    if reason:
        return JsonResponse({"status": "unavailable", "reason": reason}, status=503)
    return JsonResponse({"status": "ok"})


def find_reason() -> str:
    """Why the process cannot do its work, or an empty text. Everybody reads it, so it names no setting.

    Raises `django.db.Error` when the database does not answer."""
    [[is_read_only]] = fetch("SELECT current_setting('transaction_read_only')::boolean")
    if is_read_only:
        return "the database only reads: a standby, as it seems"
    if has_pending_migrations():
        return "migrations are missing"
    wrong = [*checks.find_errors(checks.OF_SETTINGS), *checks.check_used()]
    ids = ", ".join(sorted({str(error.id) for error in wrong}))
    return f"settings are wrong ({ids}): `manage.py check --database default` names them" if ids else ""


def has_pending_migrations() -> bool:
    """Once none are pending it is not asked again: this process's code cannot get new ones."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return not _migrated
