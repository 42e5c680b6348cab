"""Faults in what commands and `If-Match` expect for `mutants` to plant."""

from tests.planted_faults import Mutant

VERSIONS = "tests/transactions/test_preconditions.py::"
SEQUENCES = "tests/accounts/test_sequences.py::"
ETAGS = "tests/accounts/test_etags.py::"
CODES = "tests/rest/test_every_code.py::"

MUTANTS = [
    Mutant(
        "versions are not compared",
        "legs.find_decline",
        "leg.expected_version is not None and leg.expected_version != account.version",
        "False",
        VERSIONS + "test_a_command_that_expects_another_version_is_declined_for_ever",
    ),
    Mutant(
        "the destination's version is the source's",
        "Transfer.__post_init__",
        "self.expected_destination_version,\n",
        "self.expected_version,\n",
        VERSIONS + "test_a_command_that_expects_the_version_that_is_moves_money",
    ),
    Mutant(
        "the destination's version is not compared",
        "Transfer.__post_init__",
        "self.expected_destination_version,\n",
        "None,\n",
        VERSIONS + "test_a_command_that_expects_another_version_is_declined_for_ever",
    ),
    Mutant(
        "a capture expects nothing",
        "Capture._make_leg",
        "expected_version=self.expected_version",
        "expected_version=None",
        VERSIONS + "test_a_command_that_expects_another_version_is_declined_for_ever",
    ),
    Mutant(
        "a transfer back expects a version of who is paid",
        "Reversal.__post_init__",
        "self.legs[0].expected_version",
        "self.legs[-1].expected_version",
        VERSIONS + "test_a_transfer_taken_back_expects_the_version_of_the_account_that_pays_back",
    ),
    Mutant(
        "only transactions guard their order",
        "find_deposits",
        "guarded.update(find_guarded(command))",
        "pass",
        VERSIONS + "test_whatever_expects_something_of_an_account_guards_its_order",
    ),
    Mutant(
        "a transfer guards both accounts",
        "order.find_guarded",
        "part.account_id for part in parts",
        "account for part in parts for account in command.needs.accounts",
        VERSIONS + "test_a_transfer_guards_the_account_whose_version_it_expects_and_no_other",
    ),
    Mutant(
        "versions are texts",
        "legs.find_decline",
        '"version": account.version,',
        '"version": str(account.version),',
        CODES + "test_a_refusal_has_its_code_status_and_shape",
    ),
    Mutant(
        "holds expect a version",
        "NewHold._find_decline",
        "self.expected_sequence not in (None, account.event_sequence)",
        "self.expected_sequence not in (None, account.version + 1)",
        SEQUENCES + "test_two_holds_of_a_list_do_not_both_find_the_account_as_it_was",
    ),
    Mutant(
        "sequences are not compared",
        "AccountState.require_sequence",
        "if expected not in (None, self.event_sequence):",
        "if False:",
        SEQUENCES + "test_what_is_expected_otherwise_is_refused_and_nothing_is_written",
    ),
    Mutant(
        "limits expect nothing",
        "SetLimits.decide",
        "        if changes:\n            account.require_sequence(self.expected_sequence)\n",
        "",
        SEQUENCES + "test_what_is_expected_otherwise_is_refused_and_nothing_is_written",
    ),
    Mutant(
        "a repeated freeze is refused",
        "SetStatus.decide",
        "        if account.status == self.status:",
        "        account.require_sequence(self.expected_sequence)\n        if account.status == self.status:",
        SEQUENCES + "test_what_is_so_already_is_answered_whatever_sequence_is_expected",
    ),
    Mutant(
        "due holds are no events yet",
        "Account.to_dict",
        "self.event_sequence + self.holds_due",
        "self.event_sequence",
        SEQUENCES + "test_a_hold_whose_time_is_over_counts_as_ended_before_and_after_it_is_written",
    ),
    Mutant(
        "an ETag of balances",
        "Account.etag",
        'make_etag("metadata")',
        'make_etag("metadata", "balance")',
        ETAGS + "test_an_etag_is_of_what_patch_can_change_and_of_nothing_else",
    ),
    Mutant(
        "an ETag of a user without the name",
        "User.etag",
        'make_etag("name", "metadata")',
        'make_etag("metadata")',
        ETAGS + "test_an_etag_is_of_what_patch_can_change_and_of_nothing_else",
    ),
    Mutant(
        "weak ETags match",
        "read_if_match",
        "if not weak]",
        "]",
        ETAGS + "test_what_is_not_as_if_match_names_it_stays",
    ),
    Mutant(
        "any If-Match will do",
        "read_if_match",
        'if not ETAGS.fullmatch(sent.strip(" \\t,")):',
        "if False:",
        ETAGS + "test_an_if_match_that_is_none_is_refused",
    ),
    Mutant(
        "If-Match before the lock",
        "operations.change_user",
        "    user = User.objects.select_for_update",
        "    require_etag(User.objects.get(id=id), if_match)\n    if_match = None\n"
        "    user = User.objects.select_for_update",
        ETAGS + "test_an_etag_is_compared_after_the_lock_was_waited_for",
    ),
    Mutant(
        "If-Match of an account before the lock",
        "RuleViewSet.partial_update",
        "        command = SetMetadata(account_id=self.get_object().pk, if_match=if_match, **request.asked)",
        "        from accounts.operations import require_etag\n"
        "        require_etag(self.get_object(), if_match)\n"
        "        command = SetMetadata(account_id=self.get_object().pk, **request.asked)",
        ETAGS + "test_an_etag_is_compared_after_the_lock_was_waited_for",
    ),
]
