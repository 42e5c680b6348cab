"""Bodies with two readings are refused, whatever their bytes."""

from random import Random

import pytest

from rest import parsers
from rest.errors import InvalidRequest
from tests.cast import new_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(service, account):
    def send(body, content_type="application/json", **headers):
        address = "/api/v1/transactions"
        answer = service.generic("POST", address, body, content_type=content_type, headers=headers)
        return answer.status_code, answer.json().get("code", answer.json().get("amount"))

    return send


@pytest.mark.parametrize(
    "body",
    [b"", b"  ", b"{", b"{'a': 1}", b"{a: 1}", b"{} {}", b'{"a": 1,}', b'{"a": NaN}', b'{"a": -Infinity}']
    + [b'\xef\xbb\xbf{"a": 1}', '{"a": 1}'.encode("utf-16"), b'{"a": "\xe9"}', b'{"a": "\xc0\x80"}']
    + [b'{"a": "\xed\xa0\x80"}', b"[" * 60_000, b'{"a":' * 10_000, b'{"a": 01}', b"\x00"],
)
def test_what_is_not_json_in_utf_8_is_malformed(send, body):
    assert send(body) == (400, "malformed_json")


WHERE = {
    b"": "it is empty",
    b'{"a": 1,\n "b" 2}': "line 2, column 6",
    b'{"a": "\xe9"}': "byte 8",
    b'{"a": NaN}': "NaN is not JSON",
    b"[" * 60_000: "too many levels",
}


@pytest.mark.parametrize("body", WHERE, ids=list(WHERE.values()))
def test_where_a_body_is_no_json_is_said(service, body):
    problem = service.generic("POST", "/api/v1/transactions", body, content_type="application/json").json()
    assert problem["detail"] == f"The body is not JSON in UTF-8: {WHERE[body]}."


@pytest.mark.parametrize(
    "body", [b"null", b"[]", b'"x"', b"1", b"true", b"1" * 5000, b'[{"type": "DEPOSIT"}]']
)
def test_a_body_is_an_object(send, body):
    assert send(body) == (400, "invalid_body")


@pytest.mark.parametrize(
    "body",
    [b'{"a": 1, "a": 1}', rb'{"amount": "1", "\u0061mount": "2"}', b'{"metadata": {"a": "1", "a": "2"}}'],
)
def test_a_key_stands_once(send, body):
    assert send(body) == (400, "duplicate_key")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    + ["application/json; charset=utf-16", "application/json; charset=bz2_codec", "application/jsonp"]
    + ["application/json, text/plain", "application/vnd.api+json"],
)
def test_only_json_in_utf_8_is_read(send, content_type):
    assert send(b"{}", content_type) == (415, "unsupported_media_type")


def test_an_encoded_body_is_refused(send):
    assert send(b"{}", **{"Content-Encoding": "gzip"}) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"],
)
def test_the_usual_content_types_are_read(send, content_type):
    assert send(b"{}", content_type) == (400, "required")


def test_a_body_has_an_end_and_any_number_of_keys_before_it(send):
    assert send(b'{"reference": "' + b"a" * 65_536 + b'"}') == (413, "body_too_large")
    assert send("{" + ",".join(f'"k{n}":1' for n in range(6000)) + "}")[0] == 400


@pytest.mark.parametrize(
    ("version", "told"),
    [("0", (201, "0.10")), ("0.0", (400, "invalid_type")), ("1e0", (400, "invalid_type"))],
)
def test_a_number_is_read_from_its_digits(send, account, version, told):
    body = f'{{"id": "{new_id()}", "account": "{account.id}", "type": "DEPOSIT", "amount": "0.10"'
    assert send(f'{body}, "expected_version": {version}}}') == told


def test_a_query_has_no_place_where_none_is_known(service, account):
    address = f"/api/v1/accounts/{account.id}"
    for query in (f"{address}?status=ACTIVE", f"{address}/balance?asof=1", f"{address}?%ED%A0%BD=%00"):
        assert service.get(query).json()["code"] == "unknown_parameter"
    answer = service.post("/api/v1/accounts?dry_run=1", {"user": str(account.user_id), "currency": "EUR"})
    assert answer.json()["code"] == "unknown_parameter"


def nest(levels, inside="1"):
    return f'{{"reference": {"[" * (levels - 1)}{inside}{"]" * (levels - 1)}}}'.encode()


@pytest.mark.parametrize("inside", ["1", '"x"', r'"\u0061"', "null"])
def test_a_hundred_levels_are_read_and_no_more(send, inside):
    assert send(nest(100, inside)) == (400, "required")
    assert send(nest(101, inside)) == (400, "malformed_json")


def make_value(random, level=0):
    kind = random.random()
    if kind < 0.5 or level > 3:
        return random.choice(PIECES)
    if kind < 0.8:
        pairs = (
            f"{random.choice(PIECES[:6])}:{make_value(random, level + 1)}" for _ in range(random.randrange(4))
        )
        return f"{{{','.join(pairs)}}}"
    return f"[{', '.join(make_value(random, level + 1) for _ in range(random.randrange(3)))}]"


PIECES = [
    '"a"',
    '"b"',
    '""',
    '"é"',
    r'"\u0061"',
    r'"\""',
    '"a',
    "'a'",
    '"\x00"',
    r'"\ud800"',
    r'"\\"',
    '"{"',
    '"\u2028"',
]
PIECES += [
    "true",
    "null",
    "nul",
    "0",
    "-0",
    "01",
    "1.50",
    "1E400",
    "NaN",
    "-Infinity",
    "9" * 30,
    " \n",
    "\ufeff",
    "\xa0",
]


def read(reader, text):
    try:
        return repr(reader(text))  # with the types of numbers and the order of keys
    except ValueError:
        return "malformed"
    except InvalidRequest as error:
        return error.errors


@pytest.mark.parametrize("seed", range(5))
def test_the_short_way_of_reading_reads_what_the_long_one_does(seed):
    random, seen = Random(seed), set()
    for _ in range(2000):
        text = make_value(random)
        expected = read(parsers.read_json, text)
        assert read(parsers.read_bytes, text.encode()) == expected, text
        seen.add(type(expected) if expected != "malformed" else expected)
    assert seen == {str, tuple, "malformed"}
