"""Faults in holds that are changed, and captured into accounts, for `mutants` to plant."""

from tests.planted_faults import Mutant

CHANGES = "tests/transactions/test_hold_changes.py::"
CAPTURES = "tests/transactions/test_captures_into_accounts.py::"
HOLDS = "tests/transactions/test_holds.py::"

MUTANTS = [
    Mutant(
        "a raise that is not covered is taken",
        "ChangeHold.decide",
        "if more > 0 and (decline := find_decline(more, account)):",
        "if more > 0 and (decline := find_decline(Decimal(0), account)):",
        CHANGES + "test_a_raise_that_is_not_covered_is_declined_and_told",
    ),
    Mutant(
        "a repeated change is told twice",
        "ChangeHold.decide",
        "if not changes:",
        "if False:",
        CHANGES + "test_what_is_so_already_changes_nothing_and_is_told_by_nobody",
    ),
    Mutant(
        "a raise is held in full once more",
        "ChangeHold.decide",
        "more = amount - hold.amount",
        "more = amount",
        CHANGES + "test_an_amount_is_raised_and_lowered_and_the_account_follows",
    ),
    Mutant(
        "a hold shrinks to what was captured",
        "ChangeHold.decide",
        "if amount <= hold.captured:",
        "if amount < hold.captured:",
        CHANGES + "test_the_amount_stays_above_what_was_captured",
    ),
    Mutant(
        "another end counts for nobody",
        "find_due_holds",
        "expires_at__lte=clock",
        "expires_at_asked__lte=clock",
        CHANGES + "test_another_end_is_the_one_that_counts",
    ),
    Mutant(
        "a hold repeated is compared with what became of it",
        "accounts.models.holds.HOLD_TABLE",
        'Column(name="amount_asked", kind=Kind.AMOUNT, shown=False, asked="amount", sent="required")',
        'Column(name="amount_asked", kind=Kind.AMOUNT, shown=False, sent="required")',
        CHANGES + "test_a_hold_is_repeated_as_it_was_placed_whatever_became_of_it",
    ),
    Mutant(
        "a declined change declines nobody else",
        "_find_culprit",
        "made = decision.made if decision.events else None",
        "made = decision.row or decision.hold",
        CHANGES + "test_in_a_list_of_all_or_nothing_a_declined_change_takes_all_of_it_back",
    ),
    Mutant(
        "the second destination unpaid",
        "Capture._make_parts",
        "parts.append((taken, given))",
        "parts.append((taken,) if number else (taken, given))",
        CAPTURES + "test_a_list_pays_each_of_them_and_gives_back_the_rest",
    ),
    Mutant(
        "the rest of a list is kept",
        "Capture._decide_parts",
        "self.final and number == len(parts)",
        "self.final and len(parts) == 1",
        CAPTURES + "test_a_list_pays_each_of_them_and_gives_back_the_rest",
    ),
    Mutant(
        "every part takes from all that was left",
        "Capture._decide_parts",
        "                    hold = cast(Hold, decision.hold)\n",
        "",
        CAPTURES + "test_a_list_is_for_no_more_than_is_left",
    ),
    Mutant(
        "half of a list is paid",
        "Capture.decide",
        "if found is not None and len(self.needs.rows) > 1:",
        "if False:",
        CAPTURES + "test_a_closed_destination_declines_everything_and_the_hold_stays",
    ),
    Mutant(
        "a repeated capture is compared with what was taken",
        "Capture._make_leg",
        "amount_asked=self.amount_asked",
        "amount_asked=amount",
        HOLDS + "test_a_capture_of_all_is_repeated_as_it_was_asked",
    ),
    Mutant(
        "a capture of what grew is beyond the bounds of its token",
        "Capture.decide",
        "if self.amount_max is not None and hold.remaining > self.amount_max:",
        "if False:",
        "tests/transactions/test_captures_in_lists.py::"
        "test_a_hold_that_grew_meanwhile_is_still_within_the_bounds_of_a_token",
    ),
]
