"""Files as spreadsheets and other programs write them, and what is said to who has one that does not fit."""

from datetime import UTC, datetime

import pytest

from accounts.models import User
from tests.cast import UserFactory, deposit
from tests.transactions.test_concurrency import rows_of
from transactions.models import Transaction

HEADER = "key,external_id,type,amount,reference"


@pytest.fixture
def say(anna, write, run):
    """What is said of a file of this text."""

    def say(text, status=2, name="rows.csv", encoding="utf-8", **options):
        return run(write(text.encode(encoding), name=name), status, **options)

    return say


SEPARATED = [(";", "';'"), ("\t", "tab"), ("|", "'|'")]


@pytest.mark.parametrize(("delimiter", "name"), SEPARATED)
@pytest.mark.parametrize("quote", ["", '"'])
def test_another_separator_is_named_and_taken(anna, say, delimiter, name, quote):
    rows = [HEADER.split(","), ["1", "anna", "DEPOSIT", "5", "a, b"]]
    text = "".join(delimiter.join(f"{quote}{cell}{quote}" for cell in row) + "\r\n" for row in rows)
    assert f"line 1: malformed_csv: The columns are separated by {name}: say --delimiter {name}." in say(text)
    say(text, 0, delimiter=name.strip("'"))
    assert rows_of(anna)[0].reference == "a, b"
    say(f"sep={delimiter}\r\n{text}", 0, delimiter=name.strip("'"))
    assert "separated by ','" in say(f"{HEADER}\n1,anna,DEPOSIT,5,a\n", delimiter=";")


@pytest.mark.parametrize(
    ("encoding", "reference", "says"),
    [
        ("cp1251", "Зарплата", "line 2: invalid_text: The line is not UTF-8: try --encoding cp1251."),
        ("cp1252", "Gebühr €", "line 2: invalid_text: The line is not UTF-8: try --encoding cp1252."),
        ("utf-16", "Зарплата", "line 1: invalid_text: The file is in UTF-16: say --encoding utf-16."),
        ("utf-16-le", "Gebühr", "line 1: invalid_text: The file is in UTF-16: say --encoding utf-16."),
    ],
)
def test_another_encoding_is_named(anna, say, encoding, reference, says):
    text = f"{HEADER}\n1,anna,DEPOSIT,5,{reference}\n"
    assert says in say(text, encoding=encoding)
    assert Transaction.objects.count() == 0


@pytest.mark.parametrize(
    ("encoding", "reference"), [("cp1251", "Зарплата"), ("utf-16", "Gebühr"), ("utf-8-sig", "Зарплата")]
)
def test_a_file_is_read_in_the_encoding_that_is_said(anna, write, run, encoding, reference):
    path = write(f"{HEADER}\n1,anna,DEPOSIT,5,{reference}\n".encode(encoding))
    run(path, 0, encoding=encoding.removesuffix("-sig"))
    assert rows_of(anna)[0].reference == reference
    assert "not ASCII: say another --encoding" in run(
        write(f"{HEADER}\n1,anna,DEPOSIT,5,ü\n".encode()), 2, encoding="ascii"
    )
    assert "From here on the file is not UTF-16" in run(
        write(HEADER.encode("utf-16")[:-1]), 2, encoding="utf-16"
    )


def test_a_header_in_another_encoding_and_a_workbook_are_named(say, write, run):
    assert "line 1: invalid_text: The line is not UTF-8" in say("Schlüssel,type\n", encoding="cp1252")
    assert "line 1: malformed_csv: The file is a workbook" in run(write(b"PK\x03\x04\x14\x00\x06"), 2)


def test_a_json_line_in_another_encoding_is_named(say):
    line = '{"key": "1", "external_id": "anna", "type": "DEPOSIT", "amount": "1", "reference": "Gebühr"}\n'
    said = say(line, name="rows.jsonl", encoding="cp1252")
    assert "line 1: invalid_text: The line is not UTF-8: try --encoding cp1252." in said


def test_what_a_spreadsheet_leaves_is_no_row_and_no_column(anna, say):
    text = (
        "\ufeff Key ,EXTERNAL_ID,Type,amount,Reference,,\r\n"
        "1,anna,DEPOSIT,5,a,,\r\n,,,,,,\r\n2,anna,DEPOSIT,6,,,\r\n,,\r\n"
    )
    assert "2    │ posted" in say(text, 0, name="EXPORT.CSV")
    assert [row.amount for row in rows_of(anna)] == [5, 6]
    assert "line 2: malformed_csv: The row has 7 cells, the header 5." in say(
        f"{HEADER},,\n3,anna,DEPOSIT,5,a,,x\n"
    )


def test_a_file_without_rows_is_an_error_unless_it_is_said_to_be_right(say):
    for status, options in ((2, {}), (2, {"allow_empty": True})):
        assert "The file is empty: not even the names of its columns" in say("", status, **options)
    for text, name in ((f"{HEADER}\n,,,,\n", "rows.csv"), ("\n", "rows.jsonl")):
        assert "The file has no rows. If that is right, say --allow-empty." in say(text, name=name)
        assert "0    │ posted" in say(text, 0, name=name, allow_empty=True)


def test_balances_of_an_empty_file_are_not_equal(anna, write, command):
    for text, says in ((b"", "The file is empty"), (b"external_id,balance\n", "nothing is compared")):
        assert says in command(2, "compare_balances", write(text))
    path = write(b"external_id,balance\n")
    assert "0 lines compared." in command(0, "compare_balances", path, allow_empty=True)
    deposit(anna, "1")
    said = command(1, "compare_balances", path, allow_empty=True, all=True)
    assert f"no line, external_id anna, account {anna.id}: 1.00 USD found." in said


