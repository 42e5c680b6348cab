"""What requests to move and read money hold, and what answers look like."""

import dataclasses
from typing import Any

from rest_framework import serializers

from accounts.models import NAME_LENGTH_MAX, REASON_LENGTH_MAX, Account
from accounts.rest.serializers import (
    CURRENCY_LENGTH_MAX,
    CommandRequest,
    amount_text,
    make_field,
    make_request_fields,
)
from ledger.text import Rule
from rest import fields, times
from rest.schema import ProblemSerializer
from rest.serializers import ListField, StrictSerializer
from transactions.models import TABLE, Transaction
from transactions.posting.commands import Transfer


class TransactionRequest(CommandRequest):
    account = fields.UUIDField(required=False)
    user = fields.UUIDField(required=False, help_text="Instead of an account: the user's main account")
    currency = fields.TextField(
        length_min=1,
        length_max=CURRENCY_LENGTH_MAX,
        required=False,
        help_text="Which of the user's main accounts",
    )
    vars().update(make_request_fields(TABLE.sent))
    expected_version = fields.CountField(required=False, help_text="Decline unless the account is at it")


class BatchRequest(StrictSerializer):
    atomic = fields.BooleanField(help_text="All are posted or none; else each for itself, in one commit")
    transactions = ListField(of=TransactionRequest, length_max=1000, help_text="Each with its own id")


PARTS = {field.name for field in dataclasses.fields(Transfer)}


class TransferRequest(CommandRequest):
    source = fields.UUIDField(help_text="The account that the money leaves")  # type: ignore[assignment]
    destination = fields.UUIDField(help_text="The account that it goes to")
    vars().update(make_request_fields(column for column in TABLE.sent if column.asked in PARTS))


class ReversalRequest(CommandRequest):
    reason = fields.TextField(
        length_min=1, length_max=REASON_LENGTH_MAX, rule=Rule.NOTE, help_text="Kept in the metadata"
    )


class CaptureRequest(CommandRequest):
    amount = fields.AmountField(required=False, help_text="At most what is left; default: all of it")
    final = fields.BooleanField(required=False, help_text="Default true: what is left is given back")
    vars().update(
        make_request_fields(column for column in TABLE.sent if column.name in ("reference", "metadata"))
    )


# Made by a call, since `from` can be no attribute's name in a class body.
StatementQuery: type[StrictSerializer] = type(
    "StatementQuery",
    (StrictSerializer,),
    {
        "from": times.DateField(help_text="The first day, inclusive"),
        "to": times.DateField(help_text="The last day, inclusive"),
        "tz": times.TimeZoneField(required=False, help_text="The zone of the days; default: UTC"),
    },
)


class BalanceQuery(StrictSerializer):
    at = times.TimeField(required=False, help_text="Effective by this moment, inclusive; default: now")
    known_at = times.TimeField(
        required=False, help_text="As the ledger knew it at this moment, inclusive; default: now"
    )
    tz = times.TimeZoneField(required=False, help_text="The zone of times without an offset; default: UTC")


class UserBalanceQuery(BalanceQuery):
    currency = fields.TextField(length_min=1, length_max=CURRENCY_LENGTH_MAX, required=False)
    account = fields.TextField(
        length_min=1,
        length_max=NAME_LENGTH_MAX,
        rule=Rule.IDENTIFIER,
        required=False,
        help_text="The account's name; default: main",
    )


class TransactionSerializer(serializers.Serializer[Transaction]):
    def get_fields(self) -> dict[str, Any]:
        return {column.name: make_field(column) for column in TABLE.shown}


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


class BatchResultSerializer(serializers.Serializer[Transaction]):
    status = serializers.IntegerField(help_text="What the transaction alone would have been answered with")
    transaction = TransactionSerializer(required=False)
    problem = ProblemSerializer(required=False)


class BatchSerializer(serializers.Serializer[Transaction]):
    results = BatchResultSerializer(many=True, help_text="In the order of the request")


class TransferSerializer(serializers.Serializer[Transaction]):
    id = serializers.UUIDField()
    source = TransactionSerializer()  # type: ignore[assignment]
    destination = TransactionSerializer()


# What the holder of one account of a transfer sees of the leg on the other one; all else is null.
OF_BOTH = {
    *("id", "account", "type", "amount", "currency", "status", "effective_at", "recorded_at", "transfer"),
}


class LegSerializer(serializers.Serializer[Transaction]):
    """A leg of a transfer. Of another holder's account it is shown without what tells of them."""

    def get_fields(self) -> dict[str, Any]:
        columns = [
            dataclasses.replace(each, null=each.null or each.name not in OF_BOTH) for each in TABLE.shown
        ]
        return {column.name: make_field(column) for column in columns}


class SeenTransferSerializer(serializers.Serializer[Transaction]):
    id = serializers.UUIDField()
    source = LegSerializer()  # type: ignore[assignment]
    destination = LegSerializer()


class StatementLineSerializer(serializers.Serializer[Transaction]):
    transaction = serializers.UUIDField()
    type = serializers.ChoiceField(choices=Transaction.Type.choices)
    amount = amount_text()
    balance = amount_text(help_text="The running balance, in the order of the lines")
    effective_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    reference = serializers.CharField(allow_blank=True)


class StatementSerializer(serializers.Serializer[Account]):
    account = serializers.UUIDField()
    currency = serializers.CharField()
    to = serializers.DateField()
    tz = serializers.CharField()
    opening_balance = amount_text()
    lines = StatementLineSerializer(many=True)
    closing_balance = amount_text()

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateField(), **super().get_fields()}
