"""Faults in thresholds for `mutants` to plant: crossings told twice, not at all, too early, or otherwise."""

from tests.planted_faults import Mutant

THRESHOLDS = "tests/transactions/test_thresholds.py::"
TOLD = "tests/transactions/test_told_thresholds.py::"

MUTANTS = [
    Mutant(
        "a crossing told twice",
        "State.take_thresholds",
        "        self.thresholds[account.id] = tuple(each for each in after.values() if each)\n",
        "",
        THRESHOLDS + "test_what_others_post_in_the_same_commit_makes_no_difference",
    ),
    Mutant(
        "the end of a hold crosses nothing by itself",
        "deciding.end_due_holds",
        "if not state.is_settled:",
        "if False:",
        THRESHOLDS + "test_the_end_of_a_hold_is_one_thing_and_what_comes_after_it_another",
    ),
    Mutant(
        "a list that dips in itself is told of",
        "decide_commands",
        "if not state.is_settled and request.batch is None:",
        "if not state.is_settled:",
        THRESHOLDS + "test_a_list_with_an_id_that_dips_in_itself_tells_nothing",
    ),
    Mutant(
        "below at the amount itself",
        "Threshold.is_missed",
        "< self.amount",
        "<= self.amount",
        THRESHOLDS + "test_at_the_amount_itself_an_account_is_not_below",
    ),
    Mutant(
        "credit is not asked",
        "find_crossings",
        '"available": account.available',
        '"available": account.balance - account.held',
        THRESHOLDS + "test_every_cause_of_a_change_is_heard_of",
    ),
    Mutant(
        "the lower amount first on the way down",
        "find_crossings",
        "each.amount if each.below else -each.amount",
        "each.amount",
        THRESHOLDS + "test_who_passes_several_hears_of_each_in_its_order",
    ),
    Mutant(
        "the audit takes a crossing to the same side",
        "thresholds.Told.add",
        'if (SIDES.get(type), data["below"], is_below) != (not was_below,) * 3:',
        "if False:",
        TOLD + "test_a_crossing_that_was_told_twice_is_found",
    ),
]
