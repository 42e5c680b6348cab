"""Files of banks and payment services come in by a map, and what they say of balances is what the ledger has.

The files are made up, with the columns and the quirks of real ones.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import Account
from tests.offering import offer  # noqa: F401
from transactions.management import maps
from transactions.models import Transaction

pytestmark = pytest.mark.django_db
FILES = Path(__file__).parent / "bank_files"
HOUSE = {"set": ["external_id=house"]}
# By file: its map, what has to be said beside, how many rows are posted, the balances that the file itself
# has in the end, and at moments before.
SAMPLES = {
    "stripe.csv": ("stripe", HOUSE, 3, {"USD": "998.95"}, {"2020-01-22": "9.41", "2020-01-23": "1018.95"}),
    # The payment stands before what covers it, in the same second; the last two are an hour apart.
    "paypal.csv": (
        "paypal",
        HOUSE,
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
        {
            "2023-05-01T10:00:04.999999Z": "50.00",
            "2023-05-01T10:00:05Z": "150.00",
            "2023-05-02T18:00:09Z": "128.00",
        },
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


def test_every_map_that_is_shipped_has_a_file_here():
    assert {map for map, *_ in SAMPLES.values() if isinstance(map, str)} == set(maps.list_shipped())


def read_balance():
    [account] = Account.objects.filter(version__gt=0)
    return f"{account.balance:.2f}"


@pytest.mark.parametrize(
    ("name", "next", "new", "balance"),
    [
        ("wise.csv", "wise-next.csv", 1, "92.03"),
        ("raiffeisen-at.csv", "raiffeisen-at-next.csv", 2, "446.80"),
    ],
)
def test_the_next_file_may_overlap_and_brings_what_is_new(bring, name, next, new, balance):
    bring(name)
    before = Transaction.objects.count()
    bring(next, map=SAMPLES[name][0])
    assert Transaction.objects.count() == before + new
    assert read_balance() == balance
    bring(name)
    assert read_balance() == balance


def test_statements_go_on_where_the_last_one_ended(bring):
    bring("camt053.xml")
    bring("camt053-next.xml", map="camt053", set=[])
    account = Account.objects.get(user__external_id="DE00123456780000000001")
    assert account.balance == Decimal("1199.50")
    row = Transaction.objects.get(account=account, amount="600.50")
    assert (row.type, row.reference) == ("WITHDRAW", "Miete März 2021")
    assert row.metadata == {
        "bank_reference": "NONREF",
        "end_to_end_id": "RENT-3",
        "counterparty": "Haus & Hof",
    }


def test_files_in_another_order_are_found_before_anything_is_posted(bring):
    bring("wise-next.csv", map="wise")
    opening = Transaction.objects.get(reference="opening balance")
    assert (f"{opening.amount:.2f}", opening.effective_at.isoformat()) == (
        "172.03",
        "2022-11-04T23:59:59.999999+00:00",
    )
    assert (
        "line 5, balance: balance_differs: The opening balance of this account is of a later moment"
        in bring("wise.csv", 2)
    )
    assert Transaction.objects.count() == 4


@pytest.fixture
def change(bring, run, write):
    """Imports a file of a bank in which something else stands."""

    def change(name, old, new, status=2, more=None, **options):
        text = (FILES / name).read_bytes().decode()
        for one, other in {old: new, **(more or {})}.items():
            assert one in text
            text = text.replace(one, other)
        map, usual, *_ = SAMPLES.get(name, (None, HOUSE))
        path = write(text.encode(), name=name)
        options = {"map": map and str(map), "create_users": True, **usual, **options}
        return run(path, status, source="bank", **options)

    return change


def test_a_missing_file_between_two_is_found(bring, change):
    bring("camt053.xml")
    before = Transaction.objects.count()
    more = {">1199.50<": ">1299.50<"}
    said = change("camt053-next.xml", ">1149.50<", ">1249.50<", map="camt053", set=[], more=more)
    assert "entry 1, balance: balance_differs: Before this row the file has 1249.5, the ledger 1149.5" in said
    assert Transaction.objects.count() == before


def test_a_row_that_comes_again_under_another_key_is_found(bring, change):
    bring("revolut.csv")
    before = Transaction.objects.count()
    said = change("revolut.csv", "Cash at Main Street", "Cash")
    assert (
        "line 3, balance: balance_differs: With this file the ledger would have 102.8 then, and not 124.8"
        in said
    )
    assert Transaction.objects.count() == before


def test_a_row_that_does_not_come_to_the_balance_of_the_file_is_named(change):
    said = change("revolut.csv", "-20.00,2.00", "-20.00,0.00")
    assert "line 6, balance: balance_differs: The file says 128, its rows come to 130" in said
    assert "entry 2, balance: balance_differs" in change("camt053.xml", "1250.00<", "1250.01<")
    assert "entry 4, balance: balance_differs: The statement begins with 10.00" in change(
        "camt053.xml", ">7.50<", ">7.51<"
    )
    assert Transaction.objects.count() == 0


def test_what_a_map_neither_keeps_nor_skips_is_an_error(change):
    said = change("revolut.csv", "REVERTED", "REFUNDED")
    assert (
        "line 4, State: invalid_choice: The map neither keeps nor skips a row that says 'REFUNDED'." in said
    )


def test_what_is_left_out_is_counted(bring):
    said = bring("paypal.csv")
    assert "1    │ left out: Status is Denied" in said
    assert "1    │ left out: Type is General Authorization" in said
    assert "1    │ left out: the amount is zero" in bring("stripe.csv")


def test_columns_that_a_file_lacks_are_named(change):
    said = change("wise.csv", "Running Balance", "Balance")
    assert "line 1: malformed_csv: No row near the beginning names all columns of the map; missing: R" in said
    change("wise.csv", "Running Balance", " running  BALANCE", 0)


def test_a_column_of_the_map_stands_once_and_others_as_often_as_they_like(change):
    assert "line 1: duplicate_key: The column Date stands there twice." in change(
        "wise.csv", "Merchant", "Date"
    )
    change("wise.csv", "Merchant", "Note", 0)


def test_a_zone_that_is_said_goes_before_that_of_the_map(bring):
    bring("raiffeisen-at.csv", tz="UTC")
    moments = Transaction.objects.order_by("-effective_at").values_list("effective_at", flat=True)
    assert moments[0].isoformat() == "2017-05-04T23:59:59.999999+00:00"


def test_an_abbreviation_of_a_zone_that_the_map_does_not_know_is_named(change):
    assert (
        "line 2, Date, Time, TimeZone: timezone_invalid: [time] offsets does not say what 'XST' is."
        in change("paypal.csv", '"03:46:20","PDT","Wave', '"03:46:20","XST","Wave')
    )


def test_no_malformed_row_of_a_file_with_balances_can_be_left_out(change, tmp_path):
    said = change("wise.csv", "-27.97", "x", skip_malformed=str(tmp_path / "malformed.csv"))
    assert "line 4, Amount: amount_invalid: Not an amount like 1234.50." in said
    assert "1 errors in a file of balances. Nothing is posted." in said


ENTITIES = '<?xml version="1.0"?><!DOCTYPE Document [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
FOREIGN = '<?xml version="1.0"?><!DOCTYPE Document [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("head", [ENTITIES, FOREIGN, "<!DOCTYPE Document>"])
def test_a_document_type_is_refused(change, head):
    said = change("camt053.xml", '<?xml version="1.0" encoding="UTF-8"?>', head)
    assert "entry 1: malformed_xml: The file has a document type, which no statement needs." in said


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("</Document>", "", "entry 5: malformed_xml: From here on the file is not XML"),
        (
            "BkToCstmrStmt>",
            "BkToCstmrDbtCdtNtfctn>",
            "entry 1: malformed_xml: The file has no account statement",
        ),
        ('<Amt Ccy="EUR">600.50</Amt>', '<Amt Ccy="EUR">6OO</Amt>', "entry 1, balance: amount_invalid"),
        (">500.00<", ">five<", "entry 1, balance: amount_invalid"),
    ],
)
def test_a_statement_that_cannot_be_read_is_named(change, old, new, says):
    assert says in change("camt053.xml", old, new)
