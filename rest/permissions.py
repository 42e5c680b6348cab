"""Who may what: Django permissions, and everybody's own."""

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # requests are refused before the models are there
    from django.contrib.auth.models import AbstractUser

AnyModel = TypeVar("AnyModel", bound=Model)


class Token(NamedTuple):
    """A valid token, `request.auth`: whose it is, until when (Unix time), and what its user may."""

    user: "AbstractUser"
    expires_at: float
    permissions: frozenset[str]


class HasPermission(BasePermission):
    """A view's `permissions` map its actions to what each needs; reading needs none, it is narrowed.

    A command that no permission is named for is nobody's. An action of None is a method that is not served.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        permission: str | None = view.permissions.get(view.action)
        if permission is None:
            return view.action is None or request.method in SAFE_METHODS
        return has_permission(request, permission)


def has_permission(request: Request, permission: str) -> bool:
    """Whether who asks has the permission. What a token's user may was found out when it was looked up."""
    token = request.auth
    return permission in token.permissions if isinstance(token, Token) else request.user.has_perm(permission)


def get_caller_id(request: Request | HttpRequest) -> UUID:
    """Who asks: the id of the token's user."""
    return cast(UUID, request.user.pk)


def may_see(request: Any, owner_id: UUID, permission: str) -> bool:
    """Whether what the owner has exists for who asks: it is their own, or they have the permission."""
    return get_caller_id(request) == owner_id or has_permission(request, permission)


def narrow_to_own(
    rows: QuerySet[AnyModel], request: Request, *, permission: str, owner: str
) -> QuerySet[AnyModel]:
    """All rows for who has the permission, else those of the caller: what is not theirs does not exist."""
    if has_permission(request, permission):
        return rows
    return rows.filter(**{owner: request.user.pk})
