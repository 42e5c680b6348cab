"""Those whom the ledger knows: account holders, services and members of staff."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

import uuid_utils.compat
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Collate, Now
from django.db.models.lookups import Exact
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models.columns import (
    NAME_LENGTH_MAX,
    Folded,
    external_id_is_normalized,
    make_etag,
    metadata_has_texts,
)
from accounts.models.managers import UserManager
from ledger.callers import ActorKind
from ledger.values import format_optional_time, format_time

if TYPE_CHECKING:
    from accounts.models.accounts import Account


class User(AbstractUser):  # type: ignore[django-manager-missing]
    """Somebody the ledger knows: an account holder, a client service or a member of staff.

    Users made over the API are account holders. They have no usable password, no permissions, and their id as
    their user name; they never become staff. Only they have accounts, and the API shows no other users.
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
    event_sequence = models.BigIntegerField(
        _("event sequence"), default=0, editable=False, help_text="Events of no account so far"
    )
    last_recorded_at = models.DateTimeField(
        _("last recorded at"), db_default=Now(), editable=False, help_text="When the last one was"
    )
    is_holder = models.GeneratedField(
        expression=Exact(F("username"), Cast("id", models.CharField())),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        db_default="UTC",
        help_text="Of the pages of the back office",
    )
    erased_at = models.DateTimeField(_("erased at"), null=True, editable=False, help_text="By `erasing`")
    must_change_password = models.BooleanField(
        _("must change the password"),
        default=False,
        db_default=False,
        editable=False,
        help_text="Somebody else has made it",
    )
    accounts_now: "list[Account]"  # of `queries.prefetch_accounts`
    etag = make_etag("name", "metadata")
    objects: ClassVar[UserManager[Self]] = UserManager()
    first_name = last_name = date_joined = None  # type: ignore[assignment]
    REQUIRED_FIELDS: ClassVar[list[str]] = []  # `createsuperuser` asks for no e-mail address

    class Meta(AbstractUser.Meta):
        verbose_name = _("user")  # type: ignore[assignment]
        verbose_name_plural = _("users")  # type: ignore[assignment]
        constraints = [
            models.CheckConstraint(condition=metadata_has_texts(), name="user_metadata_has_texts"),
            models.CheckConstraint(
                condition=Q(is_holder=False) | Q(is_staff=False, is_superuser=False),
                name="user_who_is_a_holder_is_no_staff",
            ),
            external_id_is_normalized(),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="user_by_creation"),
            models.Index(fields=["name", "id"], name="user_by_name"),
            models.Index(Collate(Folded("name"), "C"), "id", name="user_by_start_of_name"),
            models.Index(fields=["username"], condition=Q(is_staff=True), name="user_of_staff"),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    @cached_property
    def kind(self) -> ActorKind:
        """As what it acts."""
        if self.is_staff:
            return ActorKind.STAFF
        return ActorKind.HOLDER if self.username == str(self.pk) else ActorKind.SERVICE

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
            "erased_at": format_optional_time(self.erased_at),
            "accounts": [each.to_dict() for each in sorted(self.accounts_now, key=lambda each: each.id)],
        }
