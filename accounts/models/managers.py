"""How superusers are made: by operators alone."""

from typing import Any, TypeVar

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db.transaction import atomic

from events import record
from ledger.callers import ActorKind, Caller

Member = TypeVar("Member", bound=AbstractUser)


class UserManager(DjangoUserManager[Member]):
    """As Django's; a superuser, whom operators make by command, has an entry in the record."""

    use_in_migrations = False

    @atomic
    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> Member:
        """The entry first: without it nobody becomes staff."""
        user = self.create_user(username, email, password, **fields)
        record.write(
            Caller(None, ActorKind.COMMAND),
            type="staff.superuser_created",
            subject="staff",
            subject_id=user.pk,
            owner=user.pk,
            after={
                "username": user.username,
                "name": user.get_full_name(),
                "is_staff": True,
                "is_superuser": True,
            },
        )
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["is_staff", "is_superuser"])
        return user
