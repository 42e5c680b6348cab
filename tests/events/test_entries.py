"""Finding entries of the record: the same as a filter of all of them, by steps that are bounded."""

from datetime import timedelta
from random import Random

import pytest
from django.db.transaction import atomic

from events import entries, record
from events.models import RecordEntry
from ledger.callers import ActorKind, Caller
from tests.cast import new_id
from tests.database import execute
from tests.transactions.test_plans import count_rows_touched

pytestmark = pytest.mark.django_db

CHANGE, VIEW = "CHANGE", "VIEW"


@pytest.fixture
def actors():
    return [new_id() for _ in range(3)]


def write(actor, action, subject_id="a", subject="account", kind=ActorKind.STAFF):
    with atomic():
        record.write(
            Caller(actor, kind, "test"),
            type="account.x",
            action=action,
            subject=subject,
            subject_id=subject_id,
        )


def find_all(limit, **asked):
    """Page after page, to the end."""
    before, pages = None, []
    while True:
        found = entries.find(limit=limit, before=before, **asked)
        assert len(found.ids) <= limit
        pages += found.ids
        if found.before is None:
            return pages
        assert before is None or found.before < before
        before = found.before


def keep(rows, *, actors=None, subject_ids=None, action="", subjects=None, kinds=None):
    """As in the words of `find`."""
    return [
        row.id
        for row in rows
        if (actors is None or row.actor in actors)
        and (subject_ids is None or row.subject_id in subject_ids)
        and (not action or row.action == action)
        and (subjects is None or row.subject in subjects)
        and (kinds is None or row.actor_kind in kinds)
    ]


def test_by_chance_it_finds_what_a_filter_finds(actors, monkeypatch):
    chance = Random(21)
    monkeypatch.setattr(entries, "WALK_MAX", 7)
    for _ in range(120):
        write(
            chance.choice(actors),
            chance.choice([CHANGE, VIEW, VIEW]),
            chance.choice("abc"),
            chance.choice(["account", "staff"]),
            chance.choice([ActorKind.STAFF, ActorKind.SERVICE]),
        )
    rows = list(RecordEntry.objects.order_by("-id"))
    for _ in range(60):
        asked = {
            "actors": chance.choice([None, actors[:1], actors[:2], []]),
            "subject_ids": chance.choice([None, ["a"], ["a", "c"]]),
            "action": chance.choice(["", CHANGE, VIEW]),
            "subjects": chance.choice([None, ["account"]]),
            "kinds": chance.choice([None, ["staff"]]),
        }
        assert find_all(chance.choice([1, 4, 50]), **asked) == keep(rows, **asked), asked


def test_days_begin_and_end_where_they_do(actors):
    for number in range(6):
        write(actors[number % 2], CHANGE)
    rows = list(RecordEntry.objects.order_by("id"))
    for first in range(6):
        for last in range(first, 6):
            since, until = rows[first].recorded_at, rows[last].recorded_at
            found = find_all(10, since=since, until=until)
            assert found == [row.id for row in reversed(rows[first:last])]
    assert entries.find_first(rows[3].recorded_at) == rows[3].id
    assert entries.find_first(rows[5].recorded_at + timedelta(microseconds=1)) == rows[5].id + 1


def test_a_walk_that_finds_nothing_says_where_it_stopped(actors, monkeypatch):
    monkeypatch.setattr(entries, "WALK_MAX", 5)
    for _ in range(12):
        write(actors[0], VIEW)
    found = entries.find(limit=2, actors=actors[:1], action="LOGIN")
    assert (found.ids, found.is_cut) == ([], True)
    assert found.before == sorted(RecordEntry.objects.values_list("id", flat=True))[-5]


# Past the guards: these are to be many, not right.
MANY = """
INSERT INTO events_recordentry (
    stream, number, recorded_at, actor, actor_kind, request_id, type, action, subject, subject_id, data,
    chain_hash
)
SELECT %(actor)s, n, now() - interval '30 days' + n * interval '1 minute', %(actor)s, 'staff', '',
    'account.x', CASE WHEN n %% 500 = 0 THEN 'CHANGE' ELSE 'VIEW' END, 'account', (n %% 2)::text, '{}', ''
FROM generate_series(1, 20000) AS n
"""


def test_changes_are_found_without_what_was_looked_at(actors, django_assert_num_queries):
    execute("ALTER TABLE events_recordentry DISABLE TRIGGER USER")
    execute(MANY, actor=actors[0])
    execute("ANALYZE events_recordentry")
    values = {
        "wanted": actors[:1], "each": 51, "first": 0, "before": entries.ID_MAX, "actions": [CHANGE],
        "actors": None, "subjects": None, "kinds": None, "since": None, "until": None,
    }  # fmt: skip
    for column, wanted in (("", []), ("actor", actors[:1]), ("subject_id", ["0"])):
        statement = entries.WALKS[True, column]
        assert count_rows_touched(statement, values | {"wanted": wanted}) <= 2 * 51
        found = entries.find(
            limit=50,
            action=CHANGE,
            **{"": {}, "actor": {"actors": wanted}, "subject_id": {"subject_ids": wanted}}[column],
        )
        assert len(found.ids) == 40
    walked = values | {"wanted": actors[:1], "each": entries.WALK_MAX}
    assert count_rows_touched(entries.WALKS[False, "actor"], walked) <= 2 * entries.WALK_MAX
    at = RecordEntry.objects.order_by("id")[7000].recorded_at
    assert count_rows_touched(entries.FIRST_SINCE, {"at": at}) <= 100


def test_of_who_changed_nothing_nobody_elses_changes_are_walked_through(actors):
    execute("ALTER TABLE events_recordentry DISABLE TRIGGER USER")
    execute(MANY.replace("ELSE 'VIEW'", "ELSE 'CHANGE'"), actor=actors[0])
    execute("ANALYZE events_recordentry")
    execute("SET LOCAL enable_seqscan = off")
    execute("SET LOCAL random_page_cost = 1.1")
    values = {
        "each": 51, "first": 0, "before": entries.ID_MAX, "actions": [CHANGE],
        "actors": None, "subjects": None, "kinds": None, "since": None, "until": None,
    }  # fmt: skip
    for column, wanted in (("actor", actors[1:]), ("subject_id", ["2", "3"])):
        assert count_rows_touched(entries.WALKS[True, column], values | {"wanted": wanted}) == 0
