"""What requests about users and accounts hold, and what answers look like."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from accounts.models import NAME_LENGTH_MAX, Account, User
from api import fields

CURRENCY_LENGTH_MAX = 12


class UserRequest(fields.Shape):
    id = fields.UUIDField(
        required=False, help_text="Best a UUIDv7. Or send an Idempotency-Key, or only an external_id"
    )
    name = fields.TextField(length_min=1, length_max=NAME_LENGTH_MAX)
    external_id = fields.TextField(
        length_min=1, length_max=NAME_LENGTH_MAX, required=False, help_text="Your own handle: unique, exact"
    )
    currency = fields.TextField(
        length_min=1,
        length_max=CURRENCY_LENGTH_MAX,
        required=False,
        help_text="Of the `main` account; default: the ledger's",
    )
    metadata = fields.MetadataField(required=False)


class UserChanges(fields.Shape):
    name = fields.TextField(length_min=1, length_max=NAME_LENGTH_MAX, required=False)
    metadata = fields.MetadataField(required=False, help_text="Replaces the whole object")


class AccountRequest(fields.Shape):
    user = fields.UUIDField()
    currency = fields.TextField(length_min=1, length_max=CURRENCY_LENGTH_MAX)
    name = fields.TextField(
        length_min=1, length_max=NAME_LENGTH_MAX, required=False, help_text="Default: main"
    )
    metadata = fields.MetadataField(required=False)


class AccountChanges(fields.Shape):
    metadata = fields.MetadataField(help_text="Replaces the whole object")


def amount_text(**options: Any) -> serializers.RegexField:
    """An amount in an answer: a decimal string in the precision of its currency."""
    return serializers.RegexField(r"^-?[0-9]+(\.[0-9]+)?$", **options)


class AccountSerializer(serializers.Serializer[Account]):
    id = serializers.UUIDField()
    user = serializers.UUIDField()
    name = serializers.CharField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(choices=Account.Status.choices)
    balance = amount_text()
    held = amount_text()
    available = amount_text(help_text="balance - held + credit_limit")
    credit_limit = amount_text()
    version = serializers.IntegerField(help_text="Posted transactions so far")
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True))
    created_at = serializers.DateTimeField()


class UserSerializer(serializers.Serializer[User]):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True))
    created_at = serializers.DateTimeField()
    accounts = AccountSerializer(many=True)


# The cast of the OpenAPI examples, which a test replays against a server.
PETYA = "01910000-0000-7000-8000-000000000001"
ACCOUNT = {
    "id": "01910000-0000-7000-8000-00000000a001",
    "user": PETYA,
    "name": "main",
    "currency": "USD",
    "status": "ACTIVE",
    "balance": "0.00",
    "held": "0.00",
    "available": "0.00",
    "credit_limit": "0.00",
    "version": 0,
    "metadata": {},
    "created_at": "2026-01-01T12:00:00.000000Z",
}
USER = {
    "id": PETYA,
    "external_id": "crm-17",
    "name": "petya",
    "metadata": {"tier": "gold"},
    "created_at": "2026-01-01T12:00:00.000000Z",
    "accounts": [ACCOUNT],
}
CREATE_USER = [
    OpenApiExample(
        "a user",
        request_only=True,
        value={"id": PETYA, "name": "petya", "external_id": "crm-17", "metadata": {"tier": "gold"}},
    ),
    OpenApiExample("created", response_only=True, status_codes=["201"], value=USER),
]
CHANGE_USER = [
    OpenApiExample("another name", request_only=True, value={"name": "Petya P."}),
    OpenApiExample("changed", response_only=True, status_codes=["200"], value={**USER, "name": "Petya P."}),
]
CREATE_ACCOUNT = [
    OpenApiExample(
        "savings in euro", request_only=True, value={"user": PETYA, "currency": "EUR", "name": "savings"}
    ),
    OpenApiExample(
        "opened",
        response_only=True,
        status_codes=["201"],
        value={**ACCOUNT, "currency": "EUR", "name": "savings"},
    ),
]
CHANGE_ACCOUNT = [
    OpenApiExample("a note", request_only=True, value={"metadata": {"purpose": "ads"}}),
    OpenApiExample(
        "changed",
        response_only=True,
        status_codes=["200"],
        value={**ACCOUNT, "metadata": {"purpose": "ads"}},
    ),
]
