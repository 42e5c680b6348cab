"""Who the ledger knows, and staff and tokens as the back office shows them: the same rows, other rights."""

from typing import TYPE_CHECKING, Any

import uuid_utils.compat
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Collate, Lower, Now
from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken

from accounts.models.columns import NAME_LENGTH_MAX, metadata_is_an_object
from ledger.times import format_time

if TYPE_CHECKING:
    from accounts.models.accounts import Account


class User(AbstractUser):
    """Somebody the ledger knows: an account holder, a client service or a member of staff.

    Users made over the API have no usable password, no permissions, and their id as their user name.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    name = models.CharField(_("name"), max_length=NAME_LENGTH_MAX, blank=True)
    external_id = models.CharField(
        _("external id"),
        max_length=NAME_LENGTH_MAX,
        null=True,
        blank=True,
        unique=True,
        help_text="The client's own handle",
    )
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    created_as = models.JSONField(
        _("created as"),
        null=True,
        editable=False,
        help_text="What the API was asked for; a repeated request is compared with it",
    )
    accounts_now: "list[Account]"  # of `queries.prefetch_accounts`
    first_name = last_name = date_joined = None  # type: ignore[assignment]

    class Meta(AbstractUser.Meta):
        verbose_name = _("user")  # type: ignore[assignment]
        verbose_name_plural = _("users")  # type: ignore[assignment]
        constraints = [
            models.CheckConstraint(condition=metadata_is_an_object(), name="user_metadata_is_an_object")
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="user_by_creation"),
            models.Index(fields=["name"], name="user_by_name"),
            models.Index(Collate(Lower("name"), "C"), "id", name="user_by_start_of_name"),
            models.Index(fields=["username"], condition=models.Q(is_staff=True), name="user_of_staff"),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return self.name

    get_short_name = get_full_name

    def to_dict(self) -> dict[str, Any]:
        """The user as the API shows it, with its accounts (read by `queries.prefetch_accounts`)."""
        return {
            "id": str(self.id),
            "external_id": self.external_id,
            "name": self.name,
            "metadata": self.metadata,
            "created_at": format_time(self.created_at),
            "accounts": [
                account.to_dict() for account in sorted(self.accounts_now, key=lambda each: each.id)
            ],
        }


class Staff(User):
    """Users who may open the back office."""

    class Meta:
        proxy = True
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        default_permissions = ("view", "add", "change")


class Token(AuthToken):  # type: ignore[misc]
    """What a service calls the API with. Only its digest is kept."""

    class Meta:
        proxy = True
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        default_permissions = ("view", "add", "delete")

    def __str__(self) -> str:
        return f"{self.user} {self.token_key}…"
