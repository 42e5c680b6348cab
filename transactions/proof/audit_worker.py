"""How a worker process of the audit begins: nothing here may need Django before it is set up."""

import django
from django.db import connection


def set_up(database: str) -> None:
    """A connection of its own, to the same database as its parent's."""
    django.setup()
    connection.settings_dict["NAME"] = database
