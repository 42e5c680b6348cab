"""What answers about money look like."""

import dataclasses
from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from drf_spectacular.utils import extend_schema_field as describe_as
from rest_framework import serializers

from accounts.models import Account
from accounts.rest.serializers import ClaimSerializer, HoldSerializer, make_field
from rest.document.problems import CommandProblemSerializer, RefusedProblemSerializer
from rest.fields import amount_text
from transactions.models import BATCH_TABLE, TABLE, Batch, Transaction
from transactions.posting import PARTS_MAX, ROWS_MAX


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


class CollectionSerializer(serializers.Serializer[Transaction]):
    """What was taken for a claim."""

    claim = serializers.UUIDField()
    transaction = serializers.UUIDField(help_text="The withdrawal that has taken it")
    amount = amount_text()


def collected() -> CollectionSerializer:
    """In answers to what has brought money. Left out if nothing was collected."""
    return CollectionSerializer(
        many=True, required=False, help_text="What was taken of it for claims, the oldest first"
    )


class PostedTransactionSerializer(TransactionSerializer):
    """A transaction as it was decided, and what was collected because of it."""

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "collected": collected()}


class TransferSerializer(serializers.Serializer[Transaction]):
    id = serializers.UUIDField()
    source = TransactionSerializer()  # type: ignore[assignment]
    destination = TransactionSerializer()
    collected = collected()


class SplitCaptureSerializer(serializers.Serializer[Transaction]):
    """A capture into several accounts."""

    id = serializers.UUIDField()
    transfers = TransferSerializer(many=True, help_text="In the order of the destinations")


class ResultSerializer(serializers.Serializer[Transaction]):
    status = serializers.IntegerField(help_text="What the command alone would have been answered with")


class TransactionResultSerializer(ResultSerializer):
    transaction = TransactionSerializer()


class TransferResultSerializer(ResultSerializer):
    transfer = TransferSerializer()


class TransfersResultSerializer(ResultSerializer):
    """Of a capture to `destinations`."""

    transfers = serializers.ListField(child=TransferSerializer(), max_length=PARTS_MAX)


class HoldResultSerializer(ResultSerializer):
    hold = HoldSerializer()


class ClaimResultSerializer(ResultSerializer):
    claim = ClaimSerializer()


class ProblemResultSerializer(ResultSerializer):
    problem = CommandProblemSerializer()


@describe_as(
    PolymorphicProxySerializer(
        "Result",
        [
            TransactionResultSerializer,
            TransferResultSerializer,
            TransfersResultSerializer,
            HoldResultSerializer,
            ClaimResultSerializer,
            ProblemResultSerializer,
        ],
        resource_type_field_name=None,
    )
)
class ResultField(serializers.Field[Any, Any, Any, Any]):
    """What a command has come to."""


def results(**options: Any) -> serializers.ListField:
    return serializers.ListField(child=ResultField(), max_length=ROWS_MAX, **options)


class BatchDeclinedProblemSerializer(RefusedProblemSerializer):
    """As of any command; a declined batch has its results."""

    results = results(required=False, help_text="Of `batch_declined`: in the order of the commands")


class DryRunSerializer(serializers.Serializer[Transaction]):
    """What a command would be answered. Nothing of it is recorded."""

    dry_run = serializers.BooleanField(help_text="True")
    replayed = serializers.BooleanField(help_text="It was decided before: this is its answer")
    version = serializers.IntegerField(
        allow_null=True,
        help_text="Of the account that it was decided at: of a transfer the source, of a list its only one",
    )
    versions = serializers.DictField(
        child=serializers.IntegerField(), help_text="Of every account that it is about, by their ids"
    )
    results = results(help_text="As of a batch, of one command too")
    collected = collected()


class DecidedBatchSerializer(serializers.Serializer[Batch]):
    id = serializers.UUIDField()
    atomic = serializers.BooleanField()
    results = results(help_text="In the order of the commands")
    collected = collected()


class BatchSerializer(serializers.Serializer[Batch]):
    """A list, and all that was made of it."""

    def get_fields(self) -> dict[str, Any]:
        return {
            **{column.name: make_field(column) for column in BATCH_TABLE.shown},
            "transactions": TransactionSerializer(many=True, help_text="In the order of recording"),
            "holds": HoldSerializer(many=True, help_text="In the order of recording"),
            "claims": ClaimSerializer(many=True, help_text="In the order of their making"),
        }


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
