"""What looks like something else is refused in files of transactions and balances, and nothing is posted."""

import pytest
from django.core.management import call_command

from accounts.models import User
from ledger.text import Rule
from tests.look_alikes import LEGITIMATE_IDENTIFIERS, LEGITIMATE_NOTES, find_forms
from transactions.models import Transaction

ROW = {"key": "1", "external_id": "anna", "type": "DEPOSIT", "amount": "1.00"}
FIELDS = {
    "external_id": Rule.IDENTIFIER,
    "account_name": Rule.IDENTIFIER,
    "key": Rule.IDENTIFIER,
    "reference": Rule.IDENTIFIER,
    "metadata": Rule.NOTE,
}
CASES = [(field, form) for field, rule in FIELDS.items() for form in find_forms(rule)]


def put(field, text):
    return ROW | {field: {"a": text} if field == "metadata" else text}


@pytest.mark.parametrize(("field", "form"), CASES, ids=str)
def test_a_row_that_looks_like_another_is_named_and_nothing_is_posted(anna, write, run, field, form):
    rows = [ROW | {"key": "good"}, put(field, form.text)]
    said = run(write(rows, name="rows.jsonl"), 2, create_users=True)
    assert f"line 2, {field}: {form.find_code(FIELDS[field])}: " in said
    assert Transaction.objects.count() == 0
    assert User.objects.filter(external_id__isnull=False).count() == 1


@pytest.mark.parametrize("form", find_forms(Rule.IDENTIFIER), ids=str)
def test_a_balance_of_somebody_who_only_looks_the_same_is_not_compared(anna, write, command, form):
    for field in ("external_id", "account_name"):
        line = {"external_id": "anna", "balance": "0", field: form.text}
        said = command(2, "compare_balances", write([line], name="balances.jsonl"))
        assert f"line 1, {field}: {form.identifier}: " in said


def test_texts_of_all_languages_are_brought_in_as_they_are(anna, write, run):
    rows = [
        {**ROW, "key": text, "external_id": text, "account_name": text, "reference": text}
        for text in LEGITIMATE_IDENTIFIERS
    ]
    rows += [put("metadata", text) | {"key": f"note {n}"} for n, text in enumerate(LEGITIMATE_NOTES)]
    run(write(rows, name="rows.jsonl"), 0, create_users=True)
    posted = Transaction.objects.exclude(reference="").select_related("account__user")
    assert {row.reference for row in posted} == set(LEGITIMATE_IDENTIFIERS)
    assert all(row.account.user.external_id == row.account.name == row.reference for row in posted)
    noted = Transaction.objects.filter(reference="").values_list("metadata", flat=True)
    assert {each["a"] for each in noted} == set(LEGITIMATE_NOTES)


def test_a_padded_cell_is_not_trimmed(anna, write, run):
    said = run(write([(1, "anna ", "DEPOSIT", "1", "", "")]), 2)
    assert "line 2, external_id: text_padded: " in said


@pytest.mark.parametrize("form", find_forms(Rule.IDENTIFIER), ids=str)
def test_nobody_is_made_under_a_name_that_looks_like_another(anna, write, command, form):
    before = User.objects.count()
    path = write([ROW], name="rows.jsonl")
    assert "--actor: " in command(2, "import_transactions", path, source="old", actor=form.text)
    assert "The name: " in command(1, "issue_token", form.text)
    assert User.objects.count() == before


def test_a_service_has_a_name_of_any_language(db, capsys):
    call_command("issue_token", "Überweisungen")
    assert User.objects.get(username="Überweisungen")
