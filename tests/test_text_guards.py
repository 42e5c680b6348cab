"""What the database itself refuses of external ids and of the names of accounts, and that it refuses no more.

An empty name is not its business, nor is what only people can judge; `ledger.text` refuses these.
"""

import pytest

from ledger.text import Rule, find_fault
from tests import look_alikes
from tests.test_guards import (
    ACCOUNT,
    execute,
    insert,
    refused_by,
    session,  # noqa: F401, a fixture
)
from tests.test_rule_guards import USER

pytestmark = pytest.mark.django_db

ATTACKS = [
    *(
        ("external_id_is_normalized", form.text)
        for form in look_alikes.FORMS
        if form.is_for_the_database and form.identifier
    ),
    *(
        ("account_name_is_normalized", form.text)
        for form in look_alikes.FORMS
        if form.is_for_the_database and form.identifier
    ),
]


def quote(text):
    """The text as SQL, in ASCII."""
    return "U&'" + "".join(f"\\+{ord(each):06x}" for each in text) + "'"


@pytest.mark.parametrize(("rule", "text"), ATTACKS, ids=ascii)
def test_an_identifier_in_another_form_is_refused(account, rule, text):
    assert find_fault(text, Rule.IDENTIFIER)
    if rule == "external_id_is_normalized":
        attacks = [insert("accounts_user", USER | {"external_id": quote(text)})]
    else:
        row = ACCOUNT | {"user_id": f"'{account.user_id}'", "name": quote(text)}
        attacks = [insert("accounts_account", row), f"UPDATE accounts_account SET name = {quote(text)}"]
    for attack in attacks:
        with refused_by(rule):
            execute(attack)


@pytest.mark.parametrize("text", look_alikes.LEGITIMATE_IDENTIFIERS)
def test_an_identifier_that_is_none_of_these_is_taken(text):
    assert find_fault(text, Rule.IDENTIFIER) is None
    execute(insert("accounts_user", USER | {"username": USER["id"], "external_id": quote(text)}))
    row = ACCOUNT | {"user_id": USER["id"], "name": quote(text)}
    assert execute(f"SELECT {quote(text)} IS NFC NORMALIZED") == [(True,)]
    execute(insert("accounts_account", row))
