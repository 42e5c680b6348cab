"""Where the database is for those who come with other rights than the service: `MIGRATION_DATABASE_URL` for
who changes its tables, `AUDIT_DATABASE_URL` for the audit that the relay begins."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper


def as_owner(wrapper: BaseDatabaseWrapper) -> AbstractContextManager[None]:
    """Let the connection go by `MIGRATION_DATABASE_URL` while the block runs, if that is set."""
    return _by(settings.MIGRATION_DATABASE, wrapper)


def as_maintenance(wrapper: BaseDatabaseWrapper) -> AbstractContextManager[None]:
    """Let the connection go by `AUDIT_DATABASE_URL` while the block runs, if that is set."""
    return _by(settings.AUDIT_DATABASE, wrapper)


@contextmanager
def _by(address: Mapping[str, Any], wrapper: BaseDatabaseWrapper) -> Iterator[None]:
    """By that address, to the database of the same name."""
    own = wrapper.settings_dict
    if not address or wrapper.alias != DEFAULT_DB_ALIAS:
        yield
        return
    options = {**own["OPTIONS"], **address.get("OPTIONS", {})}
    wrapper.close()
    wrapper.settings_dict = {**own, **address, "NAME": own["NAME"], "OPTIONS": options}
    try:
        yield
    finally:
        wrapper.close()
        wrapper.settings_dict = own
