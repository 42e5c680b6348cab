"""The forms of the chain: each row is read by its own, and anybody with the key can compute a hash."""

import re

import psycopg
import pytest
from django.db import connection

from accounts.models.tables import Form
from tests.cast import AccountFactory, deposit
from tests.servers import PROJECT
from tests.transactions.test_audit import harm, make_history, prove
from transactions.models import Transaction, chain

PAGE = PROJECT / "docs/proof.md"


@pytest.fixture
def second_form(monkeypatch):
    """A form of fewer columns beside the first one, in which rows are written from now on."""
    first = chain.FORMATS[1]
    form = Form(column for column in reversed(first.columns) if column.name != "request_id")
    monkeypatch.setitem(chain.FORMATS, 2, form)
    monkeypatch.setattr(chain, "FORMAT", 2)


@pytest.mark.django_db
def test_a_chain_goes_on_in_a_second_form(request):
    account = AccountFactory()
    deposit(account, "1")
    request.getfixturevalue("second_form")
    make_history()
    deposit(account, "2")
    deposit(account, "3")
    assert list(Transaction.objects.filter(account=account).order_by("seq").values_list("chain_format")) == [
        (1,),
        (2,),
        (2,),
    ]
    assert prove().findings == []


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["reference", "amount", "chain_format"])
def test_a_change_of_a_row_in_the_second_form_is_found(second_form, column):
    row = deposit(AccountFactory(), "2")
    other = {"reference": "'another'", "amount": "3", "chain_format": "1"}[column]
    harm(f"UPDATE transactions_transaction SET {column} = {other} WHERE id = %s", row.id)
    found = {finding.row for finding in prove().findings if finding.check == "chain"}
    assert found == {str(row.id)}


@pytest.mark.django_db
def test_a_row_in_a_form_that_nobody_knows_is_found():
    account = AccountFactory()
    row, after = deposit(account, "1"), deposit(account, "1")
    harm("UPDATE transactions_transaction SET chain_format = 7 WHERE id = %s", row.id)
    [finding] = [finding for finding in prove().findings if finding.check == "chain"]
    assert (finding.row, finding.found) == (str(row.id), "form 7")
    assert after.chain_hash


@pytest.mark.django_db(transaction=True)
def test_whoever_has_the_key_computes_a_hash_in_the_forty_lines_of_the_page(settings):
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(code.splitlines()) <= 40
    names = {}
    exec(code, names)  # noqa: S102, our own page
    account = make_history()
    row = deposit(account, "1", reference="Sjöström", metadata={"ключ": "a\nb", "a": '"'})
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("dbname", "user", "host", "port") if parameters.get(name)}
    with psycopg.connect(**wanted) as own:
        assert names["find_wrong_row"](own, account.id, settings.CHAIN_KEY) is None
        assert names["find_wrong_row"](own, account.id, "another key") is not None
        harm("UPDATE transactions_transaction SET metadata = '{}' WHERE id = %s", row.id)
        own.rollback()
        assert names["find_wrong_row"](own, account.id, settings.CHAIN_KEY) == row.id
