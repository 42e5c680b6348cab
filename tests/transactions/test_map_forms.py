"""What a map may say, and how it reads amounts, times, texts and keys."""

import pytest

from transactions.management import maps
from transactions.management.maps.rows import Converter, tidy
from transactions.management.tables import Unfitting

LEAST = """
[amount]
column = "Amount"
[time]
columns = "Date"
format = "%Y-%m-%d"
"""


@pytest.fixture
def load(tmp_path):
    def load(text):
        path = tmp_path / "bank.toml"
        path.write_text(text)
        return maps.load(str(path))

    return load


@pytest.fixture
def convert(load):
    def convert(text, **cells):
        return Converter(load(text)).convert(2, {"Amount": "1", "Date": "2024-03-01"} | cells)

    return convert


INVALID = [
    ("[amount", "Expected"),
    ("", "A map lacks amount."),
    ("amount = 1\n[time]", "amount is a table."),
    (LEAST + "colour = 'red'", "[time] has no colour; but columns, format, zone, offsets."),
    ("zone = 'UTC'" + LEAST, "A map has no zone; but amount, time, format,"),
    (
        LEAST.replace("column =", "deposit ="),
        "[amount] names a column, or one for deposit and one for withdraw.",
    ),
    (LEAST.replace('"Amount"', '"Amount"\nsign_column = "S"'), "[amount] sign_column goes with column, plus"),
    (LEAST.replace('"Amount"', '"Amount"\ndecimal = ",,"'), "[amount] decimal is one character"),
    (LEAST.replace('"Amount"', '"Amount"\nthousands = "."'), "[amount] decimal is one character"),
    (LEAST.replace('"Amount"', "1"), "[amount] column is a text."),
    (LEAST.replace('"Date"', "[1]"), "[time] columns is a text, or a list of texts."),
    (LEAST + 'zone = "Mars"', "[time] zone: Mars is not the name of a time zone"),
    ("newest_first = 1" + LEAST, "newest_first is true or false."),
    ('format = "xlsx"' + LEAST, "format is csv or camt.053."),
    ('format = "camt.053"' + LEAST, "There is no column Amount, Date; but account, currency, amount,"),
    ('header = ["Amount"]' + LEAST, "There is no column Date; but Amount."),
    (LEAST + "[columns]\nkey = 'Id'", "[columns] key: it has external_id,"),
    (LEAST + "[values]\nbalance = '1'", "[values] balance: it has external_id,"),
    (LEAST + "[values]\nname = 'a'\n[columns]\nname = 'b'", "[values] name: [columns] says it already."),
    (LEAST + "[skip]\nState = 1", "[skip] State is a text, or a list of texts."),
]


@pytest.mark.parametrize(("text", "says"), INVALID)
def test_a_map_that_makes_no_sense_is_refused(load, text, says):
    with pytest.raises(maps.MapInvalid) as refusal:
        load(text)
    assert "bank.toml: " in str(refusal.value)
    assert says in str(refusal.value)


def test_an_unknown_map_is_said_with_those_that_there_are(command):
    said = command(2, "import_transactions", "x.csv", map="stripes")
    assert "--map: stripes: No such file or directory, and no map of this name is shipped (camt053, " in said


COMMA = LEAST.replace('"Amount"', '"Amount"\ndecimal = ","\nthousands = "."')
SPACE = LEAST.replace('"Amount"', '"Amount"\ndecimal = ","\nthousands = " "')
AMOUNTS = [
    (LEAST, "5", "5"),
    (LEAST, " 5.50 ", "5.5"),
    (LEAST, "+100", "100"),
    (LEAST, "-5.05", "-5.05"),
    (LEAST, "\u22125", "-5"),
    (LEAST, "5.00-", "-5"),
    (COMMA, "1.234,50", "1234.5"),
    (COMMA, "1234,5", "1234.5"),
    (COMMA, "-1.234.567", "-1234567"),
    (SPACE, "1\u00a0234,50", "1234.5"),
    (SPACE, "1\u202f234", "1234"),
]
NO_AMOUNTS = [
    (LEAST, ["", "x", "1,50", "1e3", "--1", "-1-", ".5", "5.", "1 000", "$5", "٥", "NaN"]),
    (COMMA, ["1.5", "12.34", "1.2345", "1,234.50", "1.23,4", "1234.567"]),
    (SPACE, ["1 2", "12 34,5"]),
]


@pytest.mark.parametrize(("map", "cell", "amount"), AMOUNTS)
def test_an_amount_is_read_as_the_map_says(convert, map, cell, amount):
    row = convert(map, Amount=cell)
    assert (row["type"], row["amount"]) == (
        "WITHDRAW" if amount.startswith("-") else "DEPOSIT",
        amount.lstrip("-"),
    )


@pytest.mark.parametrize("map", [map for map, _ in NO_AMOUNTS])
def test_what_is_no_amount_is_not_guessed(convert, map):
    for cell in dict(NO_AMOUNTS)[map]:
        with pytest.raises(Unfitting, match="Not an amount like"):
            convert(map, Amount=cell)


