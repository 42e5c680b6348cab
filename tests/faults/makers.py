"""The kinds of operations: to hammer a new command, add its maker to `MAKERS`."""

from functools import partial

from tests.faults.draws import HELD, LISTS, Draw, Makers
from tests.faults.makers_of_claims import claim_back, open_claim, set_threshold, waive_claim
from tests.faults.makers_of_lists import make_batch, make_list, make_sale, take_list_back
from tests.faults.makers_of_rows import (
    ALWAYS_DECIDED,
    capture_hold,
    change_hold,
    come_from_the_future,
    deposit,
    make_reversal,
    make_single,
    make_transfer,
    place_hold,
    release_hold,
    use_a_wrong_scale,
    use_an_unknown_account,
    withdraw,
    withdraw_too_much,
)
from tests.faults.operations import Operation, Plan

OF_ROWS: Makers = {
    "deposit": (30, partial(make_single, deposit, None)),
    "withdrawal": (14, partial(make_single, withdraw, None)),
    "late deposit": (9, partial(make_single, ALWAYS_DECIDED[2], None)),
    "late withdrawal": (9, partial(make_single, ALWAYS_DECIDED[3], None)),
    "withdrawal of too much": (3, partial(make_single, withdraw_too_much, None)),
    "wrong scale": (2, partial(make_single, use_a_wrong_scale, "amount_scale")),
    "unknown account": (2, partial(make_single, use_an_unknown_account, "not_found")),
    "from the future": (2, partial(make_single, come_from_the_future, "effective_at_in_future")),
    "transfer": (10, make_transfer),
    "late transfer": (4, partial(make_transfer, late=True)),
    "transfer to nobody": (2, partial(make_transfer, to_nobody=True)),
    "exchange": (6, partial(make_transfer, is_exchange=True)),
    "hold": (14, place_hold),
    "hold that expires": (8, partial(place_hold, expires=True)),
    "capture": (8, partial(capture_hold, final=True)),
    "capture that is not final": (9, partial(capture_hold, final=False)),
    "capture into an account": (4, partial(capture_hold, final=True, into="one")),
    "capture into accounts": (4, partial(capture_hold, final=True, into="several")),
    "capture into accounts that is not final": (5, partial(capture_hold, final=False, into="several")),
    "changed hold": (16, change_hold),
    "release": (5, release_hold),
}
OF_LISTS: Makers = {
    "batch": (6, partial(make_batch, atomic=False)),
    "atomic batch": (7, partial(make_batch, atomic=True)),
    "list": (8, partial(make_list, atomic=False)),
    "atomic list": (10, partial(make_list, atomic=True)),
    "sale": (5, make_sale),
}
OF_CLAIMS: Makers = {
    "claim": (12, open_claim),
    "waiver": (6, waive_claim),
    "threshold": (12, set_threshold),
}
REVERSED = (OF_ROWS.keys() | OF_LISTS.keys()) - HELD - {"release", "changed hold"}
# kind: (how often, maker)
MAKERS: Makers = {
    **OF_ROWS,
    **OF_LISTS,
    **OF_CLAIMS,
    "claimed reversal": (8, partial(claim_back, kinds=REVERSED)),
    "reversal": (18, partial(make_reversal, kinds=frozenset({*REVERSED, "reversal"}))),
    "list taken back": (6, take_list_back),
}
assert OF_LISTS.keys() == LISTS


def make_operation(plan: Plan, step: int) -> Operation:
    return Draw(plan, step, MAKERS).make()
