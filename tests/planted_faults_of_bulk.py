"""Faults in taking back and approving many at once, and in confirming, for `mutants` to plant."""

from tests.planted_faults import Mutant

LISTS = "tests/transactions/test_corrections_of_lists.py::"
TOGETHER = "tests/office/test_reversing_together.py::"
APPROVING = "tests/office/test_approving_together.py::"
CONFIRMING = "tests/office/test_confirming.py::"

MUTANTS = [
    Mutant(
        "the sum of a list is not counted for the limit",
        "_exceed_limit",
        "asked.get(currency, Decimal(0)) + each.amount",
        "each.amount",
        LISTS + "test_the_sum_counts_for_the_limit_and_a_second_person_approves_once",
    ),
    Mutant(
        "who asked for a list approves it",
        "corrections.deciding.approve",
        "if waiting[0].maker_id == caller.actor:",
        "if waiting[0].maker_id == caller.actor and waiting[0].batch is None:",
        LISTS + "test_the_sum_counts_for_the_limit_and_a_second_person_approves_once",
    ),
    Mutant(
        "what was declined of a list is told as reversed",
        "corrections.deciding._post",
        "_decide(corrections, checker_id, declined=declined)",
        "_decide(corrections, checker_id, declined=declined if len(declined) == len(corrections) else [])",
        LISTS + "test_what_is_declined_is_declined_alone_and_says_why",
    ),
    Mutant(
        "a page tells what was declined of a list as reversed",
        "corrections.lists.tell_outcome",
        "if posted < len(made):",
        "if not posted:",
        TOGETHER + "test_what_the_ledger_declines_is_foreseen_and_listed_with_its_reason",
    ),
    Mutant(
        "only one of a list is approved",
        "corrections.deciding._lock_waiting",
        "asked.filter(batch=batch)",
        "asked.filter(id=id)",
        LISTS + "test_the_sum_counts_for_the_limit_and_a_second_person_approves_once",
    ),
    Mutant(
        "a list sent again is asked for again",
        "corrections.lists.reverse_all",
        "if before := find_batch(id):",
        "if before := []:",
        LISTS + "test_sent_again_it_is_answered_as_it_is",
    ),
    Mutant(
        "the audit does not count the rows of a list",
        "CORRECTIONS",
        "HAVING count(*) <> min(batch_size) OR count",
        "HAVING count",
        LISTS + "test_a_list_that_lost_one_is_found",
    ),
    Mutant(
        "checking a form carries it out",
        "actions.run",
        "if is_sent and not is_check and form.is_valid():",
        "if is_sent and form.is_valid():",
        CONFIRMING + "test_it_follows_what_is_typed_and_does_nothing",
    ),
    Mutant(
        "of several approvals none counts those before it",
        "show_approvals",
        "after = {**after, **foreseen.after}",
        "after = {}",
        APPROVING + "test_each_is_shown_with_its_numbers_which_count_those_before_it",
    ),
    Mutant(
        "one's own is offered for approval",
        "show_approvals",
        "is_decidable(each) and each.maker_id != request.user.pk",
        "is_decidable(each)",
        APPROVING + "test_ones_own_is_left_out_and_refused",
    ),
]
