"""Entries of the record, as the pages write them."""

from django.db.transaction import atomic

from events import record
from ledger.callers import ActorKind, Caller


def note(actor, subject="account", subject_id="", *, action="VIEW", **told):
    with atomic():
        record.write(
            Caller(actor.pk, ActorKind.STAFF, "test"),
            type=f"{subject}.noted",
            action=action,
            subject=subject,
            subject_id=subject_id,
            **told,
        )
