"""The settings fit the accounts that are there: a check of the database, `serve` and `/readyz` see to it."""

from decimal import Decimal

import pytest
from django.core.checks import Tags
from django.core.management import CommandError, call_command

from ledger_project import checks
from ledger_project.database import currencies
from ledger_project.management.commands import serve
from tests import asking
from tests.cast import AccountFactory, hold
from tests.database import execute
from tests.offering import USUAL, offer  # noqa: F401, a fixture
from transactions.posting.commands import SetLimits

pytestmark = pytest.mark.django_db


def find_errors():
    return checks.describe(checks.find_errors(Tags.database, databases=["default"])).splitlines()


def set_limits(account, **limits):
    asking.ask(SetLimits(account_id=account.id, limits=limits))


@pytest.fixture
def units(offer):  # noqa: F811
    """Units that are declared with two decimals."""
    offer(BTC=8, MILES=2, POINTS=2)


def test_what_is_declared_as_it_was_is_right(units):
    AccountFactory(currency="POINTS", funds="0.50")
    AccountFactory(currency="BTC", funds="0.00000001")
    AccountFactory(funds="0.01")
    assert find_errors() == []


def test_a_unit_that_is_declared_no_more_is_named_by_check_serve_and_the_probe(units, offer, client):  # noqa: F811
    for currency in ("POINTS", "MILES", "USD"):
        AccountFactory(currency=currency, funds="1")
    offer(POINTS=2)
    [line] = find_errors()
    assert line.startswith("(ledger.E013) There are accounts in MILES, and nothing says how many decimals")
    with pytest.raises(CommandError, match="MILES"):
        call_command("check", databases=["default"])
    with pytest.raises(CommandError, match="MILES"):
        serve.require_right(checks.check_units())
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert "ledger.E013" in answer.json()["reason"]
    assert "MILES" not in answer.content.decode()
    offer(POINTS=2, MILES=2)
    assert client.get("/readyz").status_code == 200


def test_the_probe_tells_of_wrong_settings_by_their_ids_only(client, settings):
    settings.CHAIN_KEY = "short"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "ledger.E003" in answer.json()["reason"]
    assert "CHAIN_KEY" not in answer.content.decode()


@pytest.mark.parametrize("listed", [USUAL, ["USD"]])
def test_a_currency_that_is_taken_off_the_list_is_known(offer, client, listed):  # noqa: F811
    offer([*USUAL, "HRK"])
    for currency in ("HRK", "EUR", "USD"):
        AccountFactory(currency=currency, funds="0.01")
    offer(listed)
    assert find_errors() == []
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("field", ["balance", "held", "credit_limit", "withdraw_max", "withdraw_day_max"])
def test_fewer_decimals_than_an_amount_has_are_refused(units, offer, field):  # noqa: F811
    account = AccountFactory(currency="POINTS", funds="1.50" if field == "balance" else "2")
    if field == "held":
        hold(account, "0.50")
    elif field != "balance":
        set_limits(account, **{field: Decimal("1.50")})
    offer(MILES=2, POINTS=1)
    assert find_errors() == []
    offer(MILES=2, POINTS=0)
    [line] = find_errors()
    assert line.startswith("(ledger.E014) There are accounts in POINTS with amounts of more decimals (1)")
    with pytest.raises(CommandError, match="POINTS"):
        serve.require_right(checks.check_units())


def test_more_decimals_hold_every_amount(units, offer):  # noqa: F811
    AccountFactory(currency="POINTS", funds="1.50")
    offer(MILES=2, POINTS=8)
    assert find_errors() == []


@pytest.mark.parametrize("decimals", [18, -1])
def test_decimals_that_cannot_be_are_none(units, offer, decimals):  # noqa: F811
    AccountFactory(currency="POINTS", funds="1.50")
    offer(POINTS=decimals)
    assert [error.id for error in checks.check_used()] == ["ledger.E013"]


def test_every_account_is_looked_at_however_few_at_once(units, offer, monkeypatch):  # noqa: F811
    for number in range(5):
        AccountFactory(currency="POINTS", funds="1.50" if number == 4 else "1")
        AccountFactory(currency="MILES", funds="1")
    offer(MILES=0, POINTS=0)
    for at_once in (1, 3, 10, 11):
        monkeypatch.setattr(currencies, "ACCOUNTS_AT_ONCE", at_once)
        assert list(currencies.find_too_fine(currencies.find_used())) == [("POINTS", 1, 0)]


def test_the_currencies_of_accounts_are_looked_up_in_their_index():
    AccountFactory()
    execute("SET LOCAL enable_seqscan = off")
    plan = "".join(line for (line,) in execute(f"EXPLAIN (ANALYZE) {currencies.CURRENCIES}"))
    assert plan.count("Index Only Scan using account_by_currency") == 2


def test_before_the_first_migration_there_is_nothing_to_look_at():
    execute("ALTER TABLE accounts_account RENAME TO elsewhere")
    assert find_errors() == []


def test_what_was_finer_than_iso_is_found_though_nothing_declares_it_any_more(offer):  # noqa: F811
    """A ledger of before these checks."""
    offer([], EUR=2)
    account = AccountFactory(currency="EUR", funds="1.23")
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("ALTER TABLE accounts_account DISABLE TRIGGER USER")
    execute("UPDATE accounts_account SET withdraw_max = 1.2345 WHERE id = %s", account.id)
    offer()
    [line] = find_errors()
    assert "in EUR with amounts of more decimals (4) than it has (2)" in line
