"""What the database refuses of the record of people, to whoever writes it by plain SQL."""

import pytest
from django.db import Error
from django.db.transaction import atomic

from tests.test_guards import execute, insert, refused_by, session  # noqa: F401, a fixture

pytestmark = pytest.mark.django_db

STREAM = "'00000000-0000-4000-8000-000000000001'"
NIL = "'00000000-0000-0000-0000-000000000000'"
ENTRIES, HEADS = "events_recordentry", "events_recordhead"
EMPTY = {"stream": STREAM, "number": "0", "chain_hash": "''"}
FIRST = {
    "stream": STREAM, "number": "1", "recorded_at": "now()", "actor": STREAM, "actor_kind": "'staff'",
    "request_id": "''", "type": "'account.viewed'", "action": "'VIEW'", "subject": "'account'",
    "subject_id": "''", "data": "'{}'", "text": "NULL", "text_mac": "NULL", "chain_hash": "sha256('1')",
}  # fmt: skip
SECOND = FIRST | {"number": "2", "chain_hash": "sha256('2')"}
THIRD = FIRST | {"number": "3", "chain_hash": "sha256('3')"}


def add(*entries, **head):
    """The entries, and the head that their stream has from then on: that of the last one, or `head`."""
    head = {name: entries[-1][name] for name in ("number", "recorded_at", "chain_hash")} | head
    changes = ", ".join(f"{name} = {value}" for name, value in head.items())
    change = f"UPDATE public.{HEADS} SET {changes} WHERE stream = {STREAM}"
    return f"WITH entry AS ({insert(ENTRIES, *entries)}) {change}"


def change_entry(change):
    return f"UPDATE {ENTRIES} SET {change} WHERE stream = {STREAM}"


def change_head(change):
    return f"UPDATE {HEADS} SET {change} WHERE stream = {STREAM}"


# What no entry can be.
CHECKS = [
    ("entry_number_is_positive", insert(ENTRIES, FIRST | {"number": "0"})),
    ("entry_is_in_the_stream_of_its_actor", insert(ENTRIES, SECOND | {"actor": "NULL"})),
    ("entry_is_in_the_stream_of_its_actor", insert(ENTRIES, SECOND | {"actor": "gen_random_uuid()"})),
    ("entry_is_in_the_stream_of_its_actor", insert(ENTRIES, SECOND | {"stream": NIL})),
    ("entry_action_is_known", insert(ENTRIES, SECOND | {"action": "'GUESS'"})),
    ("entry_has_the_mac_of_its_text", insert(ENTRIES, SECOND | {"text": "gen_random_uuid()"})),
    ("entry_has_the_mac_of_its_text", insert(ENTRIES, SECOND | {"text_mac": "sha256('')"})),
    ("entry_number_is_used_once", insert(ENTRIES, FIRST)),
    ("events_recordentry_pkey", insert(ENTRIES, SECOND | {"id": f"(SELECT max(id) FROM {ENTRIES})"})),
    ("events_recordhead_pkey", insert(HEADS, EMPTY)),
    (
        "record_head_is_empty_or_of_an_entry",
        insert(HEADS, EMPTY | {"stream": NIL, "recorded_at": "now()"}),
    ),
    ("record_head_is_empty_or_of_an_entry", insert(HEADS, EMPTY | {"stream": NIL, "number": "1"})),
    ("record_head_is_empty_or_of_an_entry", insert(HEADS, EMPTY | {"stream": NIL, "number": "-1"})),
]
# What is written already, and how it goes on.
REFUSALS = [
    *(
        ("entry_is_never_changed", change_entry(change))
        for change in (
            *("number = 2", "recorded_at = recorded_at", "actor_kind = 'command'", "request_id = 'y'"),
            *("type = 'y'", "action = 'CHANGE'", "subject = 'y'", "subject_id = 'y'", "data = '{\"a\": 1}'"),
            *("text = gen_random_uuid(), text_mac = sha256('')", "chain_hash = sha256('y')", "id = id + 7"),
        )
    ),
    ("entry_is_never_changed", f"DELETE FROM {ENTRIES}"),
    ("entries_are_never_emptied", f"TRUNCATE {ENTRIES}"),
    ("entries_are_never_emptied", f"TRUNCATE {ENTRIES} RESTART IDENTITY CASCADE"),
    ("entry_is_the_head_of_its_stream", insert(ENTRIES, SECOND)),
    ("entry_is_the_head_of_its_stream", add(SECOND | {"recorded_at": "now() - interval '1 second'"})),
    ("entry_is_the_head_of_its_stream", insert(ENTRIES, FIRST | {"stream": NIL, "actor": "NULL"})),
    ("record_head_moves_with_its_entry", change_head("number = 2")),
    ("record_head_moves_with_its_entry", change_head("number = 0, recorded_at = NULL, chain_hash = ''")),
    ("record_head_moves_with_its_entry", change_head("chain_hash = sha256('y')")),
    ("record_head_moves_with_its_entry", change_head("recorded_at = now() + interval '1 second'")),
    ("record_head_moves_with_its_entry", change_head(f"stream = {NIL}")),
    ("record_head_moves_with_its_entry", insert(HEADS, EMPTY | {"stream": NIL, "chain_hash": "'y'"})),
    (
        "record_head_moves_with_its_entry",
        insert(HEADS, EMPTY | {"stream": NIL, "number": "1", "recorded_at": "now()"}),
    ),
    ("record_head_is_never_deleted", f"DELETE FROM {HEADS}"),
    ("record_heads_are_never_emptied", f"TRUNCATE {HEADS}"),
    ("record_heads_are_never_emptied", f"TRUNCATE {HEADS}, {ENTRIES}"),
]
# Refused by one guard or by the other.
EITHER = r"entry_is_the_head_of_its_stream|record_head_moves_with_its_entry"
TOGETHER = {
    "two entries of a stream at once": add(SECOND, THIRD),
    "two entries and a head of the first": add(SECOND, THIRD, number="2", chain_hash="sha256('2')"),
    "an entry that is not the next": add(THIRD),
    "a head of another hash": add(SECOND, chain_hash="sha256('y')"),
    "a head of another time": add(SECOND, recorded_at="now() + interval '1 second'"),
    "a head of another number": add(SECOND, number="3"),
    "an entry of another stream": add(SECOND | {"stream": NIL, "actor": "NULL", "number": "1"}, number="2"),
}


@pytest.fixture(autouse=True)
def written(session):  # noqa: F811
    """A stream with one entry."""
    execute(insert(HEADS, EMPTY))
    execute(add(FIRST))


@pytest.mark.parametrize(("rule", "attack"), CHECKS)
def test_an_entry_that_cannot_be_is_refused(rule, attack):
    with refused_by(rule):
        execute(attack)


@pytest.mark.parametrize(("rule", "attack"), REFUSALS)
def test_what_was_written_down_stays_and_goes_on_by_one(rule, attack):
    with refused_by(rule):
        execute(attack)


@pytest.mark.parametrize("attack", TOGETHER)
def test_an_entry_and_its_head_change_together(attack):
    with pytest.raises(Error, match=EITHER), atomic():
        execute(TOGETHER[attack])


def test_what_is_sound_is_taken():
    execute(add(SECOND))
    execute(change_head("number = number"))  # how its lock is taken
    execute(add(THIRD))
    assert execute(f"SELECT number, chain_hash = sha256('3') FROM {HEADS}") == [(3, True)]