TWO = LEAST.replace('column = "Amount"', 'deposit = "In"\nwithdraw = "Out"')
SIGN = LEAST.replace('"Amount"', '"Amount"\nsign_column = "S/H"\nplus = "H"\nminus = ["S", "D"]')
KINDS = [
    (TWO, {"In": "5"}, "DEPOSIT", "5"),
    (TWO, {"Out": "5", "In": "0.00"}, "WITHDRAW", "5"),
    (TWO.replace("[time]", "withdraw_is_negative = true\n[time]"), {"Out": "-5"}, "WITHDRAW", "5"),
    (SIGN, {"S/H": "H"}, "DEPOSIT", "1"),
    (SIGN, {"S/H": " D "}, "WITHDRAW", "1"),
    (LEAST.replace("[time]", "negate = true\n[time]"), {}, "WITHDRAW", "1"),
    (LEAST.replace("[time]", "fee = 'Fee'\n[time]"), {"Fee": "0.25"}, "DEPOSIT", "0.75"),
    (LEAST.replace("[time]", "fee = 'Fee'\n[time]"), {"Amount": "-1", "Fee": "0.25"}, "WITHDRAW", "1.25"),
    (LEAST.replace("[time]", "fee = 'Fee'\n[time]"), {}, "DEPOSIT", "1"),
]


@pytest.mark.parametrize(("map", "cells", "type", "amount"), KINDS)
def test_what_comes_and_what_goes(convert, map, cells, type, amount):
    row = convert(map, **cells)
    assert (row["type"], row["amount"]) == (type, amount)


@pytest.mark.parametrize(
    ("map", "cells"),
    [
        (TWO, {}),
        (TWO, {"In": "5", "Out": "5"}),
        (TWO, {"Out": "-5"}),
        (TWO.replace("[time]", "withdraw_is_negative = true\n[time]"), {"Out": "5"}),
        (SIGN, {"S/H": "X"}),
        (SIGN, {}),
    ],
)
def test_what_neither_comes_nor_goes_is_refused(convert, map, cells):
    with pytest.raises(Unfitting):
        convert(map, **cells)


TIMES = [
    ('"%d.%m.%Y"', "01.03.2024", "2024-03-01"),
    ('"%d.%m.%Y %H:%M:%S:%f"', "01.03.2024  10:00:00:123", "2024-03-01T10:00:00.123000"),
    ('"%Y-%m-%d %H:%M:%S %z"', "2024-03-01 10:00:00 -0730", "2024-03-01T10:00:00-07:30"),
    ('["%Y-%m-%d %H:%M", "%m/%d/%y"]', "03/01/24", None),
    ('["%m/%d/%y", "%Y%m%d"]', "20240301", "2024-03-01"),
]


@pytest.mark.parametrize(("format", "cell", "time"), TIMES)
def test_a_time_is_read_as_the_map_says(convert, format, cell, time):
    row = convert(LEAST.replace('"%Y-%m-%d"', format), Date=cell)
    assert row["effective_at"] == (time or "2024-03-01")


def test_a_time_of_another_form_is_named(convert):
    with pytest.raises(Unfitting, match=r"'1\.3\.24' is not of the form %Y-%m-%d"):
        convert(LEAST, Date="1.3.24")


def test_texts_become_tidy():
    assert tidy(" a\u00a0 b\r\nc\u200b\u202e ") == "a b c"
    assert tidy("Zu\u0308rich") == "Zürich"


def test_texts_are_cut_and_what_is_empty_is_left_out(convert):
    more = (
        '[columns]\nreference = ["Text", "More"]\nname = "Name"\n[metadata]\nnote = "Text"\nother = "Other"'
    )
    row = convert(LEAST + more, Text="x" * 600, Name="")
    assert len(row["reference"]) == 200
    assert row["metadata"] == {"note": "x" * 500}
    assert "name" not in row


def keys(map, *rows):
    converter = Converter(map)
    return [converter.convert(2, {"Amount": "1", "Date": "2024-03-01"} | row)["key"] for row in rows]


def test_rows_that_say_the_same_are_told_apart_by_their_number_in_every_file(load):
    map = load(LEAST + "[columns]\nreference = 'Text'\nbalance = 'Balance'")
    first = keys(map, {"Text": "a"}, {"Text": "b"}, {"Text": "a "}, {"Text": "a", "Balance": "7"})
    assert len(set(first)) == 4
    assert keys(map, {"Text": "a", "Other": "x"}, {"Text": "a"}) == [first[0], first[2]]
    # For ever: whoever runs an old file once more must find what it posted.
    assert first[0] == "c8bd8704a3e4fc2e6da48ef7abea6e78-1"


def test_a_key_is_a_column_or_what_several_say(load):
    assert keys(load(LEAST + "[key]\ncolumns = 'Id'"), {"Id": " A 1"}) == ["A 1"]
    two = load(LEAST + "[key]\ncolumns = ['Id', 'Part']")
    one, other, same = keys(two, {"Id": "a", "Part": "b"}, {"Id": "a b"}, {"Id": "a", "Part": "b"})
    assert one == same != other
    repeating = load(LEAST + "[key]\ncolumns = 'Id'\nrepeats = true")
    assert len({*keys(repeating, {"Id": "1"}, {"Id": "1"})}) == 2
