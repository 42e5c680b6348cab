"""Faults in what other apps of the monolith call, for `mutants` to plant."""

from tests.planted_faults import Mutant

IN_PROCESS = "tests/transactions/test_in_process.py::"
ASKED = "tests/transactions/test_what_is_asked.py::"
PAGE = "tests/neighbour/test_in_process_page.py::"

MUTANTS = [
    Mutant(
        "a decline is taken back by being raised",
        "in_process.posted",
        "    _raise_if_declined(results)",
        "        _raise_if_declined(results)",
        IN_PROCESS + "test_of_what_is_declined_the_block_is_not_entered_and_the_decline_is_committed",
    ),
    Mutant(
        "what is declined is done all the same",
        "in_process.posted",
        "if not find_culprit(results):",
        "if results:",
        IN_PROCESS + "test_of_what_is_declined_the_block_is_not_entered_and_the_decline_is_committed",
    ),
    Mutant(
        "a decline is no error",
        "in_process.post_or_raise",
        "    _raise_if_declined(results)\n",
        "",
        IN_PROCESS + "test_what_is_declined_is_raised_when_it_is_committed",
    ),
    Mutant(
        "the money stays when the block fails",
        "engine.post_and_stay",
        "transaction.enter_context(attempt.pop_all())",
        "pass",
        IN_PROCESS + "test_an_error_in_the_block_takes_back_both_and_the_id_is_free",
    ),
    Mutant(
        "a swallowed error is not told",
        "in_process.posted",
        "            _require_sound()\n",
        "",
        IN_PROCESS + "test_who_swallows_an_error_of_the_database_is_told_that_nothing_is_written",
    ),
    Mutant(
        "a decline is raised inside another transaction",
        "_require_outermost",
        "not connection.atomic_blocks[-1]._from_testcase",
        "False",
        IN_PROCESS + "test_inside_another_transaction_nothing_is_asked",
    ),
    Mutant(
        "a lost race is the caller's",
        "engine.post_and_stay",
        "attempts_max=attempts_max",
        "attempts_max=1",
        IN_PROCESS + "test_until_the_block_is_entered_a_lost_race_is_run_again",
    ),
    Mutant(
        "the reason of a list is that of the list",
        "requests.find_culprit",
        "not in (TRANSFER_DECLINED, BATCH_DECLINED)",
        "not in (TRANSFER_DECLINED,)",
        IN_PROCESS + "test_of_a_list_one_decline_declines_all_and_is_the_one_that_is_raised",
    ),
    Mutant(
        "metadata of anything",
        "asked.CHECKS",
        '    "metadata": lambda value, field: require_metadata(value),\n',
        "",
        ASKED + "test_a_transaction_is_refused_in_the_words_of_the_api",
    ),
    Mutant(
        "a naive time",
        "_require_moment",
        " or value.utcoffset() is None",
        "",
        ASKED + "test_other_commands_are_too",
    ),
    Mutant(
        "only what is plain is looked at",
        "Leg.__post_init__",
        "            and not self.metadata\n",
        "",
        ASKED + "test_a_transaction_is_refused_in_the_words_of_the_api",
    ),
    Mutant(
        "ids that belong to the ledger",
        "in_process._make_request",
        "is_derived and (batch is None or command is batch)",
        "False",
        ASKED + "test_an_id_is_chosen_by_somebody",
    ),
    Mutant(
        "anybody posts",
        "in_process._make_request",
        "    _require_user(actor)\n",
        "",
        ASKED + "test_who_asks_is_somebody",
    ),
    Mutant(
        "the database takes any metadata",
        "HasTexts",
        """ || exists (@.* ? (@.type() <> "string"))""",
        "",
        "tests/test_guards.py::test_a_transaction_that_breaks_a_rule_is_refused",
    ),
    Mutant(
        "any ledger is emptied",
        "flush.Command.handle",
        'if not name.startswith("test_"):',
        "if False:",
        PAGE + "test_a_ledger_that_is_no_test_is_never_emptied",
    ),
]
