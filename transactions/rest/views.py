"""Transactions and transfers over HTTP."""

from uuid import UUID

import orjson
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request

from accounts.errors import IdempotencyKeyReused
from accounts.models import Account
from accounts.rest.requests import take_identity
from rest.answers import Answer
from rest.filters import StrictFilterBackend
from rest.pagination import KeysetPagination
from rest.parsers import read_query
from rest.permissions import get_caller_id, has_permission, narrow_to_own
from rest.schema import IDEMPOTENCY_KEY, ON_AMOUNTS, ON_BODIES, ON_IDENTITY, ON_LISTS, answers
from rest.viewsets import ApiViewSet
from rest.waiting import ask, wait_for
from transactions import errors, reading
from transactions.models import Transaction
from transactions.posting.commands import Reversal, Transfer
from transactions.reading import queries
from transactions.rest import examples, serializers
from transactions.rest.filters import TransactionFilter
from transactions.rest.requests import (
    make_transaction,
    name_as_asked,
    post,
    respond,
    show_transfer,
)

VIEW = "transactions.view_transaction"
ON_COMMANDS = (*ON_BODIES, *ON_IDENTITY, "not_found", "request_in_progress")
ON_EFFECT = ("effective_at_in_future", "effective_at_too_early", "datetime_invalid", "datetime_precision")
# What only reversals, captures and groups are declined for.
DECLINES_OF_OTHERS = {
    errors.ALREADY_REVERSED,
    errors.HOLD_NOT_OPEN,
    errors.TRANSFER_DECLINED,
    errors.BATCH_DECLINED,
}
DECLINES_OF_ONE = [code for code in errors.DECLINES if code not in DECLINES_OF_OTHERS]


class TransactionPagination(KeysetPagination):
    ordering = "recorded_at"


class TransactionViewSet(ApiViewSet[Transaction]):
    """The movements of money. A posting goes through `posting.post` and nothing else."""

    permissions = {"create": "transactions.add_transaction", "reverse": "transactions.add_transaction"}
    serializer_class = serializers.TransactionSerializer
    filterset_class = TransactionFilter
    filter_backends = [StrictFilterBackend]
    pagination_class = TransactionPagination

    def get_queryset(self) -> QuerySet[Transaction]:
        return narrow_to_own(
            queries.with_resources(Transaction.objects.all()),
            self.request,
            permission=VIEW,
            owner="account__user",
        )

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=serializers.TransactionRequest,
        examples=examples.CREATE_TRANSACTION,
        responses=answers(
            201,
            serializers.TransactionSerializer,
            *ON_COMMANDS,
            "conflicting_fields",
            *ON_AMOUNTS,
            *ON_EFFECT,
            "currency_required",
            "currency_mismatch",
            *DECLINES_OF_ONE,
        ),
    )
    def create(self, request: Request) -> HttpResponse:
        """Post a deposit or a withdrawal, exactly once. A decline is recorded and answered again too."""
        asked = serializers.TransactionRequest.read(request)
        id = take_identity(request, asked)
        user_id = asked.get("user")
        accounts = ask(queries.find_account_ids, Account.objects.all(), [user_id]) if user_id else {}
        command = make_transaction({**asked, "id": id}, accounts)
        try:
            return respond(request, post(request, command))
        except IdempotencyKeyReused as error:
            name_as_asked(error, user_id)
            raise

    @extend_schema(responses=answers(200, serializers.TransactionSerializer, *ON_LISTS))
    def list(self, request: Request) -> HttpResponse:
        """Transactions, newest first by `recorded_at`."""
        found = self.filter_queryset(self.get_queryset()).values_list("id", "recorded_at", named=True)
        page = self.paginate_queryset(found) or []
        rows = reading.get_transactions([key.id for key in page])
        return self.get_paginated_response([orjson.Fragment(rows[key.id].to_json()) for key in page])

    @extend_schema(
        examples=examples.READ_TRANSACTION,
        responses=answers(200, serializers.TransactionSerializer, "not_found"),
    )
    def retrieve(self, request: Request, pk: UUID) -> HttpResponse:
        """One transaction, posted or declined."""
        read_query(request, {})
        row = wait_for(reading.share_transaction(pk))
        if row is None or not self._may_see(row.user_id):
            raise Http404
        return Answer(row.to_json())

    def _may_see(self, owner: UUID) -> bool:
        return owner == get_caller_id(self.request) or has_permission(self.request, VIEW)

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=serializers.ReversalRequest,
        examples=examples.REVERSE,
        responses=answers(
            201,
            PolymorphicProxySerializer(
                "Reversal",
                [serializers.TransactionSerializer, serializers.TransferSerializer],
                resource_type_field_name=None,
            ),
            *ON_COMMANDS,
            "not_reversible",
            errors.ALREADY_REVERSED,
            *DECLINES_OF_ONE,
        ),
    )
    def reverse(self, request: Request, pk: UUID) -> HttpResponse:
        """Take a transaction back, once and in full; of a transfer both legs, answered as a transfer."""
        asked = serializers.ReversalRequest.read(request)
        id = take_identity(request, asked)
        rows = queries.find_whole(self.get_queryset(), pk)
        return respond(request, post(request, Reversal(id=id, reason=asked["reason"], rows=rows)))


class TransferViewSet(TransactionViewSet):
    """Money from one account to another: a WITHDRAW and a DEPOSIT, posted together or not at all."""

    serializer_class = serializers.TransferSerializer  # type: ignore[assignment]

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=serializers.TransferRequest,
        examples=examples.CREATE_TRANSFER,
        responses=answers(
            201,
            serializers.TransferSerializer,
            *ON_COMMANDS,
            *ON_AMOUNTS,
            *ON_EFFECT,
            "same_account",
            "currency_mismatch",
            *DECLINES_OF_ONE,
        ),
    )
    def create(self, request: Request) -> HttpResponse:
        """Transfer, exactly once. Declined, it is answered with the reason of the culprit leg."""
        asked = serializers.TransferRequest.read(request)
        id = take_identity(request, asked)
        transfer = Transfer(
            id=id, source_id=asked.pop("source"), destination_id=asked.pop("destination"), **asked
        )
        return respond(request, post(request, transfer))

    @extend_schema(
        operation_id="transfers_retrieve",
        responses=answers(200, serializers.TransferSerializer, "not_found"),
    )
    def retrieve(self, request: Request, pk: UUID) -> HttpResponse:
        """Both legs, posted or declined."""
        rows = queries.find_whole(self.filter_queryset(self.get_queryset()).filter(transfer=pk), pk)
        return Answer(show_transfer(rows))
