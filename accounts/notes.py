"""Writing and reading notes of staff. Functions name their `caller` and own their transaction."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import uuid_utils.compat
from django.db.models import QuerySet
from django.db.transaction import atomic

from accounts import errors, operations
from accounts.models import Note, User
from events import record, texts
from events.models import NIL
from ledger.callers import Caller
from ledger.errors import gettext_noop
from ledger.text import Rule, require_text
from ledger.values import format_time

LENGTH_MAX = 2000
LINK_LENGTH_MAX = 500


@atomic
def write(
    *,
    subject: Note.Subject,
    subject_id: UUID,
    user_id: UUID,
    text: str,
    link: str = "",
    is_task: bool = False,
    caller: Caller,
) -> Note:
    """Write a note about something of the user, who is locked: of a person who is forgotten nothing is noted
    any more.

    Raises `UserNotFound`, `UserErased`, `Text…`.
    """
    require_text(text, Rule.NOTE, "text", length_max=LENGTH_MAX, length_min=1)
    require_text(link, Rule.IDENTIFIER, "link", length_max=LINK_LENGTH_MAX)
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise errors.UserNotFound(gettext_noop("There is no such user."))
    if user.erased_at:
        raise errors.UserErased(
            gettext_noop("This person was forgotten: nothing is noted about them any more.")
        )
    note = Note(
        id=uuid_utils.compat.uuid7(),
        author_id=caller.actor or NIL,
        written_at=operations.read_clock(),
        user=user,
        subject=subject,
        subject_id=subject_id,
        is_task=is_task,
    )
    text_id = record.write(
        caller,
        type="note.written",
        subject="note",
        subject_id=note.id,
        owner=user.pk,
        after={
            "about": str(subject),
            "about_id": str(subject_id),
            "user": str(user.pk),
            "is_task": is_task,
            "written_at": format_time(note.written_at),
            **({"link": link} if link else {}),
        },
        words=text,
    )
    note.text = text_id or NIL  # it has words, so there is one
    note.save(force_insert=True)
    return note


@atomic
def finish(*, id: UUID, caller: Caller) -> Note:
    """What the note asks for is done. One that asks for nothing, or was done before, stays as it is."""
    note = Note.objects.select_for_update(no_key=True).get(id=id)
    if not note.is_open:
        return note
    note.done_by_id, note.done_at = caller.actor, operations.read_clock()
    note.save(update_fields=["done_by", "done_at"])
    record.write(
        caller,
        type="note.done",
        subject="note",
        subject_id=note.id,
        owner=note.user_id,
        before={"done_at": None},
        after={"done_at": format_time(note.done_at)},
    )
    return note


def find_about(user_id: UUID) -> QuerySet[Note]:
    """All that is noted about the user and what is theirs, newest first."""
    notes = Note.objects.filter(user=user_id).select_related("author", "done_by")
    return notes.order_by("-user", "-written_at")


def find_to_be_done() -> QuerySet[Note]:
    return Note.objects.filter(is_task=True, done_at=None)


def count_to_be_done(*, limit: int) -> int:
    """How many wait to be done; `limit` means that many or more."""
    return len(find_to_be_done().order_by("written_at", "id").values_list("id")[:limit])


def read_texts(notes: Collection[Note]) -> dict[UUID, dict[str, Any]]:
    """The `words` and the `link` of each note, by its id; of a person who was forgotten, what shows that."""
    contents = texts.read([note.text for note in notes])
    return {note.id: _read_text(contents.get(note.text)) for note in notes}


def _read_text(content: dict[str, Any] | None) -> dict[str, Any]:
    if content is None:
        return {"words": texts.ERASED, "link": ""}
    return {"words": content["words"], "link": content.get("after/link", "")}
