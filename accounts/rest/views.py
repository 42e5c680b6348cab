"""Users and accounts over HTTP; the rules of an account are `transactions.rest.account_views`'."""

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import operations, queries
from accounts.idempotency import identify, require_identity
from accounts.models import MAIN, Account, User
from accounts.rest import schema, serializers
from accounts.rest.filters import AccountFilter, UserFilter
from rest.answers import mark
from rest.middleware import get_request_id
from rest.permissions import get_caller_id, narrow_to_own
from rest.viewsets import ResourceViewSet


@schema.describe_users
class UserViewSet(ResourceViewSet[User]):
    """Users, each with its accounts. Names need not be unique."""

    permissions = {"create": "accounts.add_user", "partial_update": "accounts.change_user"}
    serializer_class = serializers.UserSerializer
    filterset_class = UserFilter

    def get_queryset(self) -> QuerySet[User]:
        users = User.objects.prefetch_related(queries.prefetch_accounts())
        return narrow_to_own(users, self.request, permission="accounts.view_user", owner="pk")

    def create(self, request: Request) -> Response:
        """Create a user with its `main` account. Repeated, it answers 201 with the user as it is now."""
        asked = serializers.UserRequest.read(request)
        key = request.META.get("HTTP_IDEMPOTENCY_KEY")
        find_identity = identify if "external_id" in asked else require_identity
        id = find_identity(caller_id=get_caller_id(request), id=asked.pop("id", None), key=key)
        user, replayed = operations.create_user(id=id, **asked, request_id=get_request_id(request))
        return mark(Response(user.to_dict(), status=201), replayed=replayed)

    def partial_update(self, request: Request, pk: object) -> Response:
        """Change the name, or replace the metadata."""
        changes = serializers.UserChanges.read(request)
        return Response(operations.change_user(id=self.get_object().pk, changes=changes).to_dict())


@schema.describe_accounts
class AccountViewSet(ResourceViewSet[Account]):
    """Accounts: one balance in one currency for one user."""

    permissions = {"create": "accounts.add_account", "partial_update": "accounts.change_account"}
    serializer_class = serializers.AccountSerializer
    filterset_class = AccountFilter

    def get_queryset(self) -> QuerySet[Account]:
        accounts = Account.objects.with_held_due()
        return narrow_to_own(accounts, self.request, permission="accounts.view_account", owner="user")

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

    def partial_update(self, request: Request, pk: object) -> Response:
        """Replace the metadata."""
        changes = serializers.AccountChanges.read(request)
        operations.change_account(id=self.get_object().pk, **changes)
        return Response(self.get_object().to_dict())
