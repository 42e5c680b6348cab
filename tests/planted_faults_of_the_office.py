"""Planted faults of the back office, for `tests/mutants.py`."""

from tests.planted_faults import Mutant

CORRECTIONS = "tests/transactions/test_corrections.py::"
OF_CLAIMS = "tests/transactions/test_corrections_of_claims.py::"
SECOND = "tests/office/test_second_factor.py::"
EDITED = "tests/office/test_nothing_can_be_edited.py::"
LOG = "tests/office/test_access_log.py::"
RECORD = "tests/transactions/test_record_is_proven.py::"
COMMANDS = "tests/transactions/test_record_of_commands.py::"

MUTANTS = [
    Mutant(
        "whoever asked may approve",
        "corrections.deciding.approve",
        "if waiting[0].maker_id == caller.actor:",
        "if waiting[0].maker_id is None:",
        f"{CORRECTIONS}test_nobody_approves_what_they_asked_for_not_even_a_superuser",
    ),
    Mutant(
        "no correction waits",
        "deciding.make",
        "needs_approval = _exceed_limit(corrections)",
        "needs_approval = False",
        f"{CORRECTIONS}test_what_exceeds_the_limit_waits",
    ),
    Mutant(
        "small corrections do not add up",
        "_exceed_limit",
        "_sum_alone(corrections[0].maker, currency, since) + sum > limit",
        "sum > limit",
        f"{CORRECTIONS}test_small_ones_add_up_to_the_limit_in_both_directions_and_over_all_accounts",
    ),
    Mutant(
        "small corrections at once pass the limit together",
        "deciding.lock_maker",
        "User.objects.select_for_update(no_key=True).get(id=caller.actor or NIL)",
        "User.objects.get(id=caller.actor or NIL)",
        "tests/transactions/test_races_of_corrections.py::"
        "test_two_small_ones_at_once_do_not_pass_the_limit_together",
    ),
    Mutant(
        "what was decided is decided again",
        "corrections.deciding._lock_waiting",
        "if any(each.status != Correction.Status.WAITING for each in found):",
        "if any(each.status == Correction.Status.REJECTED for each in found):",
        f"{CORRECTIONS}test_what_was_decided_is_decided_once",
    ),
    Mutant(
        "a waiver is posted that another one has made",
        "deciding._post",
        "if each.claim and result.claim.waived_reason != each.reason:",
        "if each.claim and not result.claim.waived_reason:",
        f"{OF_CLAIMS}test_what_was_collected_or_waived_meanwhile_is_waived_no_more",
    ),
    Mutant(
        "claims of staff are not compared with their claims",
        "CORRECTIONS",
        "WHERE correction.kind = 'CLAIM' AND CASE",
        "WHERE FALSE AND CASE",
        f"{OF_CLAIMS}test_a_correction_that_has_opened_no_claim_is_found",
    ),
    Mutant(
        "the password alone opens the back office",
        "OfficeSite.has_permission",
        "return super().has_permission(request) and _has_second_factor(request)",
        "return super().has_permission(request)",
        f"{SECOND}test_without_the_second_factor_no_page_opens",
    ),
    Mutant(
        "another browser's secret is kept",
        "_enrol",
        "if offered is None or SecondFactor.objects.filter(user=request.user, confirmed=True).exists():",
        "if offered is None:",
        f"{SECOND}test_two_browsers_that_enrol_at_once_are_not_both_kept",
    ),
    Mutant(
        "the code of enrolling opens twice",
        "SecondFactor.take",
        "self.last_t, self.drift = totp.t(), totp.drift",
        "self.drift = totp.drift",
        f"{SECOND}test_the_code_of_enrolling_is_not_taken_twice",
    ),
    Mutant(
        "superusers edit",
        "has_change_permission",
        "has_change_permission = ",
        "nobody_asks_this = ",
        f"{EDITED}test_no_page_lets_anybody_edit",
    ),
    Mutant(
        "what is looked at is not recorded",
        "OfficeAdmin.change_view",
        "        self.record(request, Action.VIEW, obj)\n",
        "",
        f"{LOG}test_looking_at_something_is_one_line",
    ),
    Mutant(
        "events for all staff",
        "EventAdmin.has_view_permission",
        'return request.user.has_perm("events.view_event")',
        "return True",
        "tests/office/test_permissions.py::test_what_is_not_there_is_not_told_from_what_may_not_be_seen",
    ),
    Mutant(
        "a search is not recorded",
        "OfficeAdmin.changelist_view",
        "self.record(request, Action.SEARCH if words else Action.VIEW, words=words)",
        "pass",
        f"{LOG}test_a_search_is_one_line_with_its_words",
    ),
    Mutant(
        "a change and its line are two transactions",
        "_do",
        "    with atomic():\n        done = command.run(request, obj, asked)\n        if",
        "    if True:\n        done = command.run(request, obj, asked)\n        if",
        f"{LOG}test_a_refused_change_leaves_no_line_and_no_half",
    ),
    Mutant(
        "the right password of who is not staff is never locked out",
        "confirm_login_allowed",
        'if not getattr(user, "is_staff", False):',
        "if False:",
        "tests/office/test_login.py::"
        "test_the_right_password_of_who_is_not_staff_is_answered_like_a_wrong_one",
    ),
    Mutant(
        "the API speaks the language of the browser",
        "speak_and_protect.middleware",
        "if not request.path.startswith(PAGES):",
        "if False:",
        "tests/office/test_headers.py::test_the_api_speaks_english_whatever_was_asked_for_and_served_before",
    ),
    Mutant(
        "a command without its entry in the record",
        "accounts.staff.unlock",
        '    _record(caller, member, "unlocked", reason, before=before, after={"is_locked_out": False})\n',
        "",
        f"{COMMANDS}test_every_command_writes_one_entry_with_who_did_what_and_why",
    ),
    Mutant(
        "hashes of the record not compared",
        "proof.record._look_at",
        "if not macs.is_right(",
        "if False and not macs.is_right(",
        f"{RECORD}test_every_column_of_an_entry_is_proven",
    ),
    Mutant(
        "texts of the record not compared",
        "_look_at_text",
        "if content is not None and",
        "if False and",
        f"{RECORD}test_another_text_is_found_and_a_missing_one_and_one_that_nobody_has_decided_to_erase",
    ),
    Mutant(
        "heads of the record not compared",
        "WRONG_HEADS",
        "WHERE (head.number",
        "WHERE false AND (head.number",
        f"{RECORD}test_a_removed_last_one_is_missed_by_the_head",
    ),
    Mutant(
        "corrections not compared with their entries",
        "CORRECTIONS",
        "WHERE times IS DISTINCT FROM 1 OR (",
        "WHERE false AND (",
        f"{RECORD}test_every_column_of_a_correction_is_proven",
    ),
]
