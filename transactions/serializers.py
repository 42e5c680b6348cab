"""What requests to move and read money hold, and what answers look like."""

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from accounts.models import NAME_LENGTH_MAX, Account
from accounts.serializers import CURRENCY_LENGTH_MAX, PETYA, amount_text
from api import fields
from transactions.models import REFERENCE_LENGTH_MAX, Transaction


class TransactionRequest(fields.Shape):
    id = fields.UUIDField(required=False, help_text="Best a UUIDv7. Or send an Idempotency-Key")
    account = fields.UUIDField(required=False)
    user = fields.UUIDField(required=False, help_text="Instead of an account: the user's main account")
    currency = fields.TextField(
        length_min=1,
        length_max=CURRENCY_LENGTH_MAX,
        required=False,
        help_text="Which of the user's main accounts",
    )
    type = fields.ChoiceField(choices=Transaction.Type)
    amount = fields.AmountField()
    effective_at = fields.TimeField(required=False, help_text="When the money moved; default: now")
    reference = fields.TextField(length_max=REFERENCE_LENGTH_MAX, required=False)
    metadata = fields.MetadataField(required=False)
    expected_version = fields.CountField(required=False, help_text="Decline unless the account is at it")


class BalanceQuery(fields.Shape):
    at = fields.TimeField(required=False, help_text="Effective by this moment, inclusive; default: now")
    known_at = fields.TimeField(
        required=False, help_text="As the ledger knew it at this moment, inclusive; default: now"
    )
    tz = fields.TimeZoneField(required=False, help_text="The zone of times without an offset; default: UTC")


class UserBalanceQuery(BalanceQuery):
    currency = fields.TextField(length_min=1, length_max=CURRENCY_LENGTH_MAX, required=False)
    account = fields.TextField(
        length_min=1,
        length_max=NAME_LENGTH_MAX,
        required=False,
        help_text="The account's name; default: main",
    )


class TransactionSerializer(serializers.Serializer[Transaction]):
    id = serializers.UUIDField()
    account = serializers.UUIDField()
    user = serializers.UUIDField()
    type = serializers.ChoiceField(choices=Transaction.Type.choices)
    amount = amount_text()
    currency = serializers.CharField()
    status = serializers.ChoiceField(choices=Transaction.Status.choices)
    decline_reason = serializers.CharField(allow_null=True)
    decline_details = serializers.DictField(child=serializers.CharField(), allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    balance_after = amount_text(allow_null=True)
    effective_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    late = serializers.BooleanField()
    reference = serializers.CharField(allow_blank=True)
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True))
    transfer = serializers.UUIDField(allow_null=True)
    reverses = serializers.UUIDField(allow_null=True)
    reversed_by = serializers.UUIDField(allow_null=True)
    hold = serializers.UUIDField(allow_null=True)
    request_id = serializers.CharField()


class BalanceSerializer(serializers.Serializer[Account]):
    user = serializers.UUIDField()
    account = serializers.UUIDField()
    currency = serializers.CharField()
    balance = amount_text()
    held = amount_text(allow_null=True, help_text="Null for a past moment")
    available = amount_text(allow_null=True, help_text="Null for a past moment")
    version = serializers.IntegerField(help_text="The account's last transaction that was known")
    at = serializers.DateTimeField()
    known_at = serializers.DateTimeField()


DEPOSIT = "01910000-0000-7000-8000-00000000d001"
ASKED = {
    "id": DEPOSIT,
    "user": PETYA,
    "type": "DEPOSIT",
    "amount": "100.00",
    "effective_at": "2023-01-04T00:00:00Z",
    "reference": "invoice 7",
}
POSTED: dict[str, object] = {
    "id": DEPOSIT,
    "account": "01910000-0000-7000-8000-00000000a001",
    "user": PETYA,
    "type": "DEPOSIT",
    "amount": "100.00",
    "currency": "USD",
    "status": "POSTED",
    "decline_reason": None,
    "decline_details": None,
    "version": 1,
    "balance_after": "100.00",
    "effective_at": "2023-01-04T00:00:00.000000Z",
    "recorded_at": "2026-01-01T12:00:00.000000Z",
    "late": False,
    "reference": "invoice 7",
    "metadata": {},
    "transfer": None,
    "reverses": None,
    "reversed_by": None,
    "hold": None,
    "request_id": "7d0c8f6e-3a0b-4f7e-9d52-0a4d2f1f9a11",
}
CREATE_TRANSACTION = [
    OpenApiExample("a deposit", request_only=True, value=ASKED),
    OpenApiExample("posted", response_only=True, status_codes=["201"], value=POSTED),
    OpenApiExample(
        "a withdrawal of too much",
        request_only=True,
        value={
            "id": "01910000-0000-7000-8000-00000000d002",
            "user": PETYA,
            "type": "WITHDRAW",
            "amount": "250.00",
        },
    ),
    OpenApiExample(
        "declined",
        response_only=True,
        status_codes=["402"],
        media_type="application/problem+json",
        value={
            "type": "urn:ledger:problem:insufficient_funds",
            "title": "Payment Required",
            "status": 402,
            "detail": "The account has less available than the withdrawal requires.",
            "code": "insufficient_funds",
            "request_id": "0b9f1f0e-5a53-44c7-8b8c-0d5c5c2c4f10",
            "id": "01910000-0000-7000-8000-00000000d002",
            "available": "100.00",
            "required": "250.00",
        },
    ),
]
READ_TRANSACTION = [OpenApiExample("posted", response_only=True, status_codes=["200"], value=POSTED)]
READ_BALANCE = [
    OpenApiExample(
        "now",
        response_only=True,
        status_codes=["200"],
        value={
            "user": PETYA,
            "account": "01910000-0000-7000-8000-00000000a001",
            "currency": "USD",
            "balance": "100.00",
            "held": "0.00",
            "available": "100.00",
            "version": 1,
            "at": "2026-01-01T12:00:00.000000Z",
            "known_at": "2026-01-01T12:00:00.000000Z",
        },
    )
]
