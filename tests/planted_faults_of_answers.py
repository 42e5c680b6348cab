"""Faults in what callers are told, and in how much they may send, for `mutants` to plant."""

from tests.planted_faults import Mutant

AT_A_SERVER = "tests/rest/test_requests_at_a_server.py::"
NOT_THERE = "tests/transactions/test_what_is_not_there.py::"

MUTANTS = [
    Mutant(
        "a replay counts",
        "rsgi.Application.send",
        "self.rates.give_back(caller)",
        "pass",
        "tests/ledger_project/test_rates.py::test_a_token_that_sends_too_much_is_told_when_to_go_on",
    ),
    Mutant(
        "more is saved up than may be",
        "Rates.take",
        "max(self.free_at.get(caller, now), now)",
        "self.free_at.get(caller, now)",
        "tests/ledger_project/test_rates.py::test_as_much_as_was_saved_up_and_then_as_much_as_comes",
    ),
    Mutant(
        "two keys are one with a comma",
        "requests.make_environ",
        'UNREADABLE if key == "HTTP_IDEMPOTENCY_KEY"',
        '"," if key == "HTTP_IDEMPOTENCY_KEY"',
        AT_A_SERVER + "test_two_lines_of_a_key_are_none",
    ),
    Mutant(
        "an ETag is compressed, and so a weak one",
        "Application.answer_in_thread",
        'if "ETag" not in response:',
        "if True:",
        AT_A_SERVER + "test_what_is_long_is_compressed_for_who_can_read_that",
    ),
    Mutant(
        "every account is called account",
        "point_to_account",
        "error.about(name)",
        'error.about("account")',
        NOT_THERE + "test_the_field_that_names_nobody_is_pointed_to",
    ),
    Mutant(
        "the address is taken for a field",
        "rest.views.post",
        'error.account_id != request.parser_context["kwargs"].get("pk")',
        "error.account_id",
        NOT_THERE + "test_what_the_address_names_has_no_pointer",
    ),
    Mutant(
        "metadata of null is as if it was not sent",
        "ChangedMetadataField.validate_empty_values",
        "{} if data is None else data",
        "data",
        "tests/accounts/test_users_api.py::test_metadata_of_null_is_none_any_more",
    ),
]
