"""What is wrong with a file of transactions is said line by line, before anything is posted."""

import json

import pytest

from accounts import operations
from events.models import Event
from tests.cast import CALLER
from transactions.management import tables
from transactions.models import Transaction


def count_written():
    return Transaction.objects.count(), Event.objects.count()


GOOD = {"key": "1", "external_id": "anna", "type": "DEPOSIT", "amount": "1.00"}
LONG = "x" * 201
MALFORMED = [
    ({"amount": "1.001"}, "amount", "amount_scale"),
    ({"amount": "-1"}, "amount", "amount_not_positive"),
    ({"amount": "0"}, "amount", "amount_not_positive"),
    ({"amount": "1e3"}, "amount", "amount_invalid"),
    ({"amount": "1000000000000.01"}, "amount", "amount_too_large"),
    ({"amount": None}, "amount", "required"),
    ({"type": "deposit"}, "type", "invalid_choice"),
    ({"type": None}, "type", "required"),
    ({"external_id": "nobody"}, "external_id", "not_found"),
    ({"external_id": None}, "account", "required"),
    ({"external_id": None, "user": "01890a5d-ac96-774b-bcce-b302099a8057"}, "user", "not_found"),
    ({"external_id": None, "account": "01890a5d-ac96-774b-bcce-b302099a8057"}, "account", "not_found"),
    ({"account": "01890a5d-ac96-774b-bcce-b302099a8057"}, "account", "conflicting_fields"),
    ({"external_id": None, "account": "7"}, "account", "id_invalid"),
    ({"currency": "EUR"}, "external_id", "not_found"),
    ({"currency": "XXX"}, "external_id", "not_found"),
    ({"account_name": "savings"}, "external_id", "not_found"),
    ({"key": None}, "id", "identity_required"),
    ({"id": "01890a5d-ac96-774b-bcce-b302099a8057"}, "id", "two_identities"),
    ({"key": None, "id": "00000000-0000-0000-0000-000000000000"}, "id", "id_invalid"),
    ({"key": None, "id": "ffffffff-ffff-ffff-ffff-ffffffffffff"}, "id", "id_invalid"),
    ({"effective_at": "yesterday"}, "effective_at", "datetime_invalid"),
    ({"effective_at": "2023-02-30"}, "effective_at", "datetime_invalid"),
    ({"effective_at": "2023-01-01T00:00:00.1234567Z"}, "effective_at", "datetime_precision"),
    ({"effective_at": "2999-01-01"}, "effective_at", "effective_at_in_future"),
    ({"effective_at": "1969-12-31"}, "effective_at", "effective_at_too_early"),
    ({"reference": LONG}, "reference", "too_long"),
    ({"reference": "\0"}, "reference", "invalid_text"),
    ({"metadata": {"a": 1}}, "metadata", "metadata_invalid"),
    ({"metadata": {"a": "x" * 501}}, "metadata", "metadata_too_large"),
]


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize(("change", "field", "code"), MALFORMED)
def test_a_malformed_row_is_named_and_nothing_is_posted(anna, write, run, format, change, field, code):
    rows = [GOOD | {"key": "good"}, GOOD | change, GOOD | {"key": "also good"}]
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    if format == "csv":
        columns = sorted({name for row in rows for name in row})
        cells = [[row.get(name, "") for name in columns] for row in rows]
        cells = [[json.dumps(cell) if isinstance(cell, dict) else cell for cell in row] for row in cells]
        path, line = write(cells, columns), 3
    else:
        path, line = write(rows, name="rows.jsonl"), 2
    before = count_written()
    said = run(path, 2)
    assert f"line {line}, {field}: {code}: " in said
    assert "1 errors. Nothing is posted." in said
    assert count_written() == before


BROKEN = [
    (b"key,external_id,type,amount,colour\n", 1, "unknown_field"),
    (b"key,external_id,type,amount,amount\n", 1, "duplicate_key"),
    (
        b'key,external_id,type,amount\n1,anna,DEPOSIT,1\n2,anna,DEPOSIT,"1\n3,anna,DEPOSIT,1\n',
        3,
        "malformed_csv",
    ),
    (b'key,external_id,type,amount\n1,anna,DEPOSIT,"1"2\n', 2, "malformed_csv"),
    (b"key,external_id,type,amount\n" + b"x" * (tables.LINE_LENGTH_MAX + 1), 2, "too_long"),
]


@pytest.mark.parametrize(("text", "line", "code"), BROKEN)
def test_a_file_that_cannot_be_read_on_is_not_begun(anna, write, run, text, line, code, tmp_path):
    assert f"line {line}: {code}: " in run(write(text), 2)
    assert f"line {line}: {code}: " in run(write(text), 2, skip_malformed=str(tmp_path / "report.csv"))
    assert count_written()[0] == 0


LINES = [
    (b"{", "malformed_json"),
    (b"[" * 100_000, "malformed_json"),
    (b"[]", "invalid_type"),
    (b'{"amount": NaN}', "malformed_json"),
    (b'{"key": "1", "key": "2"}', "duplicate_key"),
    (b'{"metadata": {"a": "1", "a": "2"}}', "duplicate_key"),
    (b'{"external_id": "anna", "key": "1", "type": "DEPOSIT", "amount": "1", "x": "1"}', "unknown_field"),
    (b'{"external_id": "anna", "key": "\xff", "type": "DEPOSIT", "amount": "1"}', "invalid_text"),
    (b'{"external_id": "anna", "key": "\\ud800", "type": "DEPOSIT", "amount": "1"}', "invalid_text"),
]


