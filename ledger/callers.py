"""Who does something, as what, and in which request."""

from typing import NamedTuple
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ActorKind(TextChoices):
    SERVICE = "service", _("service")
    HOLDER = "holder", _("account holder")
    STAFF = "staff", _("member of staff")
    COMMAND = "command", _("operator's command")
    LEDGER = "ledger", _("the ledger itself")


class Caller(NamedTuple):
    """`actor` is a user's id; of LEDGER, that of the command that occasioned it, or None."""

    actor: UUID | None
    actor_kind: str = ActorKind.SERVICE
    request_id: str = ""

    @property
    def actor_text(self) -> str | None:
        return str(self.actor) if self.actor else None
