"""Lists of commands that were decided in one commit, each under an id of its own."""

from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Length
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from accounts.idempotency import make_uuid8
from accounts.models import REFERENCE_LENGTH_MAX, Column, IsFinite, Kind, Table, metadata_has_texts
from ledger import macs
from ledger.callers import ActorKind


class Batch(models.Model):
    """A list of commands: who sent it when, what it is about, and which list it was. Append-only.

    What was decided of its commands are the transactions and holds that name it. `mac` seals all of the row.
    """

    id = models.UUIDField(primary_key=True, help_text="Chosen by the client: the identity of the list")
    atomic = models.BooleanField(_("all or nothing"))
    reference = models.CharField(_("reference"), max_length=REFERENCE_LENGTH_MAX)
    metadata = models.JSONField(_("metadata"))
    fingerprint = models.BinaryField(_("fingerprint"), help_text="A keyed hash of what was asked")
    recorded_at = models.DateTimeField(_("recorded at"))
    actor = models.UUIDField(_("actor"))
    actor_kind = models.CharField(_("kind of actor"), max_length=10, choices=ActorKind)
    request_id = models.CharField(_("request id"), max_length=64)
    mac = models.BinaryField(_("MAC"))

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=metadata_has_texts(), name="batch_metadata_has_texts"),
            models.CheckConstraint(
                condition=Q(IsFinite(F("recorded_at"))), name="batch_recorded_at_is_finite"
            ),
            models.CheckConstraint(
                condition=Q(Exact(Length(F("fingerprint")), Value(macs.LENGTH)))
                & Q(Exact(Length(F("mac")), Value(macs.LENGTH))),
                name="batch_has_whole_macs",
            ),
        ]

    def __str__(self) -> str:
        return f"batch {self.id}"

    @property
    def sealed(self) -> tuple[object, ...]:
        """What `mac` is computed of, after the word `batch`."""
        return (
            self.id,
            self.atomic,
            self.reference,
            self.metadata,
            bytes(self.fingerprint),
            self.recorded_at,
            self.actor,
            self.actor_kind,
            self.request_id,
        )

    def to_dict(self) -> dict[str, Any]:
        """The batch as the API shows it, without what was decided of it."""
        return BATCH_TABLE.to_dict(self, "")


BATCH_TABLE = Table(
    "transactions_batch",
    Column(name="id", kind=Kind.ID),
    Column(name="atomic", kind=Kind.FLAG),
    Column(
        name="reference",
        kind=Kind.TEXT,
        length_max=REFERENCE_LENGTH_MAX,
        asked="reference",
        sent="optional",
    ),
    Column(name="metadata", kind=Kind.OBJECT, asked="metadata", sent="optional"),
    Column(name="recorded_at", kind=Kind.TIME),
    Column(name="request_id", kind=Kind.TEXT),
    Column(name="actor", kind=Kind.ID, shown=False),
    Column(name="actor_kind", kind=Kind.CHOICE, choices=ActorKind, shown=False),
    Column(name="fingerprint", kind=Kind.HASH, hashed=False, shown=False),
    Column(name="mac", kind=Kind.HASH, hashed=False, shown=False),
)


def derive_item_id(batch_id: UUID, index: int) -> UUID:
    """The id of a command in a batch that brought none: `index` is its place in the list, from 0 on."""
    return make_uuid8(str(batch_id).encode() + b"\x00item\x00" + str(index).encode())
