"""Faults in the order within a moment, in days, amounts and imports, for `mutants` to plant."""

from tests.planted_faults import Mutant

ORDER = "tests/transactions/test_order_within_a_moment.py::"
TODAY = "tests/transactions/test_today.py::"
DECLINES = "tests/transactions/test_import_declines.py::"
FIELDS = "tests/rest/test_fields.py::"
HOLDS = "tests/transactions/test_holds.py::"

MUTANTS = [
    Mutant(
        "deposits of a moment in the given order",
        "order.take_cover",
        "deposits.pop(moment, ())",
        "()",
        ORDER + "test_a_withdrawal_waits_for_the_deposits_of_its_day_behind_it",
    ),
    Mutant(
        "deposits of a moment first, needed or not",
        "order.take_cover",
        "decision.row.decline_reason not in LACKS",
        "False",
        ORDER + "test_an_order_that_covers_is_kept",
    ),
    Mutant(
        "deposits of any moment first",
        "order.find_deposits",
        " and command.effective_at is not None",
        "",
        ORDER + "test_moments_that_are_not_said_to_be_the_same_are_in_the_given_order",
    ),
    Mutant(
        "a version overtaken by a deposit",
        "order.find_deposits",
        "guarded.add(command.account_id)",
        "pass",
        ORDER + "test_who_asks_for_a_version_asks_for_the_order",
    ),
    Mutant(
        "today is the future",
        "asked.require_begun",
        "(begins_at or asked)",
        "asked",
        TODAY + "test_the_same_body_is_one_transaction_now_before_midnight_and_the_next_day",
    ),
    Mutant(
        "what was asked of today is forgotten",
        "legs._make_row",
        '"effective_at_asked": leg.effective_at,',
        '"effective_at_asked": leg.effective_at and min(leg.effective_at, recorded_at),',
        TODAY + "test_the_same_body_is_one_transaction_now_before_midnight_and_the_next_day",
    ),
    Mutant(
        "an instant ahead is taken for a day",
        "asked.require_begun",
        "None\n",
        "clock\n",
        TODAY + "test_neither_a_day_nor_an_instant_that_is_to_come_is_taken",
    ),
    Mutant(
        "days of a file are instants",
        "staging._as_staged",
        "if day is not None:",
        "if False:",
        TODAY + "test_rows_of_today_are_imported_by_the_days_of_the_zone",
    ),
    Mutant(
        "the first of two local times",
        "times._find_instant",
        "if len(instants) == 1:",
        "if instants:",
        FIELDS + "test_a_time_that_the_clocks_show_twice_or_never_is_refused_with_both_instants",
    ),
    Mutant(
        "a JSON number is an amount",
        "AmountField.to_internal_value",
        "is_text = type(value) is str",
        "is_text = isinstance(value, str)",
        FIELDS + "test_a_json_number_is_no_amount_whatever_it_is",
    ),
    Mutant(
        "a file with a decline is posted",
        "import_transactions.Command.handle",
        " and not run.foretold",
        "",
        DECLINES + "test_nothing_is_posted_or_made_when_a_row_would_be_declined",
    ),
    Mutant(
        "a decline of meanwhile is recorded",
        "imports.post_rows",
        "no_declines=not allow_declines",
        "no_declines=False",
        DECLINES + "test_a_row_that_would_be_declined_meanwhile_stops_the_import_before_its_list",
    ),
    Mutant(
        "what others do is seen while a file is decided",
        "imports.try_rows",
        "with posting.reading_one_moment():",
        "if True:",
        DECLINES + "test_a_whole_file_is_decided_as_of_one_moment",
    ),
    Mutant(
        "due holds count while a file is decided",
        "Rehearsal.decide",
        "dict.fromkeys(new, self.caller)",
        "{}",
        DECLINES + "test_holds_whose_time_is_over_do_not_count_while_it_is_decided",
    ),
    Mutant(
        "a moment cut in two",
        "Staging.read_in_order",
        "len(page) + together > size",
        "False",
        DECLINES + "test_rows_of_a_moment_are_posted_at_once_and_a_moment_of_too_many_deposits_first",
    ),
    Mutant(
        "a moment of too many as it stands",
        "staging.IN_ORDER",
        "together > ? AND",
        "together < ? AND 0 AND",
        DECLINES + "test_rows_of_a_moment_are_posted_at_once_and_a_moment_of_too_many_deposits_first",
    ),
    Mutant(
        "a declined row taken up twice",
        "imports.derive_retry_id",
        'b"ledger-import-retry-1" + id.bytes',
        '__import__("os").urandom(16)',
        DECLINES + "test_what_was_declined_is_taken_up_again_once_each_by_its_run",
    ),
    Mutant(
        "the present name of a user is another user",
        "operations.create_user",
        "if name == found.name:",
        "if False:",
        "tests/accounts/test_users_api.py::test_who_sends_what_a_user_is_called_now_means_that_user",
    ),
]
