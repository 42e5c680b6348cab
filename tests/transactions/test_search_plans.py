"""A question reads few pages, however many people and movements there are.

`LEDGER_ROWS` makes it as many people, and as many movements; `make soak` asks for a million.
"""

import json
import os
import random
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from tests.cast import new_id
from tests.database import empty_the_ledger, execute
from transactions import search
from transactions.models import Transaction
from transactions.search import keys, statements
from transactions.search.folding import fold

ROWS = int(os.environ.get("LEDGER_ROWS", "20000"))
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900 + ROWS // 100)]

PAGES_MAX = 2000
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
FIRST = datetime(2024, 12, 1, tzinfo=UTC)
NAMES = [
    "Иван",
    "Анна",
    "Пётр",
    "Мария",
    "Сергей",
    "Ольга",
    "Алексей",
    "Елена",
    "John",
    "Mary",
    "José",
    "Zoë",
]
MIDDLE = ["Сергеевич", "Иванович", "Петрович", "Алексеевна", "Дмитриевна", "Lee", "Ann", "Marie", "van", "de"]
SYLLABLES = ["пет", "ива", "сер", "кон", "сид", "нов", "ков", "ман", "тар", "бел", "mil", "son", "ber", "ton"]
SHOPS = ["GROCERY", "PHARMACY", "FUEL", "BOOKS", "CINEMA", "RENT"]


def make_surnames():
    known = random.Random(7)
    return ["Петров", "Петрова", "Petrov"] + [
        "".join(known.choices(SYLLABLES, k=known.randint(2, 4))).capitalize()
        + known.choice(("ов", "ова", "son"))
        for _ in range(2000)
    ]


def make_people():
    known, surnames = random.Random(1), make_surnames()
    for number in range(ROWS):
        name = fold(f"{known.choice(NAMES)} {known.choice(MIDDLE)} {known.choice(surnames)}")
        external_id = f"cust {number:07}"
        contacts = [f"user{number}@example.com", f"7912{number:07}"]
        yield (
            new_id(),
            name,
            external_id,
            contacts,
            keys.of_person(name=name, external_id=external_id, contacts=contacts),
        )


def make_movements():
    """Two years of them, in the order of time."""
    known = random.Random(2)
    for number in range(ROWS):
        recorded_at = FIRST + (NOW - FIRST) * number / ROWS
        reference = fold(
            known.choice(
                [
                    f"card {known.randrange(10_000):04} {known.choice(SHOPS)}",
                    f"INV-{number:07}",
                    f"hotel booking {known.randrange(1000)}",
                    "",
                ]
            )
        )
        amount = Decimal(known.choice((50, 100, known.randrange(1, 100_000)))) / known.choice((1, 100))
        yield new_id(), number % 20 == 0, amount, recorded_at, reference


def make_references():
    for id, is_hold, _, recorded_at, reference in make_movements():
        if reference:
            yield (
                id,
                is_hold,
                recorded_at,
                reference,
                keys.of_reference(reference, keys.number_quarter(recorded_at)),
            )


def make_amounts():
    for id, is_hold, amount, effective_at, _ in make_movements():
        yield amount, effective_at, id, is_hold


def copy(table, columns, rows):
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as to:
        for row in rows:
            to.write_row(row)
    execute(f"ANALYZE {table}")
    sizes = execute(
        "SELECT relname, pg_relation_size(oid) FROM pg_class"
        " WHERE oid = %s::regclass OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = %s::regclass)",
        table,
        table,
    )
    told = ", ".join(f"{name} {size / ROWS:.0f} B" for name, size in sizes)
    sys.stdout.write(f"a row of {ROWS}: {told}\n")


