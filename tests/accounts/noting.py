"""Notes, as staff write them."""

from accounts import notes
from accounts.models import Note
from tests.accounts.erasing import call
from tests.office.staff import make_staff


def note_about(user, author=None, **changes):
    """About the user, unless `changes` say about what else."""
    asked = {
        "subject": Note.Subject.USER,
        "subject_id": user.pk,
        "user_id": user.pk,
        "text": "he called",
        "caller": call(author or make_staff("support")),
    }
    return notes.write(**asked | changes)
