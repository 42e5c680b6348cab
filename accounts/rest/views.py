"""Users and accounts over HTTP; the rules of an account are `transactions.rest.rule_views`'."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import operations, queries
from accounts.idempotency import identify, require_identity
from accounts.models import MAIN, Account, User
from accounts.rest import examples, serializers
from accounts.rest.filters import AccountFilter, UserFilter
from rest.answers import mark
from rest.filters import StrictFilterBackend
from rest.middleware import get_request_id
from rest.pagination import KeysetPagination
from rest.permissions import get_caller_id, narrow_to_own
from rest.schema import IDEMPOTENCY_KEY, ON_BODIES, ON_IDENTITY, ON_LISTS, answers
from rest.viewsets import ApiViewSet


class UserViewSet(ApiViewSet[User]):
    """Users, each with its accounts. Names need not be unique."""

    permissions = {"create": "accounts.add_user", "partial_update": "accounts.change_user"}
    serializer_class = serializers.UserSerializer
    filterset_class = UserFilter
    filter_backends = [StrictFilterBackend]
    pagination_class = KeysetPagination

    def get_queryset(self) -> QuerySet[User]:
        users = User.objects.prefetch_related(queries.prefetch_accounts())
        return narrow_to_own(users, self.request, permission="accounts.view_user", owner="pk")

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=serializers.UserRequest,
        examples=examples.CREATE_USER,
        responses=answers(
            201,
            serializers.UserSerializer,
            *ON_BODIES,
            *ON_IDENTITY,
            "currency_unknown",
            "external_id_taken",
        ),
    )
    def create(self, request: Request) -> Response:
        """Create a user with its `main` account. Repeated, it answers 201 with the user as it is now."""
        asked = serializers.UserRequest.read(request)
        key = request.META.get("HTTP_IDEMPOTENCY_KEY")
        find_identity = identify if "external_id" in asked else require_identity
        id = find_identity(caller_id=get_caller_id(request), id=asked.pop("id", None), key=key)
        user, replayed = operations.create_user(id=id, **asked, request_id=get_request_id(request))
        return mark(Response(user.to_dict(), status=201), replayed=replayed)

    @extend_schema(responses=answers(200, serializers.UserSerializer, *ON_LISTS))
    def list(self, request: Request) -> Response:
        """Users, newest first."""
        users = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([user.to_dict() for user in users or []])

    @extend_schema(responses=answers(200, serializers.UserSerializer, "not_found"))
    def retrieve(self, request: Request, pk: object) -> Response:
        """One user."""
        return Response(self.get_object().to_dict())

    @extend_schema(
        request=serializers.UserChanges,
        examples=examples.CHANGE_USER,
        responses=answers(200, serializers.UserSerializer, *ON_BODIES, "not_found"),
    )
    def partial_update(self, request: Request, pk: object) -> Response:
        """Change the name, or replace the metadata."""
        changes = serializers.UserChanges.read(request)
        user = operations.change_user(id=self.get_object().pk, changes=changes)
        return Response(user.to_dict())


class AccountViewSet(ApiViewSet[Account]):
    """Accounts: one balance in one currency for one user."""

    permissions = {"create": "accounts.add_account", "partial_update": "accounts.change_account"}
    serializer_class = serializers.AccountSerializer
    filterset_class = AccountFilter
    filter_backends = [StrictFilterBackend]
    pagination_class = KeysetPagination

    def get_queryset(self) -> QuerySet[Account]:
        return narrow_to_own(
            Account.objects.with_held_due(), self.request, permission="accounts.view_account", owner="user"
        )

    @extend_schema(
        request=serializers.AccountRequest,
        examples=examples.CREATE_ACCOUNT,
        responses=answers(201, serializers.AccountSerializer, *ON_BODIES, "currency_unknown", "not_found"),
    )
    def create(self, request: Request) -> Response:
        """Open an account. User, currency and name identify it: repeated, it answers with the same one."""
        asked = serializers.AccountRequest.read(request)
        account, replayed = operations.create_account(
            user_id=asked["user"],
            currency=asked["currency"],
            name=asked.get("name", MAIN),
            metadata=asked.get("metadata"),
            request_id=get_request_id(request),
        )
        return mark(Response(account.to_dict(), status=201), replayed=replayed)

    @extend_schema(responses=answers(200, serializers.AccountSerializer, *ON_LISTS))
    def list(self, request: Request) -> Response:
        """Accounts, newest first."""
        accounts = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([account.to_dict() for account in accounts or []])

    @extend_schema(responses=answers(200, serializers.AccountSerializer, "not_found"))
    def retrieve(self, request: Request, pk: object) -> Response:
        """One account."""
        return Response(self.get_object().to_dict())

    @extend_schema(
        request=serializers.AccountChanges,
        examples=examples.CHANGE_ACCOUNT,
        responses=answers(200, serializers.AccountSerializer, *ON_BODIES, "not_found"),
    )
    def partial_update(self, request: Request, pk: object) -> Response:
        """Replace the metadata."""
        changes = serializers.AccountChanges.read(request)
        operations.change_account(id=self.get_object().pk, **changes)
        return Response(self.get_object().to_dict())
