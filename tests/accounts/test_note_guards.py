"""What the database refuses of notes, to whoever writes."""

import pytest

from tests.cast import UserFactory
from tests.office.staff import make_staff
from tests.test_guards import execute, insert, refused_by, session  # noqa: F401, a fixture

pytestmark = pytest.mark.django_db

NOTE = {
    "id": "'00000000-0000-4000-8000-000000000001'", "written_at": "now()", "subject": "'user'",
    "subject_id": "gen_random_uuid()", "text": "gen_random_uuid()", "is_task": "true",
}  # fmt: skip
DONE = "done_at = now(), done_by_id = author_id"
INSERTS = [
    ("note_subject_is_known", {"subject": "'hold'"}),
    ("note_is_done_by_somebody", {"done_by_id": "author"}),
    ("note_begins_undone", {"done_at": "now()", "done_by_id": "author"}),
    ("accounts_note_pkey", {"is_task": "false"}),
]
CHANGES = [
    ("note_is_done_by_somebody", "done_at = now()"),
    *(
        ("note_is_only_done", change)
        for change in (
            *("id = gen_random_uuid()", "author_id = user_id", "written_at = now() - interval '1 day'"),
            *("user_id = author_id", "subject = 'account'", "subject_id = gen_random_uuid()"),
            *("text = gen_random_uuid()", "is_task = false"),
        )
    ),
]
REFUSALS = [
    ("note_is_never_deleted", "DELETE FROM accounts_note"),
    ("notes_are_never_emptied", "TRUNCATE accounts_note"),
]


@pytest.fixture
def names(session):  # noqa: F811
    """As SQL writes their ids; there is one note."""
    ids = {"author": make_staff("support"), "user": UserFactory()}
    names = {name: f"'{each.id}'" for name, each in ids.items()}
    write(names)
    return names


def write(names, **changes):
    row = NOTE | {"author_id": names["author"], "user_id": names["user"]} | changes
    execute(insert("accounts_note", {name: names.get(value, value) for name, value in row.items()}))


@pytest.mark.parametrize(("rule", "changes"), INSERTS)
def test_a_note_that_cannot_be_is_refused(names, rule, changes):
    other = {} if rule == "accounts_note_pkey" else {"id": "gen_random_uuid()"}
    with refused_by(rule):
        write(names, **other, **changes)


@pytest.mark.parametrize(("rule", "change"), CHANGES)
def test_what_was_written_stays(names, rule, change):
    with refused_by(rule):
        execute(f"UPDATE accounts_note SET {change}")


def test_what_is_done_is_done_once(names):
    execute(f"UPDATE accounts_note SET {DONE}")
    for change in (DONE, "done_at = NULL, done_by_id = NULL"):
        with refused_by("note_is_only_done"):
            execute(f"UPDATE accounts_note SET {change}")


def test_only_what_is_to_be_done_is_done(names):
    write(names, id="gen_random_uuid()", is_task="false")
    with refused_by("note_is_done_by_somebody"):
        execute(f"UPDATE accounts_note SET {DONE} WHERE NOT is_task")


@pytest.mark.parametrize(("rule", "attack"), REFUSALS)
def test_notes_stay(names, rule, attack):
    with refused_by(rule):
        execute(attack)
