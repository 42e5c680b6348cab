"""Who does something, as what, in which request, and within which bounds."""

from decimal import Decimal
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
    """`actor` is a user's id; of LEDGER, that of the command that occasioned it, or None. `batch` is the list
    that a command is part of."""

    actor: UUID | None
    actor_kind: str = ActorKind.SERVICE
    request_id: str = ""
    batch: UUID | None = None

    @property
    def actor_text(self) -> str | None:
        return str(self.actor) if self.actor else None


class Bounds(NamedTuple):
    """What a caller's commands are bound to: accounts of these names, transactions of these types, amounts up
    to the largest, in whatever currency the account has. None is no bound."""

    account_names: frozenset[str] | None = None
    types: frozenset[str] | None = None
    amount_max: Decimal | None = None
