"""What the OpenAPI document says of the operations on users and accounts."""

from accounts.rest import examples, serializers
from rest.schema import IDEMPOTENCY_KEY, ON_BODIES, ON_IDENTITY, ON_LISTS, describe, operation

describe_users = describe(
    create=operation(
        201,
        serializers.UserSerializer,
        *ON_BODIES,
        *ON_IDENTITY,
        "currency_unknown",
        "external_id_taken",
        parameters=[IDEMPOTENCY_KEY],
        request=serializers.UserRequest,
        examples=examples.CREATE_USER,
    ),
    list=operation(200, serializers.UserSerializer, *ON_LISTS, description="Users, newest first."),
    retrieve=operation(200, serializers.UserSerializer, "not_found", description="One user."),
    partial_update=operation(
        200,
        serializers.UserSerializer,
        *ON_BODIES,
        "not_found",
        request=serializers.UserChanges,
        examples=examples.CHANGE_USER,
    ),
)
describe_accounts = describe(
    create=operation(
        201,
        serializers.AccountSerializer,
        *ON_BODIES,
        "currency_unknown",
        "not_found",
        request=serializers.AccountRequest,
        examples=examples.CREATE_ACCOUNT,
    ),
    list=operation(200, serializers.AccountSerializer, *ON_LISTS, description="Accounts, newest first."),
    retrieve=operation(200, serializers.AccountSerializer, "not_found", description="One account."),
    partial_update=operation(
        200,
        serializers.AccountSerializer,
        *ON_BODIES,
        "not_found",
        request=serializers.AccountChanges,
        examples=examples.CHANGE_ACCOUNT,
    ),
)
