"""The record of people: one chain of entries per actor, and their personal text apart."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.transaction import TransactionManagementError, atomic

from accounts.operations import read_clock
from events import record, texts
from events.models import NIL, RecordEntry, RecordHead, Text
from ledger.callers import ActorKind, Caller
from tests.cast import new_id
from tests.transactions.test_audit import harm
from tests.transactions.test_concurrency import run_at_once
from transactions.proof.record import find_wrong_entries

ANNA = Caller(new_id(), ActorKind.STAFF, "request-1")
COMMAND = Caller(None, ActorKind.COMMAND)


@atomic
def write(caller=ANNA, type="staff.unlocked", subject="staff", **told):
    record.write(caller, type=type, subject=subject, **told)


def read():
    return list(RecordEntry.objects.order_by("id"))


def find_wrong():
    return list(find_wrong_entries({}))


@pytest.mark.django_db
def test_an_entry_says_who_did_what_to_whom_and_why():
    before = read_clock()
    member = new_id()
    write(
        type="staff.groups_changed",
        subject_id=member,
        owner=member,
        before={"groups": ["support"], "name": "Olga"},
        after={"groups": [], "name": "Olga"},
        detail="groups",
        reason="She left, ё.",
    )
    [entry] = read()
    assert (entry.stream, entry.number) == (ANNA.actor, 1)
    assert (entry.actor, entry.actor_kind, entry.request_id) == ANNA[:3]
    assert (entry.action, entry.subject, entry.subject_id) == ("CHANGE", "staff", str(member))
    assert before <= entry.recorded_at <= read_clock()
    text = Text.objects.get()
    assert (text.id, text.owner) == (entry.text, member)
    assert "Olga" not in str(entry.data)
    assert text.content == {"before/name": "Olga", "after/name": "Olga", "reason": "She left, ё."}
    assert record.read_told([entry]) == [
        {
            "before": {"groups": ["support"], "name": "Olga"},
            "after": {"groups": [], "name": "Olga"},
            "detail": "groups",
            "reason": "She left, ё.",
        }
    ]
    assert find_wrong() == []


@pytest.mark.django_db
def test_an_entry_of_nothing_personal_has_no_text():
    write(COMMAND, detail="x")
    [entry] = read()
    assert (entry.stream, entry.actor, entry.text, entry.text_mac) == (NIL, None, None, None)
    assert not Text.objects.exists()
    assert find_wrong() == []


@pytest.mark.django_db
def test_every_actor_has_a_chain_and_who_has_no_id_shares_one():
    boris = Caller(new_id(), ActorKind.STAFF)
    for caller in (ANNA, boris, ANNA, COMMAND, Caller(None, ActorKind.LEDGER), ANNA):
        write(caller)
    assert [(entry.stream, entry.number) for entry in read()] == [
        *((ANNA.actor, 1), (boris.actor, 1), (ANNA.actor, 2)),
        *((NIL, 1), (NIL, 2), (ANNA.actor, 3)),
    ]
    assert len({bytes(entry.chain_hash) for entry in read()}) == 6
    assert find_wrong() == []


@pytest.mark.django_db
def test_heads_and_hashes_are_read_for_anchors():
    for caller in (ANNA, COMMAND, ANNA):
        write(caller)
    first, command, second = (bytes(entry.chain_hash) for entry in read())
    assert sorted(record.read_heads()) == sorted([(NIL, 1, command), (ANNA.actor, 2, second)])
    asked = [(ANNA.actor, 1), (NIL, 1), (ANNA.actor, 3), (new_id(), 1)]
    assert record.read_hashes(asked) == {(ANNA.actor, 1): first, (NIL, 1): command}
    assert record.read_hashes([]) == {}


@pytest.mark.django_db
def test_forgotten_text_breaks_nothing():
    write(words="Ivan Ivanov", action=record.Action.SEARCH)
    write(reason="he asked")
    harm("UPDATE events_text SET content = NULL")
    told = [told.get("words", told.get("reason")) for told in record.read_told(read())]
    assert told == ["[erased]", "[erased]"]
    assert find_wrong() == []


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_written():
    with pytest.raises(TransactionManagementError):
        record.write(ANNA, type="staff.unlocked", subject="staff")
    assert not RecordEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_taken_back_leaves_no_gap():
    write()
    with pytest.raises(ConnectionError), atomic():
        write()
        raise ConnectionError
    write()
    assert [entry.number for entry in read()] == [1, 2]
    assert find_wrong() == []


@pytest.mark.django_db(transaction=True)
def test_many_at_once_of_one_actor_are_numbered_without_gaps():
    def write_five():
        for number in range(5):
            write(detail=str(number), reason="at once")

    run_at_once(*[write_five] * 8)
    entries = list(RecordEntry.objects.order_by("number"))
    assert [entry.number for entry in entries] == list(range(1, 41))
    times = [entry.recorded_at for entry in entries]
    assert times == sorted(times)
    assert RecordHead.objects.get().number == 40
    assert find_wrong() == []


@pytest.mark.django_db(transaction=True)
def test_actors_do_not_wait_for_each_other():
    with atomic():
        record.write(ANNA, type="staff.unlocked", subject="staff")
        run_at_once(lambda: write(Caller(new_id(), ActorKind.STAFF)))
    assert RecordEntry.objects.count() == 2


@pytest.mark.django_db
def test_when_the_clock_goes_back_time_stands_still_along_a_stream():
    write()
    later = read_clock() + timedelta(hours=1)
    with atomic(), connection.cursor() as cursor:
        for table in ("events_recordentry", "events_recordhead"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(f"UPDATE {table} SET recorded_at = %s", [later])
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    write()
    assert [entry.recorded_at for entry in read()] == [later, later]


@pytest.mark.django_db
def test_a_chain_goes_on_when_its_key_was_rotated(settings):
    write(reason="before")
    settings.CHAIN_KEY, settings.CHAIN_KEY_FALLBACKS = "another key", [settings.CHAIN_KEY]
    write(reason="after")
    assert find_wrong() == []
    settings.CHAIN_KEY_FALLBACKS = []
    assert len(find_wrong()) == 2  # the hash and the text of the first


@pytest.mark.django_db
def test_names_and_reasons_are_personal_wherever_they_stand():
    public, text = texts.split({"after": {"name": "A", "is_active": True}, "reason": "b"}, None)
    assert public == {"after": {"name": None, "is_active": True}, "reason": None}
    assert text.content == {"after/name": "A", "reason": "b"}
