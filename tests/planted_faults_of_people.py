"""Planted faults of histories and notes, for `tests/mutants.py`."""

from tests.planted_faults import Mutant

NOTES = "tests/accounts/test_notes.py::"
GUARDS = "tests/accounts/test_note_guards.py::"
NOTE_PAGES = "tests/office/test_note_pages.py::"
HISTORIES = "tests/office/test_histories.py::"
DID = "tests/office/test_what_somebody_did.py::"
ENTRIES = "tests/events/test_entries.py::"

MUTANTS = [
    Mutant(
        "an old value is shown as the new one",
        "lines._compare",
        "yield _name(name), was, show_value(name, data[name], currency)",
        "yield _name(name), was, show_value(name, (before or data)[name], currency)",
        f"{HISTORIES}test_a_changed_limit_says_by_whom_from_what_to_what_and_why",
    ),
    Mutant(
        "a note can be changed",
        "_notes.GUARDS",
        "OLD.done_at IS NOT NULL\n        OR (",
        "OLD.done_at IS NOT NULL\n        OR false AND (",
        f"{GUARDS}test_what_was_written_stays",
    ),
    Mutant(
        "what is done is done again",
        "_notes.GUARDS",
        "OLD.done_at IS NOT NULL\n",
        "false\n",
        f"{GUARDS}test_what_is_done_is_done_once",
    ),
    Mutant(
        "the notes about a person survive that they are forgotten",
        "accounts.notes.write",
        "owner=user.pk,",
        "owner=None,",
        f"{NOTES}test_the_notes_about_a_person_are_erased_with_them_and_none_is_added",
    ),
    Mutant(
        "the link of a note survives it",
        "texts.PERSONAL",
        ', "link"',
        "",
        f"{NOTES}test_the_notes_about_a_person_are_erased_with_them_and_none_is_added",
    ),
    Mutant(
        "a note about somebody else that names the person in its link stays",
        "erasing.FREE_WORDS",
        '    "after/link",\n',
        "",
        f"{NOTES}test_the_notes_about_a_person_are_erased_with_them_and_none_is_added",
    ),
    Mutant(
        "of who was forgotten notes are written",
        "accounts.notes.write",
        "if user.erased_at:",
        "if False:",
        f"{NOTES}test_the_notes_about_a_person_are_erased_with_them_and_none_is_added",
    ),
    Mutant(
        "notes are not compared with the record",
        "NOTES",
        "WHERE notes.words IS DISTINCT FROM told.words",
        "WHERE false",
        f"{NOTES}test_the_audit_finds_a_note_that_nobody_wrote_and_one_that_says_who_did_not_do_it",
    ),
    Mutant(
        "a link of a note runs in the browser",
        "is_of_the_web",
        'parts.scheme in ("http", "https")',
        "bool(parts.scheme)",
        f"{NOTE_PAGES}test_what_is_no_address_of_the_web_is_refused_and_the_text_stays_in_the_form",
    ),
    Mutant(
        "a history shows what its reader may not see",
        "lines.find_pages",
        "if page.has_view_permission(request)",
        "if True",
        f"{HISTORIES}test_support_sees_nothing_of_what_is_not_theirs_to_see",
    ),
    Mutant(
        "a history skips what two sources have between their pages",
        "people.history._describe",
        "end = max(ends, default=None)",
        "end = min(ends, default=None)",
        f"{HISTORIES}test_every_change_is_on_one_page_of_several_and_on_one_only",
    ),
    Mutant(
        "what services changed counts as the team's",
        "changes._read",
        "kinds=[ActorKind.STAFF],",
        "kinds=None,",
        f"{DID}test_a_supervisor_sees_todays_changes_of_staff_without_what_they_looked_at",
    ),
    Mutant(
        "a cut walk loses what lies behind it",
        "entries._find_cut",
        "max((min(ids)",
        "min((min(ids)",
        f"{ENTRIES}test_by_chance_it_finds_what_a_filter_finds",
    ),
]