@pytest.fixture(scope="module")
def many(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        copy("transactions_searchedperson", "user_id, name, external_id, contacts, keys", make_people())
        copy("transactions_searchedreference", "id, is_hold, recorded_at, reference, keys", make_references())
        copy("transactions_searchedamount", "amount, at, id, is_hold", make_amounts())
        yield
        empty_the_ledger()


@pytest.fixture(autouse=True)
def _planned_as_for_the_service(db, monkeypatch):
    monkeypatch.setattr(statements, "FIRST", f"SELECT '{FIRST.isoformat()}'::timestamptz")
    execute("SET LOCAL enable_seqscan = off")
    execute("SET LOCAL random_page_cost = 1.1")
    execute("SET LOCAL jit = off")


class Pages:
    """Counts the pages that statements of search tables read, in memory or not."""

    def __init__(self):
        self.count = 0
        self.plans = []

    def __call__(self, execute, sql, params, many, context):
        if "transactions_searched" in sql:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
                [plan] = cursor.fetchone()
            found = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
            self.count += found["Shared Hit Blocks"] + found["Shared Read Blocks"]
            self.plans.append(found)
        return execute(sql, params, many, context)


def walk(node):
    yield node
    for child in node.get("Plans", []):
        yield from walk(child)


QUESTIONS = [
    ("Петров", 1, 0),
    ("иван сергеевич петров", 0, 0),
    ("Петорв", 1, 0),
    ("Иван", 1, 0),
    ("и", 1, 0),
    ("иван и", 1, 0),
    ("Ivan Sergeevich Nobody Atall", 0, 0),
    ("cust", 1, 0),
    ("CUST-0000017", 1, 0),
    ("0000017", 1, 0),
    ("00", 1, 0),
    ("user17@example.com", 1, 0),
    ("8 (912) 000-00-17", 1, 0),
    ("card", 0, 1),
    ("card 1", 0, 1),
    ("grocery card", 0, 1),
    ("INV-0000019", 0, 0),
    ("hotel booking 7", 0, 1),
    ("50.00", 0, 1),
    ("50.00 on 24 Nov", 0, 1),
    ("50 24 ноября", 0, 1),
    ("x" * 255, 0, 0),
    (" ".join("иваннов" for _ in range(30)), 0, 0),
]


@pytest.mark.parametrize(("text", "people", "movements"), QUESTIONS, ids=range(len(QUESTIONS)))
def test_a_question_reads_few_pages_whatever_it_finds(many, text, people, movements):
    asked = search.read(text, NOW)
    pages = Pages()
    with connection.execute_wrapper(pages):
        found = search.find_people(asked), search.find_movements(asked)
    sys.stdout.write(f"{text[:30]!r}: {pages.count} pages, {[len(each.ids) for each in found]}\n")
    assert pages.count <= PAGES_MAX
    assert len(found[0].ids) >= people
    assert len(found[1].ids) >= movements
    scans = {node["Node Type"] for plan in pages.plans for node in walk(plan)}
    assert "Seq Scan" not in scans


def test_the_newest_movements_are_found_first(many):
    found = search.find_movements(search.read("card", NOW))
    rows = dict(
        execute(
            "SELECT id, recorded_at FROM transactions_searchedreference WHERE id = ANY(%s)",
            [id for id, _ in found.ids],
        )
    )
    times = [rows[id] for id, _ in found.ids]
    assert times == sorted(times, reverse=True)
    assert found.is_cut
    assert times[0] > NOW - timedelta(days=92)


@pytest.fixture(scope="module")
def terms(many, django_db_blocker):
    """Of every movement a pair of metadata that all have, one that it alone has, and another moment."""
    with django_db_blocker.unblock():
        for term in ("'metadata.channel=web'", "'metadata.order=' || row_number() OVER ()", "'moved'"):
            execute(
                f"INSERT INTO transactions_searchedterm (term, at, id)"
                f" SELECT {statements.TERM.format(term)}, at, id FROM transactions_searchedamount"
            )
        execute("ANALYZE transactions_searchedterm")


WEB, SEVENTEEN, NONE = ("metadata.channel", "web"), ("metadata.order", "17"), ("metadata.order", "none")
LISTS = [
    ([WEB], None),
    ([SEVENTEEN], None),
    ([WEB, SEVENTEEN, NONE], None),
    ([WEB], (Decimal(50), Decimal(50))),
    ([WEB], (Decimal(3), None)),
    ([], (Decimal(50), Decimal(50))),
    ([], (Decimal(3), None)),
    ([], None),
]


@pytest.mark.parametrize("source", [search.BY_RECORDING, search.BY_EFFECT], ids=["recording", "effect"])
@pytest.mark.parametrize(("named", "amounts"), LISTS, ids=range(len(LISTS)))
def test_a_page_of_a_list_reads_few_pages_though_nothing_fits(terms, named, amounts, source):
    """What the tables name is not in the ledger here, so that as much is looked at as ever is."""
    lookups = [search.look_up_term(*each) for each in named]
    lookups += [search.look_up_amounts(*amounts)] if amounts else []
    order = "recorded_at" if source is search.BY_RECORDING else "effective_at"
    listing = search.Listing(rows=Transaction.objects.all(), order=order, lookups=lookups, source=source)
    for position in (None, (FIRST + (NOW - FIRST) / 2, new_id())):
        pages = Pages()
        with connection.execute_wrapper(pages):
            keys = search.find_keys(listing, position, is_forward=True, limit=51)
        sys.stdout.write(f"{named} {amounts}: {pages.count} pages\n")
        assert keys.found == []
        assert pages.count <= PAGES_MAX
        assert "Seq Scan" not in {node["Node Type"] for plan in pages.plans for node in walk(plan)}
