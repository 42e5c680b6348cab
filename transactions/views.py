"""Transactions and balances over HTTP."""

from typing import Any
from uuid import UUID

import structlog
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.identity import require_identity
from accounts.models import MAIN, Account
from accounts.views import REPLAYED
from api.errors import FieldError, InvalidRequest, make_problem
from api.filters import StrictFilterBackend
from api.middleware import get_request_id
from api.pagination import KeysetPagination
from api.permissions import get_caller_id, narrow_to_own
from api.schema import IDEMPOTENCY_KEY, ON_BODIES, ON_LISTS, answers
from transactions import errors, posting, queries, serializers
from transactions.filters import TransactionFilter
from transactions.models import Transaction
from transactions.orders import Order


class TransactionPagination(KeysetPagination):
    time_field = "recorded_at"


class TransactionViewSet(GenericViewSet[Transaction]):
    """The movements of money. A posting goes through `posting.post` and nothing else."""

    rights = {"create": "transactions.add_transaction"}
    serializer_class = serializers.TransactionSerializer
    filterset_class = TransactionFilter
    filter_backends = [StrictFilterBackend]
    pagination_class = TransactionPagination

    def get_queryset(self) -> QuerySet[Transaction]:
        return narrow_to_own(
            queries.with_resources(Transaction.objects.all()),
            self.request,
            right="transactions.view_transaction",
            owner="account__user",
        )

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=serializers.TransactionRequest,
        examples=serializers.CREATE_TRANSACTION,
        responses=answers(
            201,
            serializers.TransactionSerializer,
            *ON_BODIES,
            "identity_required",
            "two_identities",
            "id_invalid",
            "idempotency_key_invalid",
            "conflicting_fields",
            "amount_invalid",
            "amount_not_positive",
            "amount_too_large",
            "amount_scale",
            "effective_at_in_future",
            "effective_at_too_early",
            "currency_required",
            "not_found",
            "currency_mismatch",
            "idempotency_key_reused",
            "request_in_progress",
            *errors.DECLINES,
        ),
    )
    def create(self, request: Request) -> HttpResponse:
        """Post a deposit or a withdrawal, exactly once. A decline is recorded and answered again too."""
        asked = serializers.TransactionRequest.read(request)
        id = require_identity(
            caller_id=get_caller_id(request),
            id=asked.pop("id", None),
            key=request.headers.get("Idempotency-Key"),
        )
        user_id, currency = asked.pop("user", None), asked.pop("currency", None)
        account_id = asked.pop("account", None)
        if (account_id is None) == (user_id is None):
            raise InvalidRequest(
                FieldError(
                    "/account",
                    "required" if user_id is None else "conflicting_fields",
                    "Name an account or a user.",
                )
            )
        if account_id is None:
            account_id = queries.find_account_id(
                Account.objects.all(), user_id=user_id, currency=currency, transaction_id=id
            )
        order = Order(id=id, account_id=account_id, currency=currency, **asked)
        try:
            [answer] = posting.post([order], actor=get_caller_id(request), request_id=get_request_id(request))
        except errors.IdempotencyKeyReused as error:
            raise self._tell_who_may_see(error, user_id) from error
        return _respond(request, answer)

    def _tell_who_may_see(self, error: errors.IdempotencyKeyReused, user_id: UUID | None) -> Exception:
        """What differs is for those who may see the stored row, in the words of their own request."""
        before = error.transaction.account
        may_see = self.request.user.has_perm("transactions.view_transaction")
        if not may_see and before.user_id != get_caller_id(self.request):
            error.particulars = {}
        elif user_id is not None and "account" in error.differs:
            name = "currency" if before.user_id == user_id else "user"
            error.particulars = {"differs": [name, *(field for field in error.differs if field != "account")]}
        return error

    @extend_schema(responses=answers(200, serializers.TransactionSerializer, *ON_LISTS))
    def list(self, request: Request) -> Response:
        """Transactions, newest first by `recorded_at`."""
        transactions = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([row.as_resource() for row in transactions or []])

    @extend_schema(
        examples=serializers.READ_TRANSACTION,
        responses=answers(200, serializers.TransactionSerializer, "not_found"),
    )
    def retrieve(self, request: Request, pk: object) -> Response:
        """One transaction, posted or declined."""
        return Response(self.get_object().as_resource())


class BalanceViewSet(GenericViewSet[Account]):
    """What an account holds, now and at any moment."""

    rights: dict[str, str] = {}
    serializer_class = serializers.BalanceSerializer
    pagination_class = None

    def get_queryset(self) -> QuerySet[Account]:
        return narrow_to_own(Account.objects.all(), self.request, right="accounts.view_account", owner="user")

    @extend_schema(
        operation_id="accounts_balance_retrieve",
        parameters=[serializers.BalanceQuery],
        examples=serializers.READ_BALANCE,
        responses=answers(
            200,
            serializers.BalanceSerializer,
            "datetime_invalid",
            "datetime_precision",
            "timezone_invalid",
            "not_found",
        ),
    )
    def of_account(self, request: Request, pk: UUID) -> Response:
        """The balance of an account. An answer for a named moment stays true for ever."""
        asked = serializers.BalanceQuery.read_query(request)
        return self._answer(pk, asked)

    @extend_schema(
        operation_id="users_balance_retrieve",
        parameters=[serializers.UserBalanceQuery],
        examples=serializers.READ_BALANCE,
        responses=answers(
            200,
            serializers.BalanceSerializer,
            "datetime_invalid",
            "datetime_precision",
            "timezone_invalid",
            "currency_required",
            "not_found",
        ),
    )
    def of_user(self, request: Request, pk: UUID) -> Response:
        """The balance of a user's account: the only one of that name, or the one in `currency`."""
        asked = serializers.UserBalanceQuery.read_query(request)
        account_id = queries.find_account_id(
            self.get_queryset(),
            user_id=pk,
            currency=asked.get("currency"),
            name=asked.get("account", MAIN),
        )
        return self._answer(account_id, asked)

    def _answer(self, account_id: UUID, asked: dict[str, Any]) -> Response:
        balance = queries.read_balance(
            self.get_queryset().filter(id=account_id), at=asked.get("at"), known_at=asked.get("known_at")
        )
        return Response(balance.as_resource(), headers={"Cache-Control": "no-store"})


def _respond(request: Request, answer: posting.Posting) -> HttpResponse:
    """201 with the transaction, or the problem that its decline is; the same again for a replay."""
    row = answer.transaction
    outcome = "replayed" if answer.replayed else row.decline_reason or "posted"
    structlog.contextvars.bind_contextvars(transaction_id=str(row.id), outcome=outcome)
    response: HttpResponse
    if row.decline_reason:
        response = make_problem(
            request,
            row.decline_reason,
            errors.DECLINES[row.decline_reason],
            particulars={"id": str(row.id), **(row.decline_details or {})},
        )
    else:
        response = Response(row.as_resource(), status=201)
    if answer.replayed:
        for name, value in REPLAYED.items():
            response[name] = value
    return response
