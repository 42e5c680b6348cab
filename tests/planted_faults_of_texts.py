"""Faults for `mutants` to plant where texts are judged, found and shown, each with the test that sees it."""

from tests.planted_faults import Mutant

TEXT = "tests/test_text.py::"
GUARDS = "tests/test_text_guards.py::"
REQUESTS = "tests/rest/test_look_alikes.py::"
FORMS = "tests/office/test_look_alikes_in_forms.py::"
FIND = "tests/office/test_find.py::"

MUTANTS = [
    Mutant(
        "an override passes",
        "find_fault",
        "if found := find_control(text):",
        "if (found := find_control(text)) and found[0] < chr(160):",
        TEXT + "test_a_form_is_refused_with_its_code_or_taken",
    ),
    Mutant(
        "what cannot be seen passes",
        "find_fault",
        "    if not _is_seen(text):\n",
        "    if not text:\n",
        TEXT + "test_a_form_is_refused_with_its_code_or_taken",
    ),
    Mutant(
        "padding passes",
        "_find_fault_of_names",
        "if text != text.strip():",
        'if text != text.strip(" "):',
        TEXT + "test_a_form_is_refused_with_its_code_or_taken",
    ),
    Mutant(
        "an identifier in any form",
        "_find_fault_of_form",
        'is_normalized("NFC", text)',
        'is_normalized("NFC", unicodedata.normalize("NFC", text))',
        TEXT + "test_a_form_is_refused_with_its_code_or_taken",
    ),
    Mutant(
        "a text with a space is plain",
        "is_plain",
        "(?:[!-~](?:[ -~]*[!-~])?)?",
        "[ -~]*",
        TEXT + "test_a_plain_text_is_printable_ascii_without_spaces_at_its_ends",
    ),
    Mutant(
        "fields without their rules",
        "rest.fields.TextField.to_internal_value",
        "if not plain and self.rule is not None and",
        "if not plain and self.rule is None and",
        REQUESTS
        + "test_all_texts_that_are_wrong_are_told_at_once",  # one by one the engine refuses them, too
    ),
    Mutant(
        "keys of metadata are not looked at",
        "find_fault_of_metadata",
        "find_fault(key, Rule.IDENTIFIER) or find_fault(text, Rule.NOTE)",
        "find_fault(text, Rule.NOTE)",
        REQUESTS + "test_a_text_that_looks_like_another_is_refused",
    ),
    Mutant(
        "who posts from inside may write anything",
        "Leg.__post_init__",
        "            and is_plain(self.reference)\n",
        "",
        TEXT + "test_who_posts_from_inside_is_refused_too",
    ),
    Mutant(
        "forms trim in silence",
        "office.forms.TextField.__init__",
        "strip=rule is Rule.NOTE",
        "strip=True",
        FORMS + "test_a_form_with_a_text_that_looks_like_another_is_refused",
    ),
    Mutant(
        "the trigger of names is an ordinary one",
        "accounts.migrations.0001_initial.GUARDS",
        "ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER account_name_is_normalized;\n",
        "",
        GUARDS + "test_an_identifier_in_another_form_is_refused",
    ),
    Mutant(
        "the database takes external ids in any form",
        "accounts.migrations.0001_initial.Migration",
        'accounts.models.columns.IsNormalized(models.F("external_id"))',
        "models.Q(id__isnull=False)",
        GUARDS + "test_an_identifier_in_another_form_is_refused",
    ),
    Mutant(
        "names are searched as they stand",
        "Folded",
        "normalize(%(expressions)s, NFKC)",
        "%(expressions)s",
        FIND + "test_a_name_is_found_however_it_is_composed_and_shown_as_it_was_sent",
    ),
    Mutant(
        "names move what is beside them",
        "office.templatetags.ledger.bdi",
        'format_html("<bdi>{}</bdi>", shown)',
        "shown",
        FORMS + "test_every_page_sets_apart_what_somebody_has_written",
    ),
]
