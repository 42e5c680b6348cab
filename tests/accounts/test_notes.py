"""Notes of staff: added, done once, erased with the person, and proven by the record."""

import pytest

from accounts import errors, notes
from accounts.models import Note
from events.models import RecordEntry, Text
from events.texts import ERASED
from ledger.text import TextInvalid, TextMissing, TextTooLong
from tests.accounts.erasing import call, forget
from tests.accounts.noting import note_about
from tests.cast import AccountFactory, deposit, new_id
from tests.database import execute
from tests.office.staff import make_staff
from transactions.proof import audit

pytestmark = pytest.mark.django_db

WORDS, LINK = "He says he never had the card.", "https://tickets.example/crm-4711-x"


@pytest.fixture
def author():
    return make_staff("support", name="Olga")


@pytest.fixture
def account():
    return AccountFactory(name="Ivan Konstantinov", external_id="crm-4711-x")


def write(account, author, **changes):
    asked = {"subject": Note.Subject.ACCOUNT, "subject_id": account.id, "text": WORDS, "link": LINK}
    return note_about(account.user, author, **asked | changes)


def find_wrong():
    result, _ = audit.run(audit.Scope(checks=frozenset({"notes", "record"})))
    return [(finding.check, finding.row) for finding in result.findings]


def test_a_note_has_its_author_its_time_and_an_entry_of_the_record(account, author):
    note = write(account, author, is_task=True)
    kept = Note.objects.get()
    assert (kept.id, kept.author_id, kept.user_id, kept.is_open) == (
        note.id,
        author.pk,
        account.user_id,
        True,
    )
    entry = RecordEntry.objects.get(type="note.written")
    assert (entry.actor, entry.subject_id, entry.text) == (author.pk, str(note.id), kept.text)
    assert notes.read_texts([kept]) == {note.id: {"words": WORDS, "link": LINK}}
    assert WORDS not in str(entry.data)
    assert LINK not in str(entry.data)
    assert find_wrong() == []


def test_what_it_asks_for_is_done_once(account, author):
    note, first = write(account, author, is_task=True), make_staff("support")
    notes.finish(id=note.id, caller=call(first))
    notes.finish(id=note.id, caller=call(author))
    kept = Note.objects.get()
    assert (kept.done_by_id, kept.is_open) == (first.pk, False)
    assert RecordEntry.objects.filter(type="note.done").count() == 1
    remark = write(account, author)
    assert notes.finish(id=remark.id, caller=call(first)).done_at is None
    assert find_wrong() == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"text": ""}, TextMissing),
        ({"text": "x" * (notes.LENGTH_MAX + 1)}, TextTooLong),
        ({"text": "a\x00"}, TextInvalid),
        ({"link": "https://x/" + "y" * notes.LINK_LENGTH_MAX}, TextTooLong),
        ({"user_id": new_id()}, errors.UserNotFound),
    ],
    ids=["nothing", "too long", "a NUL", "a long link", "nobody"],
)
def test_what_is_no_note_is_refused_and_nothing_is_written(account, author, changes, refusal):
    with pytest.raises(refusal):
        write(account, author, **changes)
    assert not Note.objects.exists()
    assert not RecordEntry.objects.filter(type="note.written").exists()


def test_the_longest_note_is_kept_whole(account, author):
    note = write(account, author, text="я" * notes.LENGTH_MAX)
    assert len(notes.read_texts([note])[note.id]["words"]) == notes.LENGTH_MAX


def test_the_notes_about_a_person_are_erased_with_them_and_none_is_added(account, author):
    row = deposit(account, "5")
    about = [
        write(account, author, text="a red card", link=""),  # nothing in it names anybody
        write(account, author, subject=Note.Subject.USER, subject_id=account.user_id),
        write(account, author, subject=Note.Subject.TRANSACTION, subject_id=row.id),
    ]
    other = write(AccountFactory(), author, text="nothing of his", link="https://tickets.example/8")
    naming = write(AccountFactory(), author, text="sent to Ivan Konstantinov", link="")
    linking = write(AccountFactory(), author, text="see there")
    forget(account.user)
    told = notes.read_texts([*about, other, naming, linking])
    gone = {"words": ERASED, "link": ""}
    assert [told[note.id] for note in (*about, naming, linking)] == [gone] * 5
    assert told[other.id] == {"words": "nothing of his", "link": "https://tickets.example/8"}
    for gone in ("konstantinov", "crm-4711-x"):
        assert not Text.objects.filter(content__icontains=gone).exists()
    assert Note.objects.count() == 6
    with pytest.raises(errors.UserErased):
        write(account, author)
    assert find_wrong() == []


def test_the_notes_of_a_customer_come_newest_first(account, author):
    first, second = write(account, author), write(account, author)
    write(AccountFactory(), author)
    assert list(notes.find_about(account.user_id)) == [second, first]


def test_the_audit_finds_a_note_that_nobody_wrote_and_one_that_says_who_did_not_do_it(account, author):
    note = write(account, author, is_task=True)
    execute(f"UPDATE accounts_note SET done_by_id = '{author.pk}', done_at = now() WHERE id = '{note.id}'")
    forged = Note.objects.create(
        author=author,
        user=account.user,
        subject="user",
        subject_id=account.user_id,
        text=note.text,
        is_task=False,
    )
    assert sorted(find_wrong()) == sorted([("notes", str(note.id)), ("notes", str(forged.id))])
