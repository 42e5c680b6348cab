"""Faults in what takes a transaction back in parts, for `mutants` to plant."""

from tests.planted_faults import Mutant

PARTS = "tests/transactions/test_parts_taken_back.py::"
MORE = "tests/transactions/test_parts_in_time_and_in_lists.py::"
GUARDS = "tests/test_reversal_guards.py::"

MUTANTS = [
    Mutant(
        "a part beyond the original",
        "find_part",
        "    if asked > named.left:\n",
        "    if asked > named.amount:\n",
        PARTS + "test_more_than_is_left_is_declined_and_recorded_with_what_is_left",
    ),
    Mutant(
        "the database takes a part beyond the original",
        "transactions.migrations.0001_initial.GUARDS",
        "AND public.ledger_sum_taken_back(NEW.reverses) <= given.amount;",
        ";",
        GUARDS + "test_more_than_is_left_is_refused_in_a_later_statement",
    ),
    Mutant(
        "the other leg rounded up",
        "_convert",
        "int(exact * 10**decimals)",
        "-int(-exact * 10**decimals // 1)",
        PARTS + "test_the_other_leg_is_at_the_rate_of_the_original_rounded_down",
    ),
    Mutant(
        "a part leaves nothing of the other leg",
        "find_part",
        "other.left - find_unit(other.currency)",
        "other.left",
        PARTS + "test_a_part_leaves_something_of_the_other_leg_for_the_last_one",
    ),
    Mutant(
        "all that is left leaves a cent of the other leg",
        "find_part",
        "        return Part(named.left, other.left)\n",
        "        return Part(named.left, _convert(named.left, named, other) or other.left)\n",
        PARTS + "test_the_part_that_takes_all_that_is_left_takes_all_of_both_legs",
    ),
    Mutant(
        "a repetition compared with what was taken",
        "Reversal._make_leg",
        "amount_asked=self.amount if row.id == self.transaction_id else None",
        "amount_asked=None",
        PARTS + "test_a_repetition_is_compared_with_what_was_asked_and_not_with_what_was_taken",
    ),
    Mutant(
        "what a list has taken back does not count in it",
        "State.take_back",
        "TakenBack(before.amount + row.amount, row.id)",
        "TakenBack(row.amount, row.id)",
        MORE + "test_several_parts_of_one_transaction_stand_in_one_list",
    ),
    Mutant(
        "taken back before it moved",
        "Reversal.__post_init__",
        "self.effective_at < earliest",
        "self.effective_at is None",
        MORE + "test_nothing_is_taken_back_before_it_moved",
    ),
    Mutant(
        "a bound token takes all that is left",
        "bounds._find_legs",
        "    return reversal.find_legs(",
        "    return () and reversal.find_legs(",
        MORE + "test_a_token_that_is_bound_to_amounts_takes_back_parts_up_to_them",
    ),
]
