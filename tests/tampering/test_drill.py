"""Every change of every column, as the service's role and as a superuser: it comes to what is declared.

Here a sample, with every table in it; with LEDGER_TAMPERING all of them (`make soak`).
"""

import os
from random import Random

import pytest

from tests.tampering.changes import list_changes
from tests.tampering.columns import Table, list_tables
from tests.tampering.declared import DECLARED
from tests.tampering.drill import drill
from tests.tampering.hands import Hands
from tests.tampering.outcomes import REMOVED

IS_WHOLE = bool(os.environ.get("LEDGER_TAMPERING"))
SAMPLE = 80
# What one check alone sees: planted faults in those checks rely on it.
ALONE = {
    ("transactions_transaction", "reference"),
    ("accounts_account", "chain_head"),
    ("accounts_account", "held"),
}


def choose() -> list[tuple[Table, str, Hands]]:
    """The changes: of each table a row removed, as a superuser; the others by chance, but always the same."""
    every = [(table, what, who) for table in list_tables() for what in list_changes(table) for who in Hands]
    if IS_WHOLE:
        return every
    certain = [
        (table, what, who)
        for table, what, who in every
        if who is Hands.SUPERUSER and (what == REMOVED or (table.name, what) in ALONE)
    ]
    others = [each for each in every if each not in certain]
    return certain + Random(16).sample(others, SAMPLE - len(certain))


@pytest.mark.timeout(3600 if IS_WHOLE else 120)
def test_every_change_comes_to_what_is_declared(everything):
    differs = {}
    for table, what, who in choose():
        entry = DECLARED[table.name][what]
        wanted = entry.service if who is Hands.SERVICE else entry.superuser
        outcome = drill(table, what, who, everything)
        if outcome is not wanted:
            differs[f"{table.name}.{what}: {who}"] = f"{outcome}, declared {wanted}"
    assert differs == {}