def test_balances_are_compared_at_the_end_of_the_day_of_a_zone(anna, write, run, command):
    run(write([(1, "anna", "DEPOSIT", "100", "2024-03-01", "")]), 0, tz="America/New_York")
    path = write([("anna", "100")], ("external_id", "balance"), name="balances.csv")
    said = command(1, "compare_balances", path, at="2024-03-01")
    assert f"line 2, external_id anna, account {anna.id}: 100 expected, 0.00 USD found." in said
    command(0, "compare_balances", path, at="2024-03-01", tz="America/New_York")
    assert "--at: Not a time like" in command(2, "compare_balances", path, at="x")
    assert "--tz: Not the name of a time zone" in command(2, "compare_balances", path, at="x", tz="x")


def test_balances_are_read_with_the_same_options(anna, write, command):
    path = write("Konto;balance;\nanna;0;\n".replace("Konto", "External_ID").encode("utf-16"), name="B.CSV")
    command(0, "compare_balances", path, encoding="utf-16", delimiter=";", set=["currency=USD"])
    assert "line 1: malformed_csv: The columns are separated by ';'" in command(
        2, "compare_balances", path, encoding="utf-16"
    )


def test_times_and_amounts_of_other_forms_are_said_to_be_a_matter_of_a_map(anna, say):
    head = "key,external_id,type,amount,effective_at\n"
    say(f"{head}1,anna,DEPOSIT,5,2020-01-23 08:26:29\n", 0)
    assert rows_of(anna)[0].effective_at == datetime(2020, 1, 23, 8, 26, 29, tzinfo=UTC)
    for time in ("2020-01-23 08:26", "23.01.2020", "2020-01-23 08:26:29 02:00"):
        said = say(f"{head}2,anna,DEPOSIT,5,{time}\n")
        assert "Not a time like 2023-01-04T00:00:00Z. A map (--map) reads times of other forms." in said
        assert "query" not in said
    assert "A map (--map) reads a decimal comma and signs." in say(f'{head}2,anna,DEPOSIT,"1,50",\n')


def test_a_column_is_the_same_in_all_rows_when_it_is_said(anna, say):
    text = "key,type,amount\n1,DEPOSIT,5\n"
    assert "--set external_id=…" in say(text)
    say(text, 0, set=["external_id=anna", "reference=a = b"])
    assert rows_of(anna)[0].reference == "a = b"
    for wrong in ("external_id", "colour=red", "=x"):
        assert f"--set {wrong}: it is COLUMN=VALUE" in say(text, set=[wrong])


def test_who_is_made_is_called_what_the_file_says(anna, write, run):
    columns = ("key", "external_id", "account_name", "currency", "type", "amount", "name")
    rows = [
        (1, "olga", "savings", "EUR", "DEPOSIT", "1", ""),
        (2, "olga", "main", "USD", "DEPOSIT", "1", "Olga  О."),
        (3, "anna", "main", "USD", "DEPOSIT", "1", "Not Anna"),
        (4, "lev", "main", "USD", "DEPOSIT", "1", ""),
    ]
    run(write(rows, columns), 0, create_users=True)
    names = dict(User.objects.exclude(external_id=None).values_list("external_id", "name"))
    assert names == {"olga": "Olga  О.", "anna": "Anna", "lev": "lev"}


def test_a_user_is_made_by_id_only_with_a_name_and_keeps_its_external_id(anna, write, run):
    columns = ("key", "user", "external_id", "name", "type", "amount")
    id = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert "line 2, user: not_found" in run(
        write([(1, id, "olga", "", "DEPOSIT", "1")], columns), 2, create_users=True
    )
    path = write([(1, id, "olga", "Olga", "DEPOSIT", "1")], columns)
    assert "not_found" in run(path, 2)
    run(path, 0, create_users=True)
    user = User.objects.get(id=id)
    assert (user.external_id, user.name) == ("olga", "Olga")
    said = run(write([(2, id, "anna", "Olga", "DEPOSIT", "1")], columns), 2, create_users=True)
    assert "line 2, external_id: external_id_taken: The user of this id has another external_id." in said
    run(write([(2, id, "", "", "DEPOSIT", "1")], columns), 0)


def test_a_balance_of_a_row_is_of_a_moment(anna, write, run):
    columns = ("key", "external_id", "type", "amount", "balance")
    assert "line 2, balance: required: A balance is of a moment" in run(
        write([(1, "anna", "DEPOSIT", "1", "1")], columns), 2
    )


def test_options_of_files_that_make_no_sense_are_refused(say, write, run):
    text = f"{HEADER}\n1,anna,DEPOSIT,5,a\n"
    for encoding in ("klingon", "hex", "utf\0"):
        assert "is none that is known." in run(write(text.encode()), 2, encoding=encoding)
    assert "--delimiter is one character, or tab." in say(text, delimiter=";;")
    assert "--delimiter is one character, or tab." in say(text, delimiter='"')
    UserFactory(external_id="other")
    assert "--opening-balance is of one account" in say(
        "key,external_id,type,amount,effective_at\n1,anna,DEPOSIT,5,2024-01-01\n2,other,DEPOSIT,5,2024-01-01\n",
        opening_balance="5",
    )
    assert "line 2, effective_at: required: An opening balance" in say(text, opening_balance="5")
