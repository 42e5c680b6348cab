"""Faults in dry runs for `mutants` to plant."""

from tests.planted_faults import Mutant

DRY_RUNS = "tests/transactions/test_dry_runs.py::"
ONLY_READ = "tests/transactions/test_dry_runs_only_read.py::"

MUTANTS = [
    Mutant(
        "a dry run waits for locks",
        "rehearsal._read_rows",
        "return list(Account._base_manager.filter(id__in=ids).values_list(*COLUMNS))",
        "return operations.lock_rows(ids, COLUMNS)",
        ONLY_READ + "test_an_account_that_somebody_has_locked_is_not_waited_for_nor_locked",
    ),
    Mutant(
        "a dry run is carried out",
        "views.post_list",
        "ask(posting.rehearse, asked)",
        "ask(posting.rehearse, asked)\n        wait_for(posting.share(asked))",
        DRY_RUNS + "test_a_dry_run_says_what_the_command_then_does_and_changes_nothing",
    ),
    Mutant(
        "due holds count in a dry run",
        "end_due_holds",
        "for hold in find_due_holds(accounts, state.clock):",
        "for hold in ():",
        DRY_RUNS + "test_holds_that_are_due_count_as_ended_and_stay_as_they_are",
    ),
    Mutant(
        "a dry run does not look at what is stored",
        "rehearsal.rehearse",
        "writing.look(ids, ",
        "writing.look([], ",
        DRY_RUNS + "test_an_id_that_is_decided_shows_its_answer_and_another_command_under_it_is_refused",
    ),
    Mutant(
        "a dry run does not look at lists",
        "rehearsal.rehearse",
        "[request.batch.id] if request.batch else []",
        "[]",
        DRY_RUNS + "test_a_list_that_is_decided_is_shown_and_another_one_is_refused",
    ),
    Mutant(
        "anybody may ask what would be",
        "HasPermission.has_permission",
        "        if not request.may(permission):",
        '        if not request.may(permission) and not request.META.get("QUERY_STRING"):',
        DRY_RUNS + "test_it_needs_the_permission_of_the_command",
    ),
    Mutant(
        "a dry run reads what comes meanwhile",
        "reading_one_moment",
        "queries.ONE_MOMENT if briefly",
        '"SET TRANSACTION READ ONLY" if briefly',
        ONLY_READ + "test_what_is_posted_while_it_is_decided_is_not_seen",
    ),
    Mutant(
        "a dry run shows the version of the destination",
        "rehearsal.rehearse",
        "first = next(iter(account_ids), None)",
        "first = next(reversed(account_ids), None)",
        DRY_RUNS + "test_of_a_transfer_the_version_is_the_sources",
    ),
    Mutant(
        "a dry run takes the place of a payment",
        "choose_lane",
        'if query and "dry_run=true" in query:',
        "if False:",
        DRY_RUNS + "test_it_is_read_in_the_lane_of_readers",
    ),
]
