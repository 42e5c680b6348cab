"""Notes: what staff write for each other about a customer."""

import uuid_utils.compat
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.users import User


class Note(models.Model):
    """What a member of staff has written about a user, an account or a transaction, for who comes after them.

    It is never changed. Its words and its link stand in `events.models.Text`, under the id `text`: they are
    erased with the `user` whom it is about. A note that asks for something `is_task`, and is done once.
    Written and done by `accounts.notes`; the record has an entry of both, and the entry has the same text.
    """

    class Subject(models.TextChoices):
        USER = "user", _("user")
        ACCOUNT = "account", _("account")
        TRANSACTION = "transaction", _("transaction")

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    author = models.ForeignKey(
        User, models.PROTECT, related_name="+", db_index=False, verbose_name=_("written by")
    )
    written_at = models.DateTimeField(_("written at"), db_default=Now())
    user = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False, verbose_name=_("user"))
    subject = models.CharField(_("about what"), max_length=11, choices=Subject)
    subject_id = models.UUIDField(_("about which"))
    text = models.UUIDField(_("text"))
    is_task = models.BooleanField(_("to be done"))
    done_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("done by")
    )
    done_at = models.DateTimeField(_("done at"), null=True)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        default_permissions = ("view", "add")
        constraints = [
            models.CheckConstraint(
                condition=Q(subject__in=["user", "account", "transaction"]), name="note_subject_is_known"
            ),
            models.CheckConstraint(
                condition=Q(done_by__isnull=True, done_at__isnull=True)
                | Q(is_task=True, done_by__isnull=False, done_at__isnull=False),
                name="note_is_done_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["written_at", "id"], name="note_by_writing"),
            models.Index(fields=["user", "written_at"], name="note_about_a_user"),
            models.Index(fields=["author", "written_at"], name="note_of_an_author"),
            models.Index(
                fields=["written_at", "id"],
                condition=Q(is_task=True, done_at__isnull=True),
                name="note_to_be_done",
            ),
        ]

    def __str__(self) -> str:
        return f"note {self.id}"

    @property
    def is_open(self) -> bool:
        return self.is_task and self.done_at is None
