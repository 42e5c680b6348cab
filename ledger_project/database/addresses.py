"""Where the database is for those who change its tables: `MIGRATION_DATABASE_URL`."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def as_owner(wrapper: BaseDatabaseWrapper) -> Iterator[None]:
    """Let the connection go by `MIGRATION_DATABASE_URL` while the block runs, if that is set.

    It leads to the database of the same name."""
    own = wrapper.settings_dict
    if not settings.MIGRATION_DATABASE or wrapper.alias != DEFAULT_DB_ALIAS:
        yield
        return
    options = {**own["OPTIONS"], **settings.MIGRATION_DATABASE.get("OPTIONS", {})}
    wrapper.close()
    wrapper.settings_dict = {**own, **settings.MIGRATION_DATABASE, "NAME": own["NAME"], "OPTIONS": options}
    try:
        yield
    finally:
        wrapper.close()
        wrapper.settings_dict = own
