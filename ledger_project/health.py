"""Whether the process lives, and whether it can do its work."""

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

_migrated = False


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; it looks at nothing else."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and has all migrations, else 503 with the reason."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        pending = has_pending_migrations()
    except Error:
        return JsonResponse({"status": "unavailable", "reason": "the database does not answer"}, status=503)
    if pending:
        return JsonResponse({"status": "unavailable", "reason": "migrations are missing"}, status=503)
    return JsonResponse({"status": "ok"})


def has_pending_migrations() -> bool:
    """Once none are pending it is not asked again: this process's code cannot get new ones."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return not _migrated
