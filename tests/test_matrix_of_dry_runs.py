"""Who may do something may ask what it would come to, nobody else, and nothing is changed by asking."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import matrix
from tests.database import take_stock
from tests.test_matrix import OUTSIDE, is_of_its_kind, scene  # noqa: F401, a fixture

pytestmark = pytest.mark.django_db

# Whose POST, of a hold also its PATCH, takes `dry_run`: the answer is then 200 to whom it is allowed.
OF_MONEY = [
    f"api/v1/{route}"
    for route in (
        *("transactions", "transactions/{transaction}/reverse", "transfers"),
        *("batches", "batches/{batch}/reverse"),
        *("holds", "holds/{hold}", "holds/{hold}/capture", "holds/{hold}/release"),
        "accounts/{account}/claims",
    )
]


@pytest.mark.parametrize("route", OF_MONEY)
def test_a_dry_run_is_allowed_to_whom_the_command_is_and_changes_nothing(scene, route):  # noqa: F811
    cells = [*matrix.list_cells(route), *matrix.list_single_cells(route)]
    cells = [cell for cell in cells if cell.rule and cell.rule.bodies]
    before = take_stock()
    allowed = 0
    for cell in cells:
        with CaptureQueriesContext(connection) as queries:
            answer = scene.ask(cell, "?dry_run=true")
        assert answer.status_code == (cell.status if cell.status >= 400 else 200), cell
        assert is_of_its_kind(answer, cell), cell
        assert not [query for query in queries if "KEY UPDATE" in query["sql"]]
        allowed += answer.status_code == 200 and answer.json()["dry_run"]
    assert take_stock() == before
    assert allowed


@pytest.mark.parametrize("route", sorted({*OUTSIDE} - {*OF_MONEY}))
def test_nothing_else_has_a_dry_run(scene, route):  # noqa: F811
    before = take_stock()
    for cell in matrix.list_cells(route):
        if cell.rule and cell.rule.bodies and cell.status < 400:
            answer = scene.ask(cell, "?dry_run=true")
            assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter"), cell
    assert take_stock() == before
