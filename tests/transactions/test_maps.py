"""Files of banks and payment services come in by a map, and what they say of balances is what the ledger has.

The files are made up, with the columns and the quirks of real ones.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import Account, User
from tests.offering import offer  # noqa: F401
from transactions.management import maps
from transactions.models import Transaction

FILES = Path(__file__).parent / "bank_files"
HOUSE = {"set": ["external_id=house"]}
# By file: its map, what has to be said beside, how many rows are posted, the balances that the file itself has
# in the end, and at moments before.
SAMPLES = {
    "stripe.csv": ("stripe", HOUSE, 3, {"USD": "998.95"}, {"2020-01-22": "9.41", "2020-01-23": "1018.95"}),
    # The payment stands before what covers it, in the same second; the last two are an hour apart.
    "paypal.csv": (
        "paypal",
        HOUSE | {"opening_balance": "0"},
        5,
        {"USD": "9.41"},
        {"2019-11-03T08:29:59Z": "1009.41", "2019-11-03T08:30:00Z": "2.41", "2019-11-03T09:30:00Z": "9.41"},
    ),
    "wise.csv": (
        "wise",
        HOUSE,
        4,
        {"EUR": "72.03"},
        {"2022-11-02": "0.00", "2022-11-03": "200.00", "2022-11-04": "172.03", "2022-11-05": "72.03"},
    ),
    # What began first was done last; the opening comes out of the balances.
    "revolut.csv": (
        "revolut",
        HOUSE,
        4,
        {"EUR": "124.80"},
        {"2023-05-01T10:00:04.999999Z": "50.00", "2023-05-01T10:00:05Z": "150.00", "2023-05-02T18:00:09Z": "128.00"},
    ),
    "raiffeisen-at.csv": (
        "raiffeisen-at",
        HOUSE | {"opening_balance": "20.00"},
        6,
        {"EUR": "419.30"},
        {"2017-05-02T21:59:59.999999Z": "20.00", "2017-05-03T21:59:59.999999Z": "446.20"},
    ),
    "camt053.xml": ("camt053", {}, 5, {"EUR": "1149.50", "USD": "7.50"}, {}),
    "bunq.csv": (FILES / "bunq.toml", {"opening_balance": "500.00"}, 5, {"EUR": "476.18"}, {}),
    "dkb.csv": (FILES / "dkb.toml", HOUSE, 2, {"EUR": "95.00"}, {}),
    "coinbase.csv": (
        FILES / "coinbase.toml",
        HOUSE,
        3,
        {"BTC": "0.00797348"},
        {"2014-02-13T05:00:01Z": "0.00100000", "2014-11-02T07:29:59Z": "0.01047348"},
    ),
    "checking.csv": (None, {}, 4, {"USD": "1846.23"}, {"2013-11-06": "1000.00", "2013-11-07": "1966.23"}),
}


@pytest.fixture
def bring(run):
    """Imports a file of a bank."""

    def bring(name, status=0, **options):
        map, more, *_ = SAMPLES.get(name, (None, HOUSE))
        options = {"map": map and str(map), "create_users": True, **more, **options}
        return run(str(FILES / name), status, source="bank", **options)

    return bring


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_comes_in_by_its_map_to_the_balances_that_it_says(bring, reader, name, offer):  # noqa: F811
    offer(BTC=8)
    _, _, count, balances, moments = SAMPLES[name]
    bring(name)
    used = Account.objects.filter(version__gt=0)
    assert {account.currency: account.balance for account in used} == {
        currency: Decimal(balance) for currency, balance in balances.items()
    }
    assert Transaction.objects.filter(decline_reason=None).count() == Transaction.objects.count() == count
    for moment, balance in moments.items():
        answer = reader.get(f"/api/v1/accounts/{used.get().id}/balance", {"at": moment})
        assert answer.json()["balance"] == balance, moment
    # And again: nothing is new.
    bring(name)
    assert Transaction.objects.count() == count


def test_every_map_that_is_shipped_has_a_file_here(db):
    assert {map for map, *_ in SAMPLES.values() if isinstance(map, str)} == set(maps.list_shipped())
