"""Faults in lists of commands and in transfers between currencies for `mutants` to plant."""

from tests.planted_faults import Mutant

COMMANDS = "tests/transactions/test_batch_commands.py::"
IDENTITY = "tests/transactions/test_batch_identity.py::"
EXCHANGES = "tests/transactions/test_exchanges.py::"

MUTANTS = [
    Mutant(
        "another list under an id is posted",
        "NewBatch.is_among",
        'not macs.is_right(fingerprint, "commands", self.digest)',
        "False",
        IDENTITY + "test_another_list_under_the_same_id_is_refused",
    ),
    Mutant(
        "an atomic list is decided twice",
        "_decide_request",
        "if is_known and request.all_or_nothing:",
        "if False:",
        IDENTITY + "test_an_atomic_list_that_is_repeated_decides_nothing_new",
    ),
    Mutant(
        "a list declines its holds alone",
        "_find_culprit",
        "made = decision.made if decision.events else None",
        "made = decision.row",
        COMMANDS + "test_a_hold_that_is_declined_declines_the_list",
    ),
    Mutant(
        "a declined list releases",
        "Release.decide",
        "if culprit or hold.status",
        "if hold.status",
        COMMANDS + "test_one_decline_declines_every_command_of_an_atomic_list",
    ),
    Mutant(
        "a list is taken back from the front",
        "make_reversals",
        "key=lambda row: (row.recorded_at, row.id), reverse=True)",
        "key=lambda row: (row.recorded_at, row.id))",
        IDENTITY + "test_a_list_is_taken_back_in_reverse_order_and_its_holds_are_given_back",
    ),
    Mutant(
        "a list takes back what is taken back",
        "Reversal.decide",
        "if self.if_left and legs",
        "if False and legs",
        IDENTITY + "test_only_what_is_left_of_a_list_is_taken_back",
    ),
    Mutant(
        "any command for any permission",
        "Items.__init__",
        "if not request.may(PERMISSIONS[kind]):",
        "if False:",
        COMMANDS + "test_a_list_needs_the_permission_of_each_of_its_commands",
    ),
    Mutant(
        "a currency arrives as another",
        "Transfer.decide",
        "elif self.destination_amount is None:",
        "elif False:",
        EXCHANGES + "test_two_currencies_need_two_amounts_and_one_currency_has_one",
    ),
    Mutant(
        "money is made on the way",
        "Transfer.decide",
        "if self.destination_amount not in (None, self.amount):",
        "if False:",
        EXCHANGES + "test_two_currencies_need_two_amounts_and_one_currency_has_one",
    ),
    Mutant(
        "exchanges are no questions",
        "audit_transfers.MONEY",
        "outside, 0) + coalesce(exchanged, 0)\n",
        "outside, 0)\n",
        EXCHANGES + "test_an_exchange_moves_both_amounts_and_the_audit_finds_nothing_wrong",
    ),
    Mutant(
        "lists are not looked at",
        "find_wrong_batches",
        'if not macs.is_right(bytes(batch.mac), "batch", *batch.sealed):',
        "if False:",
        IDENTITY + "test_a_list_that_was_changed_is_named",
    ),
]
