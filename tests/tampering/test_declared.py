"""Whoever adds a column decides what must become of a change of it; and the page says what was decided."""

import pytest

from tests.tampering.changes import list_changes
from tests.tampering.columns import list_tables, list_tables_of_others
from tests.tampering.declared import DECLARED, OF_OTHERS
from tests.tampering.outcomes import Outcome
from tests.tampering.page import PAGE, write_page


@pytest.mark.django_db
def test_every_column_of_every_table_is_declared_and_nothing_else_is():
    assert {table: set(entries) for table, entries in DECLARED.items()} == {
        table.name: set(list_changes(table)) for table in list_tables()
    }
    assert set(OF_OTHERS) == list_tables_of_others()


def test_what_nobody_sees_has_its_reason_and_nothing_is_meant_to_be_found_under_other_names():
    entries = {f"{table}.{name}": entry for table, named in DECLARED.items() for name, entry in named.items()}
    unseen = {place for place, entry in entries.items() if Outcome.UNSEEN in entry}
    assert {place for place in unseen if not entries[place].reason} == set()
    assert {place for place, entry in entries.items() if Outcome.UNNAMED in entry} == set()
    assert all(OF_OTHERS.values())


def test_the_page_has_the_table_of_today():
    assert PAGE.read_text() == write_page(PAGE.read_text()), "Run: python -m tests.tampering"
