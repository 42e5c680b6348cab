"""Users and accounts over HTTP; the rules of an account are `transactions.rest.account_views`'."""

from typing import Any, cast

import django_filters
from django.db.models import QuerySet
from rest_framework.response import Response

from accounts import operations, queries
from accounts.idempotency import identify, require_identity
from accounts.models import MAIN, Account, Token, User
from accounts.rest import schema, serializers
from rest.answers import mark, tag
from rest.lists import ChoiceFilter, TextFilter, UUIDFilter
from rest.serializers import read_if_match, read_query
from rest.viewsets import ApiViewSet, Request, ResourceViewSet


class UserFilter(django_filters.FilterSet):
    external_id = TextFilter()
    name = TextFilter()


class AccountFilter(django_filters.FilterSet):
    user = UUIDFilter(field_name="user_id")
    currency = TextFilter()
    status = ChoiceFilter(choices=Account.Status.choices)
    name = TextFilter()


@schema.describe_users
class UserViewSet(ResourceViewSet[User]):
    """Account holders, each with their accounts. Names need not be unique. Staff and services are none."""

    permissions = {"create": "accounts.add_user", "partial_update": "accounts.change_user"}
    request_serializers = {"create": serializers.UserRequest, "partial_update": serializers.UserChanges}
    serializer_class = serializers.UserSerializer
    filterset_class = UserFilter

    def get_queryset(self) -> QuerySet[User]:
        return self.narrow_to_own(
            User.objects.filter(is_holder=True).prefetch_related(queries.prefetch_accounts()),
            permission="accounts.view_user",
            owner="pk",
        )

    def create(self, request: Request) -> Response:
        """Create a user with its `main` account. Repeated, it answers 201 with the user as it is now."""
        asked = request.asked
        find_identity = identify if "external_id" in asked else require_identity
        id = find_identity(
            caller_id=request.user.pk,
            id=asked.pop("id", None),
            key=request.META.get("HTTP_IDEMPOTENCY_KEY"),
        )
        user, replayed = operations.create_user(id=id, **asked, caller=request.caller)
        return mark(show(user, status=201), replayed=replayed)

    def retrieve(self, request: Request, pk: object) -> Response:
        """One user. The `ETag` is of what `PATCH` can change."""
        return show(self.get_object())

    def partial_update(self, request: Request, pk: object) -> Response:
        """Change the name, or replace the metadata. What is so already is answered as it is, whatever
        `If-Match` says."""
        if_match = read_if_match(request)
        id = self.get_object().pk
        return show(
            operations.change_user(id=id, changes=request.asked, if_match=if_match, caller=request.caller)
        )


@schema.describe_accounts
class AccountViewSet(ResourceViewSet[Account]):
    """Accounts: one balance in one currency for one user."""

    permissions = {"create": "accounts.add_account"}
    request_serializers = {"create": serializers.AccountRequest}
    serializer_class = serializers.AccountSerializer
    filterset_class = AccountFilter

    def get_queryset(self) -> QuerySet[Account]:
        return self.narrow_to_own(
            Account.objects.with_held_due(), permission="accounts.view_account", owner="user"
        )

    def create(self, request: Request) -> Response:
        """Open an account. User, currency and name identify it: repeated, it answers with the same one."""
        asked = request.asked
        account, replayed = operations.create_account(
            user_id=asked["user"],
            currency=asked["currency"],
            name=asked.get("name", MAIN),
            metadata=asked.get("metadata"),
            caller=request.caller,
        )
        return mark(show(account, status=201), replayed=replayed)

    def retrieve(self, request: Request, pk: object) -> Response:
        """One account. The `ETag` is of what `PATCH` can change, not of its balances."""
        return show(self.get_object())


def show(row: User | Account, status: int = 200) -> Response:
    """It as it is now, the ETag of what `PATCH` can change of it, and if it is new, where it is."""
    kind = "users" if isinstance(row, User) else "accounts"
    location = {"Location": f"/api/v1/{kind}/{row.id}"} if status == 201 else None
    return tag(Response(row.to_dict(), status=status, headers=location), row.etag)


@schema.describe_me
class MeViewSet(ApiViewSet[User]):
    """Who asks, with which token, and what that may."""

    serializer_class = serializers.MeSerializer

    def retrieve(self, request: Request) -> Response:
        """The token that asks, and its user. The permissions are those that count now."""
        read_query(request, {})
        user, known = request.user, cast(Any, request.auth)
        token = Token.objects.get(digest=known.digest)
        return Response(
            {
                "user": str(user.pk),
                "name": str(user),
                "kind": user.kind,
                "permissions": sorted(known.permissions),
                "token": token.to_dict(),
            }
        )