@pytest.mark.parametrize(("line", "code"), LINES)
def test_a_line_that_is_not_a_json_object_is_named(anna, write, run, line, code):
    good = json.dumps(GOOD).encode()
    said = run(write(good + b"\n\n" + line + b"\n", name="rows.jsonl"), 2)
    assert "line 3" in said
    assert code in said


def test_a_row_with_too_many_cells_and_bytes_of_another_encoding_are_named(anna, write, run):
    text = "\ufeffkey,external_id,type,amount,reference\n\n1,anna,DEPOSIT,1,a,b\n2,anna,DEPOSIT,1,\n".encode()
    said = run(write(text + "3,anna,DEPOSIT,1,Gebühr\n".encode("latin-1")), 2)
    assert "line 3: malformed_csv: The row has 6 cells, the header 5." in said
    assert "line 5: invalid_text: The line is not UTF-8: try --encoding cp1252." in said
    assert "2 errors" in said


def test_a_row_of_several_lines_is_found_at_its_first(anna, write, run):
    rows = [(1, "anna", "DEPOSIT", "1", "", "a\nb\nc"), (2, "anna", "DEPOSIT", "x", "", "a\nb")]
    assert "line 5, amount: amount_invalid" in run(write(rows), 2)


def test_everything_is_counted_and_not_all_of_it_shown(anna, write, run):
    path = write([(n, "anna", "DEPOSIT", "x", "", "") for n in range(30)])
    said = run(path, 2)
    assert said.count("amount_invalid") == 20
    assert "… and 10 more." in said
    assert "30 errors. Nothing is posted." in said
    assert run(path, 2, errors=1).count("amount_invalid") == 1


def test_an_id_stands_once_in_a_file(anna, write, run):
    rows = [(key, "anna", "DEPOSIT", "1", "", "") for key in (1, 2, 1)]
    assert "line 4, id: duplicate_id: The row of line 2 has this id or key already." in run(write(rows), 2)


@pytest.mark.parametrize(
    ("change", "differs"),
    [({"amount": "2"}, "amount"), ({"type": "WITHDRAW"}, "type"), ({"reference": "x"}, "reference")],
)
def test_an_id_that_was_used_for_something_else_is_named(anna, write, run, change, differs):
    path = write([GOOD], name="rows.jsonl")
    run(path, 0)
    said = run(write([GOOD | {"key": "new"}, GOOD | change], name="rows.jsonl"), 2)
    assert (
        f"line 2, id: idempotency_key_reused: The id or key was used before, with another {differs}." in said
    )
    assert count_written()[0] == 1


def test_malformed_rows_can_be_left_out_with_a_list_of_them(anna, write, run, tmp_path):
    rows = [
        (1, "anna", "DEPOSIT", "1", "", ""),
        (2, "anna", "DEPOSIT", "-1", "", ""),
        (3, "nobody", "DEPOSIT", "1", "", ""),
        (1, "anna", "DEPOSIT", "5", "", ""),
        (5, "anna", "DEPOSIT", "2", "", ""),
    ]
    report = tmp_path / "malformed.csv"
    said = run(write(rows), 1, skip_malformed=str(report))
    assert "2    │ posted" in said
    assert sorted(line.split(",")[:3] for line in report.read_text().splitlines()) == [
        ["3", "amount", "amount_not_positive"],
        ["4", "external_id", "not_found"],
        ["5", "id", "duplicate_id"],
        ["line", "field", "code"],
    ]
    anna.refresh_from_db()
    assert anna.balance == 3


def test_which_account_of_a_user_is_meant_must_be_clear(anna, write, run):
    path = write([(1, "anna", "DEPOSIT", "1", "", "")])
    run(path, 0)
    operations.create_account(user_id=anna.user_id, currency="EUR", caller=CALLER)
    # What was posted before there was a choice is still known.
    assert "1    │ there already" in run(path, 0)
    assert "line 2, currency: currency_required" in run(write([(2, "anna", "DEPOSIT", "1", "", "")]), 2)


def test_a_currency_is_that_of_the_account(anna, write, run):
    row = {"key": "1", "account": str(anna.id), "currency": "EUR", "type": "DEPOSIT", "amount": "1"}
    assert "line 1, currency: currency_mismatch" in run(write([row], name="rows.jsonl"), 2)
    run(write([row | {"currency": "USD"}], name="rows.jsonl"), 0)


def test_options_that_make_no_sense_are_refused(anna, write, run, command, tmp_path):
    path = write([GOOD], name="rows.jsonl")
    assert "--source" in run(path, 2, source="a b")
    assert "Say with --source" in run(path, 2, source=None)
    assert "--format" in command(2, "import_transactions", "-")
    assert "--format" in command(2, "import_transactions", str(tmp_path))
    assert "No such file" in command(2, "import_transactions", "/nowhere/rows.csv")
    assert "No such file" in run(path, 2, declined="/nowhere/declined.csv")
    assert count_written()[0] == 0


def test_a_report_gets_its_name_when_it_is_whole(anna, write, run, tmp_path):
    report = tmp_path / "declined.csv"
    report.write_text("of the last run")
    run(write([GOOD | {"amount": "x"}], name="rows.jsonl"), 2, declined=str(report))
    assert report.read_text() == "of the last run"
    assert list(tmp_path.glob("*.partial")) == []
    run(write([GOOD], name="rows.jsonl"), 0, declined=str(report))
    assert report.read_text() == "line,id,reason,details\n"
