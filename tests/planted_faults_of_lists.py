"""Faults in what lists do to holds and exchanges for `mutants` to plant. Histories at random see each of them
too, as a rule within thirty examples.
"""

from tests.planted_faults import Mutant

COMMANDS = "tests/transactions/test_batch_commands.py::"
IDENTITY = "tests/transactions/test_batch_identity.py::"
EXCHANGES = "tests/transactions/test_exchanges.py::"

MUTANTS = [
    Mutant(
        "a number names the last hold",
        "Items._find_hold",
        "command = self.commands.get(named)",
        "command = [None, *(each for each in self.commands.values() if isinstance(each, NewHold))][-1]",
        IDENTITY + "test_a_number_names_the_hold_of_its_item_and_no_other",
    ),
    Mutant(
        "an id derived without its list",
        "derive_item_id",
        "str(batch_id).encode() + ",
        "",
        COMMANDS + "test_derived_ids_are_what_the_documentation_says",
    ),
    Mutant(
        "a declined list keeps its hold",
        "NewHold.decide",
        "explain(self, culprit) if culprit else self._find_decline(account)",
        "self._find_decline(account)",
        COMMANDS + "test_one_decline_declines_every_command_of_an_atomic_list",
    ),
    Mutant(
        "a hold placed before is declined with the list",
        "describe_result",
        "elif culprit is not None and not is_placed:",
        "elif culprit is not None:",
        IDENTITY + "test_a_hold_that_was_placed_before_is_not_declined_with_the_list_that_sends_it_again",
    ),
    Mutant(
        "a hold that nobody of its list finds",
        "deciding.apply",
        "place[hold.id] = state.holds[hold.id] = hold",
        "place[hold.id] = hold",
        COMMANDS + "test_every_command_stands_in_one_list_and_all_of_it_names_the_list",
    ),
    Mutant(
        "released before it was captured",
        "Release.decide",
        "max(state.clock, account.last_recorded_at)",
        "state.clock",
        IDENTITY + "test_a_hold_that_a_list_captures_and_releases_is_closed_after_the_capture",
    ),
    Mutant(
        "an exchange taken back at the other amount",
        "Reversal.find_legs",
        "part.named if leg.reverses == self.transaction_id else part.other",
        "part.named",
        EXCHANGES + "test_taken_back_each_account_has_its_own_amount_back",
    ),
    Mutant(
        "a list taken back leaves its hold open",
        "make_reversals",
        "if hold.status != Hold.Status.DECLINED",
        "if hold.status == Hold.Status.DECLINED",
        IDENTITY + "test_a_list_is_taken_back_in_reverse_order_and_its_holds_are_given_back",
    ),
    Mutant(
        "what a list makes does not name it",
        "_decide_request",
        "request.caller if batch is None else request.caller._replace(batch=batch.id)",
        "request.caller",
        COMMANDS + "test_every_command_stands_in_one_list_and_all_of_it_names_the_list",
    ),
]
