"""The record: who looked at what, and who changed what of which no event tells."""

from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ledger.callers import ActorKind

NIL = UUID(int=0)  # the stream of who has no id: operators' commands, and logins of nobody known
SUBJECT_LENGTH_MAX = 40
SUBJECT_ID_LENGTH_MAX = 64


class RecordEntry(models.Model):
    """One line of the record. Immutable, and written by `events.record.write` only.

    The entries of an actor are their `stream`: numbered without gaps, each with a hash over itself and over
    the one before it. `data` has what was so before and after, and what exactly was done; personal text of
    that, such as reasons and searched words, is the `text` of that id (`events.models.Text`), under its MAC.
    """

    class Action(models.TextChoices):
        VIEW = "VIEW", _("looked at")
        SEARCH = "SEARCH", _("searched")
        EXPORT = "EXPORT", _("exported")
        CHANGE = "CHANGE", _("changed")
        LOGIN = "LOGIN", _("login")

    id = models.BigAutoField(primary_key=True)  # the order of lists; the record's own is (stream, number)
    stream = models.UUIDField(_("stream"))
    number = models.BigIntegerField(_("number"))
    recorded_at = models.DateTimeField(_("when"))
    actor = models.UUIDField(_("who"), null=True)
    actor_kind = models.CharField(_("kind of actor"), max_length=10, choices=ActorKind)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    type = models.CharField(_("type"), max_length=60)
    action = models.CharField(_("action"), max_length=8, choices=Action)
    subject = models.CharField(_("of what"), max_length=SUBJECT_LENGTH_MAX)
    subject_id = models.CharField(_("which"), max_length=SUBJECT_ID_LENGTH_MAX, blank=True)
    data = models.JSONField(_("data"))
    text = models.UUIDField(_("text"), null=True)
    text_mac = models.BinaryField(null=True)
    chain_hash = models.BinaryField()

    class Meta:
        verbose_name = _("entry of the record")
        verbose_name_plural = _("access log")
        default_permissions = ("view",)
        permissions = [("view_changes", "Can see what staff changed, without what they looked at")]
        indexes = [
            models.Index(fields=["actor", "id"], name="entry_of_an_actor"),
            models.Index(fields=["subject_id", "id"], name="entry_about_a_subject"),
            models.Index(fields=["id"], condition=Q(action="CHANGE"), name="change_by_time"),
            models.Index(fields=["actor", "id"], condition=Q(action="CHANGE"), name="change_by_an_actor"),
            models.Index(
                fields=["subject_id", "id"], condition=Q(action="CHANGE"), name="change_of_a_subject"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["stream", "number"], name="entry_number_is_used_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="entry_number_is_positive"),
            models.CheckConstraint(
                condition=Q(actor__isnull=True, stream=NIL) | Q(actor__isnull=False, stream=F("actor")),
                name="entry_is_in_the_stream_of_its_actor",
            ),
            models.CheckConstraint(
                condition=Q(action__in=["VIEW", "SEARCH", "EXPORT", "CHANGE", "LOGIN"]),
                name="entry_action_is_known",
            ),
            models.CheckConstraint(
                condition=Q(text__isnull=True, text_mac__isnull=True)
                | Q(text__isnull=False, text_mac__isnull=False),
                name="entry_has_the_mac_of_its_text",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject_id}".strip()


class RecordHead(models.Model):
    """How far a stream of the record has come: the number, time and hash of its last entry.

    Whoever writes an entry holds its lock. Head and entry change together, in one statement.
    """

    stream = models.UUIDField(primary_key=True)
    number = models.BigIntegerField(default=0)
    recorded_at = models.DateTimeField(null=True)
    chain_hash = models.BinaryField(default=b"")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(number=0, recorded_at__isnull=True) | Q(number__gte=1, recorded_at__isnull=False),
                name="record_head_is_empty_or_of_an_entry",
            )
        ]

    def __str__(self) -> str:
        return f"{self.stream} at {self.number}"
