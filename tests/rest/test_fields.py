"""Strict values, one by one."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from rest_framework.exceptions import ValidationError

from ledger.values import format_time
from rest import fields, times
from rest.parsers import Number
from transactions.models import Transaction


def refusal(field, value):
    with pytest.raises(ValidationError) as refused:
        field.to_internal_value(value)
    [detail] = refused.value.detail
    return detail.code


@pytest.mark.parametrize("text", ["100.00", "100", "0.01", "-1.00", "0", "0000000001.5"])
def test_amounts_are_read_from_their_digits(text):
    assert fields.AmountField().to_internal_value(text) == Decimal(text)


@pytest.mark.parametrize(
    "value",
    ["+1", "1_000", "1,000.00", "1e2", "NaN", "sNaN", "Infinity", "١٢", "１０", "½", "10.00\n", " 1", "1 "]
    + ["5.", ".5", "", "0x10", "1.2.3", "--1", "$1", "10\x00", "\ud800", "\u202e1", True, None, 10, 1.5]
    + [["1"], {"value": "1"}],
)
def test_what_is_not_a_decimal_is_no_amount(value):
    assert refusal(fields.AmountField(), value) == "amount_invalid"


@pytest.mark.parametrize("digits", ["100", "10.10", "1E2", "1e400", "-0.0", "9" * 5000])
def test_a_json_number_is_no_amount_whatever_it_is(digits):
    assert refusal(fields.AmountField(), Number(digits)) == "amount_not_text"


def test_a_million_digits_are_refused_at_once():
    assert refusal(fields.AmountField(), "9" * 1_000_000) == "amount_too_large"
    assert refusal(fields.AmountField(), "0." + "0" * 1_000_000) == "amount_scale"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2023-01-04T00:00:00Z", datetime(2023, 1, 4, tzinfo=UTC)),
        ("2023-01-04T00:00:00.123456Z", datetime(2023, 1, 4, 0, 0, 0, 123456, UTC)),
        ("2023-01-04T00:00:00.1234560000Z", datetime(2023, 1, 4, 0, 0, 0, 123456, UTC)),
        ("2023-01-04T00:00:00.5+03:00", datetime(2023, 1, 3, 21, 0, 0, 500000, UTC)),
        ("2023-01-04T00:00:00-05:30", datetime(2023, 1, 4, 5, 30, tzinfo=UTC)),
        ("2023-01-04T00:00:00", datetime(2023, 1, 4, tzinfo=UTC)),
        ("2023-01-04", datetime(2023, 1, 4, 23, 59, 59, 999999, UTC)),
        ("2023-01-04t00:00:00z", datetime(2023, 1, 4, tzinfo=UTC)),
        ("2023-01-04 08:26:29", datetime(2023, 1, 4, 8, 26, 29, tzinfo=UTC)),
        ("2023-01-04 08:26:29.5+02:00", datetime(2023, 1, 4, 6, 26, 29, 500000, UTC)),
        ("2023-01-04T00:00:00-00:00", datetime(2023, 1, 4, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 999999, UTC)),
        ("2016-12-31T23:59:60", datetime(2016, 12, 31, 23, 59, 59, 999999, UTC)),
        ("2016-12-31T15:59:60.25-08:00", datetime(2016, 12, 31, 23, 59, 59, 999999, UTC)),
        ("2017-01-01T05:29:60+05:30", datetime(2016, 12, 31, 23, 59, 59, 999999, UTC)),
    ],
)
def test_times_are_rfc_3339(text, instant):
    assert times.parse_time(text) == instant


@pytest.mark.parametrize(
    "value",
    ["", "now", "infinity", "epoch", "2023-W01-1T00:00:00Z", "20230104T000000Z", "2023-001T00:00:00Z"]
    + ["2023-01-04  00:00:00Z", "2023-01-04\t00:00:00z", "2023-01-04T00:00:00,5Z", "2023-01-04T24:00:00Z"]
    + ["2023-01-04T23:59:60Z", "2016-12-31T23:59:61Z", "2016-12-31T23:58:60Z", "2016-12-31T23:59:60-08:00"]
    + ["2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "10000-01-01T00:00:00Z"]
    + ["2023-01-04T00:00:00+24:00", "2023-01-04T00:00:00+99:99", "2023-01-04T00:00:00Z\x00", "-001-01-01"]
    + ["٢٠٢٣-01-04T00:00:00Z", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "9999-12-31"]
    + [1672790400, True, None, [], "2023-01-04T00:00:00.Z"],
)
def test_what_is_not_a_time_is_refused(value):
    assert refusal(times.TimeField(), value) == "datetime_invalid"


def test_a_day_ends_by_the_calendar_where_the_clocks_change():
    berlin = ZoneInfo("Europe/Berlin")
    short, long = times.parse_time("2023-03-26", berlin), times.parse_time("2023-10-29", berlin)
    assert short == datetime(2023, 3, 26, 21, 59, 59, 999999, UTC)
    assert long == datetime(2023, 10, 29, 22, 59, 59, 999999, UTC)


@pytest.mark.parametrize(
    ("local", "zone", "how", "first", "last"),
    [
        ("2024-03-31T02:30:00", "Europe/Berlin", "never", "00:30:00", "01:30:00"),
        ("2023-10-29T02:30:00", "Europe/Berlin", "twice", "00:30:00", "01:30:00"),
        ("2023-10-29 02:00:00.5", "Europe/Berlin", "twice", "00:00:00.5", "01:00:00.5"),
        ("2023-11-05T01:59:59", "America/New_York", "twice", "05:59:59", "06:59:59"),
    ],
)
def test_a_time_that_the_clocks_show_twice_or_never_is_refused_with_both_instants(
    local, zone, how, first, last
):
    with pytest.raises(ValidationError) as refused:
        times.parse_time(local, ZoneInfo(zone))
    [detail] = refused.value.detail
    both = [format_time(times.parse_time(f"{local[:10]}T{text}Z")) for text in (first, last)]
    assert detail.code == "datetime_ambiguous"
    assert f" {how}: say {both[0]} or {both[1]}." in detail
    assert times.parse_time(f"{local}+01:00", ZoneInfo(zone))  # with an offset it is one instant


@pytest.mark.parametrize(
    ("local", "instant"),
    [("2024-03-31T01:59:59.999999", "00:59:59.999999"), ("2024-03-31T03:00:00", "01:00:00")],
)
def test_around_the_hour_that_is_left_out_a_time_is_one_instant(local, instant):
    assert times.parse_time(local, ZoneInfo("Europe/Berlin")) == times.parse_time(f"2024-03-31T{instant}Z")


@pytest.mark.parametrize(
    ("day", "zone", "begins_at", "moment"),
    [
        ("2023-01-04", "UTC", "2023-01-04T00:00:00Z", "2023-01-04T23:59:59.999999Z"),
        ("2023-10-29", "Europe/Berlin", "2023-10-28T22:00:00Z", "2023-10-29T22:59:59.999999Z"),
        # The clocks go back from one to midnight: the day before ends when it is midnight the first time.
        ("2023-11-04", "America/Havana", "2023-11-04T04:00:00Z", "2023-11-05T03:59:59.999999Z"),
        ("2023-11-05", "America/Havana", "2023-11-05T04:00:00Z", "2023-11-06T04:59:59.999999Z"),
        # And forward from midnight to one: there is no midnight.
        ("2023-03-26", "Asia/Beirut", "2023-03-25T22:00:00Z", "2023-03-26T20:59:59.999999Z"),
    ],
)
def test_a_day_knows_when_it_begins(day, zone, begins_at, moment):
    last = times.parse_time(day, ZoneInfo(zone))
    assert (format_time(last.begins_at), format_time(last)) == (
        format_time(times.parse_time(begins_at)),
        moment,
    )


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "../etc/passwd", "America", "/etc/localtime", "europe/berlin", "x" * 5000]
)
def test_a_time_zone_is_a_name_of_the_database(name):
    assert refusal(times.TimeZoneField(), name) == "timezone_invalid"


@pytest.mark.parametrize(
    "value",
    ["", "abc", "{3fa85f64-5717-4562-b3fc-2c963f66a003}", "urn:uuid:3fa85f64-5717-4562-b3fc-2c963f66a003"]
    + ["3fa85f6457174562b3fc2c963f66a003", "3fa85f64-5717-4562-b3fc-2c963f66a003\n", 1, True, 1.5, [], {}]
    + ["3fa85f64-5717-4562-b3fc-2c963f66a00３"],
)
def test_an_id_is_a_uuid_in_its_usual_form(value):
    assert refusal(fields.UUIDField(), value) == "id_invalid"


def test_an_id_in_upper_case_is_the_same_id():
    text = "3fa85f64-5717-4562-b3fc-2c963f66a003"
    assert fields.UUIDField().to_internal_value(text.upper()) == fields.UUIDField().to_internal_value(text)


def test_texts_are_counted_in_characters():
    field = fields.TextField(length_max=200)
    assert field.to_internal_value("😀" * 200)
    assert refusal(field, "a" * 201) == "too_long"
    assert refusal(field, Number("123")) == "invalid_type"
    assert refusal(field, "\udc00x") == "invalid_text"


@pytest.mark.parametrize("value", ["DEPOSIT ", "deposit", "TRANSFER", True, ["DEPOSIT"], "DЕPOSIT"])
def test_a_choice_is_one_of_its_values(value):
    assert refusal(fields.ChoiceField(choices=Transaction.Type), value) == "invalid_choice"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("DEPOSIT", "invalid_type"),
        ({"DEPOSIT": True}, "invalid_type"),
        (["GIFT"], "invalid_choice"),
        (["DEPOSIT", "deposit"], "invalid_choice"),
        (["DEPOSIT", "DEPOSIT"], "invalid_choice"),
        ([["DEPOSIT"]], "invalid_choice"),
        ([None], "invalid_choice"),
        ([{}], "invalid_choice"),
    ],
)
def test_choices_are_a_list_of_values_each_once(value, code):
    field = fields.ChoicesField(choices=Transaction.Type)
    assert field.to_internal_value(["WITHDRAW", "DEPOSIT"]) == ["WITHDRAW", "DEPOSIT"]
    assert field.to_internal_value([]) == []
    assert refusal(field, value) == code


@pytest.mark.parametrize(
    "value",
    ["", ",", "DEPOSIT,", ",DEPOSIT", "DEPOSIT,,WITHDRAW", "DEPOSIT, WITHDRAW", "DEPOSIT,DEPOSIT", "deposit"]
    + ["DEPOSIT;WITHDRAW", "DEPOSIT\x00", "DЕPOSIT"],
)
def test_choices_in_a_query_have_commas_between_them(value):
    field = fields.ChoicesParameter(choices=Transaction.Type)
    assert field.to_internal_value("DEPOSIT") == ["DEPOSIT"]
    assert field.to_internal_value("WITHDRAW,DEPOSIT") == ["WITHDRAW", "DEPOSIT"]
    assert refusal(field, value) == "invalid_parameter"


@pytest.mark.parametrize(
    "value", ["", "-1", "+1", " 1", "1.0", "1e1", "01", "0x1", "１", "1_0", "11", "9" * 5000, "1\n", "\x00"]
)
def test_a_number_in_a_query_is_whole_and_within_its_bounds(value):
    field = fields.NumberParameter(minimum=0, maximum=10)
    assert [field.to_internal_value(text) for text in ("0", "7", "10")] == [0, 7, 10]
    assert refusal(field, value) == "invalid_parameter"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], "metadata_invalid"),
        ("x", "metadata_invalid"),
        ({"n": Number("1")}, "metadata_invalid"),
        ({"n": {}}, "metadata_invalid"),
        ({f"k{n}": "v" for n in range(51)}, "metadata_too_large"),
        ({"k": "v" * 501}, "metadata_too_large"),
        ({"a\x00": "v"}, "invalid_text"),
        ({"\ud800": "v"}, "invalid_text"),
    ],
)
def test_metadata_is_a_small_object_of_texts(value, code):
    assert refusal(fields.MetadataField(), value) == code


def test_whole_numbers_are_whole():
    assert fields.CountField().to_internal_value(Number("7")) == 7
    for value in (Number("-1"), Number("1.0"), Number("1e3"), "7", True, Number("9" * 5000), Number("07")):
        assert refusal(fields.CountField(), value) == "invalid_type"
