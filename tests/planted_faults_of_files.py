"""Faults in reading and writing files, for `mutants` to plant."""

from tests.planted_faults import Mutant

MAPS = "tests/transactions/test_maps.py::"
FORMS = "tests/transactions/test_map_forms.py::"
PEOPLE = "tests/transactions/test_files_of_people.py::"
EXPORT = "tests/transactions/test_export_transactions.py::"

MUTANTS = [
    Mutant(
        "thousands of any length",
        "Converter.__init__",
        "[0-9]{{3}}",
        "[0-9]+",
        FORMS + "test_what_is_no_amount_is_not_guessed",
    ),
    Mutant(
        "a fee is added",
        "Converter._read_change",
        "change -= self",
        "change += self",
        FORMS + "test_what_comes_and_what_goes",
    ),
    Mutant(
        "rows that say the same are one",
        "Converter._make_key",
        "self.said[digest] += 1",
        "self.said[digest] = 1",
        FORMS + "test_rows_that_say_the_same_are_told_apart_by_their_number_in_every_file",
    ),
    Mutant(
        "what nobody keeps is kept",
        "Converter._choose",
        "not in texts:",
        "in ():",
        MAPS + "test_what_a_map_neither_keeps_nor_skips_is_an_error",
    ),
    Mutant(
        "an opening in the middle of what is known",
        "openings.check_balances",
        "elif opening and not is_known:",
        "if opening:",
        MAPS + "test_the_next_file_may_overlap_and_brings_what_is_new",
    ),
    Mutant(
        "balances of a file are not added up",
        "openings._add_up",
        "if row.balance != opening + moved:",
        "if False:",
        MAPS + "test_a_row_that_does_not_come_to_the_balance_of_the_file_is_named",
    ),
    Mutant(
        "files in any order",
        "openings.check_balances",
        "if earlier and earlier.effective_at > moment:",
        "if False:",
        MAPS + "test_files_in_another_order_are_found_before_anything_is_posted",
    ),
    Mutant(
        "a file between two is missing",
        "openings.check_balances",
        "elif is_told and is_known and found != opening:",
        "elif False:",
        MAPS + "test_a_missing_file_between_two_is_found",
    ),
    Mutant(
        "what the ledger will have is not compared",
        "openings.check_ends",
        "if found != expected:",
        "if False:",
        MAPS + "test_a_row_that_comes_again_under_another_key_is_found",
    ),
    Mutant(
        "the newest first is the oldest",
        "Staging.__init__",
        "-1 if newest_first else 1",
        "1",
        MAPS + "test_a_file_comes_in_by_its_map_to_the_balances_that_it_says",
    ),
    Mutant(
        "a document type is read",
        "camt.split_camt",
        "forbid_dtd=True",
        "forbid_dtd=False, forbid_entities=False, forbid_external=False",
        MAPS + "test_a_document_type_is_refused",
    ),
    Mutant(
        "an empty file is equal",
        "compare_balances.Command.handle",
        'if not lines and not options["allow_empty"]:',
        "if False:",
        PEOPLE + "test_balances_of_an_empty_file_are_not_equal",
    ),
    Mutant(
        "what was declined is exported",
        "movements.POSTED",
        "row.status = 'POSTED'",
        "true",
        EXPORT + "test_only_what_is_new_comes_after_a_position",
    ),
]
