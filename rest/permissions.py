"""Who may what: Django permissions, and everybody's own."""

from typing import Any, TypeVar, cast
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from rest.authentication import Token

AnyModel = TypeVar("AnyModel", bound=Model)


class HasRight(BasePermission):
    """A view's `rights` maps its actions to the permission each needs; reading needs none, it is narrowed.

    A command that no right is named for is nobody's. An action of None is a method that is not served.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        right: str | None = view.rights.get(view.action)
        if right is None:
            return view.action is None or request.method in SAFE_METHODS
        return has_right(request, right)


def has_right(request: Request, right: str) -> bool:
    """Whether who asks has the permission. What a token's user may was found out when it was looked up."""
    token = request.auth
    return right in token.permissions if isinstance(token, Token) else request.user.has_perm(right)


def get_caller_id(request: Request) -> UUID:
    """Who asks: the id of the token's user."""
    return cast(UUID, request.user.pk)


def narrow_to_own(
    rows: QuerySet[AnyModel], request: Request, *, right: str, owner: str
) -> QuerySet[AnyModel]:
    """All rows for who has the right, else those of the caller: what is not theirs does not exist."""
    if has_right(request, right):
        return rows
    return rows.filter(**{owner: request.user.pk})
