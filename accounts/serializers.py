"""What requests about users and accounts hold, and what answers look like."""

from typing import Any

from rest_framework import serializers

from accounts.models import NAME_LENGTH_MAX, REASON_LENGTH_MAX, REFERENCE_LENGTH_MAX, Account, Hold, User
from rest import fields, shapes

CURRENCY_LENGTH_MAX = 12


class UserRequest(shapes.Shape):
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


class UserChanges(shapes.Shape):
    name = fields.TextField(length_min=1, length_max=NAME_LENGTH_MAX, required=False)
    metadata = fields.MetadataField(required=False, help_text="Replaces the whole object")


class AccountRequest(shapes.Shape):
    user = fields.UUIDField()
    currency = fields.TextField(length_min=1, length_max=CURRENCY_LENGTH_MAX)
    name = fields.TextField(
        length_min=1, length_max=NAME_LENGTH_MAX, required=False, help_text="Default: main"
    )
    metadata = fields.MetadataField(required=False)


class AccountChanges(shapes.Shape):
    metadata = fields.MetadataField(help_text="Replaces the whole object")


class LimitsRequest(shapes.Shape):
    credit_limit = fields.AmountField(required=False, help_text="How far below zero the balance may go")
    withdraw_max = fields.AmountField(
        required=False, allow_null=True, help_text="The most that one withdrawal may take; null: no limit"
    )
    withdraw_day_max = fields.AmountField(
        required=False,
        allow_null=True,
        help_text="The most that the withdrawals of a UTC day may take; null: no limit",
    )


class ReasonRequest(shapes.Shape):
    reason = fields.TextField(length_min=1, length_max=REASON_LENGTH_MAX)


class HoldRequest(shapes.Shape):
    id = fields.UUIDField(required=False, help_text="Best a UUIDv7. Or send an Idempotency-Key")
    account = fields.UUIDField()
    amount = fields.AmountField()
    expires_at = fields.TimeField(required=False, help_text="Default: never")
    reference = fields.TextField(length_max=REFERENCE_LENGTH_MAX, required=False)
    metadata = fields.MetadataField(required=False)


def amount_text(**options: Any) -> serializers.RegexField:
    """An amount in an answer: a decimal string in the precision of its currency."""
    return serializers.RegexField(r"^-?[0-9]+(\.[0-9]+)?$", **options)


class AccountSerializer(serializers.Serializer[Account]):
    id = serializers.UUIDField()
    user = serializers.UUIDField()
    name = serializers.CharField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(choices=Account.Status.choices)
    status_reason = serializers.CharField(allow_blank=True, help_text="Of the last freeze, unfreeze or close")
    balance = amount_text()
    held = amount_text()
    available = amount_text(help_text="balance - held + credit_limit")
    credit_limit = amount_text()
    withdraw_max = amount_text(allow_null=True)
    withdraw_day_max = amount_text(allow_null=True)
    version = serializers.IntegerField(help_text="Posted transactions so far")
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True))
    created_at = serializers.DateTimeField()


class HoldSerializer(serializers.Serializer[Hold]):
    id = serializers.UUIDField()
    account = serializers.UUIDField()
    amount = amount_text()
    captured = amount_text()
    remaining = amount_text(help_text="What can still be captured")
    status = serializers.ChoiceField(choices=Hold.Status.choices)
    decline_reason = serializers.CharField(allow_null=True)
    decline_details = serializers.DictField(child=serializers.CharField(), allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    reference = serializers.CharField(allow_blank=True)
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True))
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class UserSerializer(serializers.Serializer[User]):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True))
    created_at = serializers.DateTimeField()
    accounts = AccountSerializer(many=True)
