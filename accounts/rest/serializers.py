"""What requests about users and accounts hold, and what answers look like."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field as describe_as
from rest_framework import serializers

from accounts.models import (
    CLAIM_TABLE,
    HOLD_TABLE,
    NAME_LENGTH_MAX,
    REASON_LENGTH_MAX,
    THRESHOLD_TABLE,
    Account,
    Claim,
    Column,
    Hold,
    Kind,
    Threshold,
    Token,
    User,
)
from accounts.tokens import TYPES
from ledger.callers import ActorKind
from ledger.text import Rule
from rest import fields, times
from rest.fields import amount_text
from rest.serializers import StrictSerializer

METADATA_HELP = "Replaces the whole object; null: by an empty one"
CALLERS = [kind.value for kind in (ActorKind.SERVICE, ActorKind.HOLDER, ActorKind.STAFF)]  # of the API
ReasonField = partial(
    fields.TextField,
    length_min=1,
    length_max=REASON_LENGTH_MAX,
    rule=Rule.NOTE,
    help_text="Told by the event",
)
CurrencyField = partial(fields.TextField, length_min=1, length_max=12)
SequenceField = partial(
    fields.CountField, required=False, help_text="Refuse unless the account's event_sequence is this"
)
VersionField = partial(fields.CountField, required=False, help_text="Decline unless the account is at it")


class UserRequest(StrictSerializer):
    id = fields.IdentityField(
        required=False, help_text="Best a UUIDv7. Or send an Idempotency-Key, or only an external_id"
    )
    name = fields.TextField(length_min=1, length_max=NAME_LENGTH_MAX, rule=Rule.NAME)
    external_id = fields.TextField(
        length_min=1,
        length_max=NAME_LENGTH_MAX,
        rule=Rule.IDENTIFIER,
        required=False,
        help_text="Your own handle: unique",
    )
    currency = CurrencyField(
        required=False,
        help_text="Of the `main` account; default: the ledger's",
    )
    metadata = fields.MetadataField(required=False)


class UserChanges(StrictSerializer):
    name = fields.TextField(length_min=1, length_max=NAME_LENGTH_MAX, rule=Rule.NAME, required=False)
    metadata = fields.ChangedMetadataField(required=False, allow_null=True, help_text=METADATA_HELP)


class AccountRequest(StrictSerializer):
    user = fields.UUIDField()
    currency = CurrencyField()
    name = fields.TextField(
        length_min=1,
        length_max=NAME_LENGTH_MAX,
        rule=Rule.IDENTIFIER,
        required=False,
        help_text="Default: main",
    )
    metadata = fields.MetadataField(required=False)


class AccountChanges(StrictSerializer):
    metadata = fields.ChangedMetadataField(allow_null=True, help_text=METADATA_HELP)


class LimitsRequest(StrictSerializer):
    credit_limit = fields.AmountField(required=False, help_text="How far below zero the balance may go")
    withdraw_max = fields.AmountField(
        required=False, allow_null=True, help_text="The most that one withdrawal may take; null: no limit"
    )
    withdraw_day_max = fields.AmountField(
        required=False,
        allow_null=True,
        help_text="The most that the withdrawals of a UTC day may take; null: no limit",
    )
    reason = ReasonField(required=settings.REASONS_REQUIRED)
    expected_sequence = SequenceField()


class ThresholdRequest(StrictSerializer):
    amount = fields.AmountField(
        {
            "type": "string",
            "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
            "description": "A decimal string, in units of the currency; with credit it may be below zero.",
            "examples": ["10.00"],
        }
    )
    of = fields.ChoiceField(choices=Threshold.Of, help_text="What is compared with the amount")
    expected_sequence = SequenceField()


class ReasonRequest(StrictSerializer):
    reason = ReasonField()
    expected_sequence = SequenceField()


class ReleaseRequest(StrictSerializer):
    reason = ReasonField(required=settings.REASONS_REQUIRED)
    expected_sequence = SequenceField()
    body_is_optional = not settings.REASONS_REQUIRED


class HoldChanges(StrictSerializer):
    amount = fields.AmountField(required=False, help_text="All of it, with what was captured of it")
    expires_at = times.TimeField(required=False, allow_null=True, help_text="Null: never")
    expected_sequence = SequenceField()


class CommandRequest(StrictSerializer):
    id = fields.IdentityField(required=False, help_text="Best a UUIDv7. Or send an Idempotency-Key")


def make_request_fields(columns: Iterable[Column]) -> dict[str, fields.Field]:
    """The columns as callers send them, in requests and in files."""
    return {column.sent_as: _make_request_field(column) for column in columns}


def _make_request_field(column: Column) -> fields.Field:
    options: dict[str, Any] = {"help_text": column.help} if column.help else {}
    if column.kind is Kind.CHOICE:
        options["choices"] = column.choices
    if column.kind is Kind.TEXT:
        options |= {"length_max": column.length_max, "rule": Rule.IDENTIFIER}
    return REQUEST_FIELDS[column.kind](required=column.sent == "required", **options)


REQUEST_FIELDS: dict[Kind, Callable[..., fields.Field]] = {
    Kind.ID: fields.UUIDField,
    Kind.AMOUNT: fields.AmountField,
    Kind.CHOICE: fields.ChoiceField,
    Kind.TEXT: fields.TextField,
    Kind.OBJECT: fields.MetadataField,
    Kind.TIME: times.TimeField,
}


class ClaimRequest(CommandRequest):
    vars().update(make_request_fields(CLAIM_TABLE.sent))
    reason = ReasonField(help_text="Kept with it, and in the metadata of what is collected")


class WaiveRequest(StrictSerializer):
    reason = ReasonField(help_text="Kept with the claim")


class HoldRequest(CommandRequest):
    vars().update(make_request_fields(HOLD_TABLE.sent))
    account = fields.UUIDField(required=False)
    user = fields.UUIDField(required=False, help_text="Instead of an account: the user's main account")
    currency = CurrencyField(
        required=False,
        help_text="Which of the user's main accounts, or the one that the account must have",
    )
    expected_sequence = SequenceField(help_text="Decline unless the account's event_sequence is this")


def object_of_texts(**options: Any) -> serializers.DictField:
    """Metadata in an answer."""
    return serializers.DictField(child=serializers.CharField(allow_blank=True), **options)


@describe_as({"type": ["string", "integer"]})
class DetailField(serializers.Field[Any, Any, Any, Any]):
    """Of a decline: amounts, names and moments are texts; versions, and what counts, are numbers."""


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
    owed = amount_text(help_text="What its open claims have left")
    credit_limit = amount_text()
    withdraw_max = amount_text(allow_null=True)
    withdraw_day_max = amount_text(allow_null=True)
    version = serializers.IntegerField(help_text="Posted transactions so far")
    event_sequence = serializers.IntegerField(
        help_text="Events so far: what a hold and a change of the rules may expect"
    )
    metadata = object_of_texts()
    created_at = serializers.DateTimeField()


def make_field(column: Column) -> serializers.Field[Any, Any, Any, Any]:
    """A column of an answer, told as DRF does."""
    options: dict[str, Any] = {"allow_null": True} if column.null else {}
    if column.kind is Kind.OBJECT and not column.sent:
        return serializers.DictField(child=DetailField(), **options)
    if column.help:
        options["help_text"] = column.help
    if column.choices:
        options["choices"] = column.choices.choices
    return FIELDS[column.kind](**options)


FIELDS: dict[Kind, Callable[..., serializers.Field[Any, Any, Any, Any]]] = {
    Kind.ID: serializers.UUIDField,
    Kind.IDS: lambda **options: serializers.ListField(child=serializers.UUIDField(), **options),
    Kind.AMOUNT: amount_text,
    Kind.CHOICE: serializers.ChoiceField,
    Kind.TEXT: partial(serializers.CharField, allow_blank=True),
    Kind.OBJECT: object_of_texts,
    Kind.COUNT: serializers.IntegerField,
    Kind.TIME: serializers.DateTimeField,
    Kind.FLAG: serializers.BooleanField,
}


class HoldSerializer(serializers.Serializer[Hold]):
    def get_fields(self) -> dict[str, Any]:
        return {column.name: make_field(column) for column in HOLD_TABLE.shown}


class ClaimSerializer(serializers.Serializer[Claim]):
    def get_fields(self) -> dict[str, Any]:
        return {column.name: make_field(column) for column in CLAIM_TABLE.shown}


class ThresholdSerializer(serializers.Serializer[Threshold]):
    def get_fields(self) -> dict[str, Any]:
        return {column.name: make_field(column) for column in THRESHOLD_TABLE.shown}


class UserSerializer(serializers.Serializer[User]):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    metadata = object_of_texts()
    created_at = serializers.DateTimeField()
    erased_at = serializers.DateTimeField(
        allow_null=True, help_text="When the person was forgotten: then `name` is [erased], the rest empty"
    )
    accounts = AccountSerializer(many=True)


class TokenSerializer(serializers.Serializer[Token]):
    prefix = serializers.CharField(help_text="How it begins")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To two minutes; null: never before")
    expires_at = serializers.DateTimeField(allow_null=True)
    account_names = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Of the accounts it is bound to; null: all"
    )
    types = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(TYPES)),
        max_length=len(TYPES),
        allow_null=True,
        help_text="Of the transactions it is bound to; null: all",
    )
    amount_max = amount_text(allow_null=True, help_text="The largest amount, in any currency; null: any")


class MeSerializer(serializers.Serializer[User]):
    user = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=CALLERS)
    permissions = serializers.ListField(
        child=serializers.CharField(), help_text="Those of the token that its user has, too"
    )
    token = TokenSerializer()
