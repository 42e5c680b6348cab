"""Whether the process lives, and whether it can do its work."""

import select
import threading

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DEFAULT_DB_ALIAS, Error, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from rest.middleware import GetResponse

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


class Own(threading.local):
    """A thread's connection, which is found faster than by `connection`."""

    def __init__(self) -> None:
        self.wrapper = connections[DEFAULT_DB_ALIAS]


own = Own()


def drop_ended(wrapper: BaseDatabaseWrapper) -> None:
    """Close a connection that the server has ended, so that its next user has a new one.

    `CONN_HEALTH_CHECKS` would ask the database each time. An idle connection has nothing to read unless it
    has ended, which costs one `poll`.
    """
    if wrapper.connection is not None and not wrapper.in_atomic_block:
        poll = select.poll()
        poll.register(wrapper.connection.fileno(), select.POLLIN)
        if poll.poll(0):
            wrapper.close()


def look_after_connections(get_response: GetResponse) -> GetResponse:
    """Middleware, for threads that own connections: an ended one is made anew, an old or broken one closed.

    The latter is what Django's signals do for pages; requests of the API send none. Where a thread has no
    connection there is nothing to do. The server's threads borrow theirs of a pool, which looks after them.
    """
    if settings.DATABASES[DEFAULT_DB_ALIAS]["OPTIONS"].get("pool"):
        raise MiddlewareNotUsed

    def middleware(request: HttpRequest) -> HttpResponseBase:
        wrapper = own.wrapper
        drop_ended(wrapper)
        response = get_response(request)
        if wrapper.connection is not None and not wrapper.in_atomic_block:
            wrapper.close_if_unusable_or_obsolete()
        return response

    return middleware
