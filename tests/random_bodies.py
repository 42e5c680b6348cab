"""Bodies at random, from a seed: noise, broken JSON, and JSON that is right but for one odd thing."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

TEXTS = [
    "", " ", "\0", "a\0b", "\ud800", "x\udfff", "\U0001f600" * 40, "\u202e00.1", "\ufeff",
    "cust-1 ", "a\u200bb", "Jose\u0301", "a\nb", "❤\ufe0f", "e\u0301" * 90,
    "a" * 151, "a" * 201, "a" * 501, "１２", "½", "NaN", "Infinity", "-1", "0", "1e3", "1_0", "+1", " 1",
    "1.", ".5", "0.001", "007", "10.00", "1000000000000", "1000000000000.01", "9" * 41, "USD", "usd", "EUR",
    "POINTS", "DEPOSIT", "WITHDRAW", "TRANSFER", "2023-01-04", "2023-01-04T00:00:00",
    "2023-01-04T00:00:00Z", "2016-12-31 15:59:60.25-08:00", "2023-02-30", "2023-01-04T23:59:60Z",
    "2023-01-04T00:00:00.1234567Z", "2023-01-04t00:00:00.1234560z", "2999-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31", "now", "infinity", "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff", "01910000-0000-8000-8000-000000000001",
    "{3fa85f64-5717-4562-b3fc-2c963f66a001}", "'; DROP TABLE accounts_user;--", "<script>",
    "../../etc/passwd", "{{7*7}}", "%00", "\r\nX: y", "user.created", "http://127.0.0.1", "http://127.1/",
    "http://127.0.0.1:99999/", "http://127.0.0.1./", "http://a@127.0.0.1/", "http://127.0.0.1/#", "https://localhost./",
    "#0", "#1", "#7", "#00", "#-1", "#1000", "# 0", "#０", "0",
]  # fmt: skip
TOKENS = [
    "NaN", "Infinity", "-0", "1e400", "-1e400", "1E2", "0.1", "10", "9" * 5000, "01", "0x10", "true", "nul",
    "'a'", "5.",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 7, 10, 0.5, 10**30, [], {}, ["a"], {"a": "b"}, {"a": 1}, {"a": None}, [[]],
    ["user.created"], ["user.created"] * 2,
]  # fmt: skip
KEYS = [
    "", "id", "amount", "Amount", "balance", "_state", "__proto__", "user_id", "status", "a\0", "\ud800",
    "k" * 41,
]  # fmt: skip
DEPTHS = [3, 50, 95, 100, 105, 1100, 5000]

Body = dict[str, Any]
Make = Callable[[Random, Body], bytes]


def write(random: Random, body: Any) -> bytes:
    text = json.dumps(body, ensure_ascii=random.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")


def make_noise(random: Random, body: Body) -> bytes:
    return random.randbytes(random.randrange(200))


def break_bytes(random: Random, body: Body) -> bytes:
    broken = bytearray(write(random, body))
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(broken))
        change = random.randrange(4)
        if change == 0:
            broken[place] = random.randrange(256)
        elif change == 1:
            del broken[place : place + random.randint(1, 8)]
            broken = broken or bytearray(b"{")
        elif change == 2:
            broken[place:place] = random.choice(
                [b",", b'"', b"{", b"}", b":", b"\\u0000", b"\\ud800", b"\x00", b"\xff", b"1"]
            )
        else:
            broken[place:place] = broken[place : place + random.randint(1, 40)]
    return bytes(broken)


def cut_off(random: Random, body: Body) -> bytes:
    whole = write(random, body)
    return whole[: random.randrange(len(whole))]


def nest(random: Random, body: Body) -> bytes:
    depth, name = random.choice(DEPTHS), random.choice([*body, "metadata"])
    opening, closing = random.choice([("[", "]"), ('{"a":', "}")])
    deep = opening * depth + "1" + closing * random.choice([depth, depth - 1, 0])
    return put_token(random, {**body, name: "@"}, deep)


def put_token(random: Random, body: Body, token: str) -> bytes:
    return write(random, body).replace(b'"@"', token.encode(), 1)


def put_odd_token(random: Random, body: Body) -> bytes:
    return put_token(random, {**body, random.choice([*body, "metadata"]): "@"}, random.choice(TOKENS))


def put_odd_value(random: Random, body: Body) -> bytes:
    changed = {**body, random.choice([*body, "metadata"]): random.choice([*VALUES, *TEXTS])}
    if random.random() < 0.2:
        changed["metadata"] = {random.choice([*KEYS, *TEXTS]): random.choice([*TEXTS, *VALUES])}
    return write(random, changed)


def put_odd_key(random: Random, body: Body) -> bytes:
    return write(random, {**body, random.choice([*KEYS, *TEXTS]): random.choice([*VALUES, *TEXTS])})


def repeat_key(random: Random, body: Body) -> bytes:
    text = write(random, body)
    return text[:-1] + b"," + write(random, {random.choice([*body]): random.choice(TEXTS)})[1:]


def leave_out(random: Random, body: Body) -> bytes:
    kept = {name: value for name, value in body.items() if random.random() < 0.7}
    return write(random, kept)


def wrap(random: Random, body: Body) -> bytes:
    return write(
        random,
        random.choice([[body], [[body, body]], json.dumps(body), {"data": body}, None, 1, "x", [], True]),
    )


def encode_otherwise(random: Random, body: Body) -> bytes:
    text = json.dumps({**body, "metadata": {"é": "é"}}, ensure_ascii=False)
    return text.encode(random.choice(["utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "utf-7"]))


def keep(random: Random, body: Body) -> bytes:
    return write(random, body)


MAKES: list[Make] = [
    make_noise, break_bytes, break_bytes, cut_off, nest, put_odd_token, put_odd_value, put_odd_value,
    put_odd_value, put_odd_key, repeat_key, leave_out, wrap, encode_otherwise, keep,
]  # fmt: skip


def make_bodies(random: Random, make_valid: Callable[[], Body], count: int) -> Iterator[bytes]:
    """Every field with every odd value once, then what chance makes. A small part is valid."""
    for name in make_valid():
        for value in [*VALUES, *TEXTS]:
            count -= 1
            yield json.dumps({**make_valid(), name: value}).encode()
    for _ in range(count):
        yield random.choice(MAKES)(random, make_valid())
