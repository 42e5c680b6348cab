"""Planted faults of the lists of the back office, for `tests/mutants.py`."""

from tests.planted_faults import Mutant

FILTERS = "tests/office/test_list_filters.py::"
WALKS = "tests/office/test_list_walks.py::"
PLANS = "tests/office/test_list_plans.py::"

MUTANTS = [
    Mutant(
        "a filter that is ignored",
        "TransactionForm.tried",
        '"late": "late",',
        "",
        f"{FILTERS}test_transactions",
    ),
    Mutant(
        "a walk that skips rows where it stops",
        "Walk.read",
        "return Stretch(ids, tuple(found[-1][3:]), has_stopped=True)",
        "return Stretch(ids, None, has_stopped=True)",
        f"{WALKS}test_a_walk_that_stops_goes_on_where_it_stopped",
    ),
    Mutant(
        "a walk that goes on from the first row that it found",
        "Walk.read",
        "return Stretch(ids, tuple(fitting[-1][3:]), has_stopped=False)",
        "return Stretch(ids, tuple(fitting[0][3:]), has_stopped=False)",
        f"{WALKS}test_a_list_goes_past_its_thousandth_row",
    ),
    Mutant(
        "a file beyond its bound",
        "exports.read_all",
        "stretch = shown.walk.read(most - len(rows), after)",
        "stretch = shown.walk.read(2 * most, after)",
        f"{WALKS}test_what_is_cut_says_so_in_the_page_and_in_its_last_line",
    ),
    Mutant(
        "any condition may choose the plan",
        "ListForm.make_walk",
        "rows=self.carry(rows),",
        "rows=self.carry(rows).filter(*conditions),",
        f"{PLANS}test_a_page_looks_at_so_many_rows_and_no_more",
    ),
    Mutant(
        "a hold that is due is open in lists",
        "money.have_status",
        "return Q(status=value) & (Q(expires_at=None) | Q(expires_at__gt=clock))",
        "return Q(status=value)",
        f"{FILTERS}test_holds",
    ),
]
