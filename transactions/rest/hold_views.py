"""Holds over HTTP: placed, captured, released."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.models import Hold
from accounts.rest import examples, serializers
from accounts.rest.filters import HoldFilter
from accounts.rest.requests import take_identity
from rest.answers import mark
from rest.errors import make_problem
from rest.filters import StrictFilterBackend
from rest.pagination import KeysetPagination
from rest.permissions import narrow_to_own
from rest.schema import IDEMPOTENCY_KEY, ON_AMOUNTS, ON_BODIES, ON_IDENTITY, ON_LISTS, answers
from rest.serializers import NoFields
from rest.viewsets import ApiViewSet
from transactions.errors import HOLD_NOT_OPEN
from transactions.posting.commands import Capture, NewHold, Release, Remaining
from transactions.rest import examples as money_examples
from transactions.rest import serializers as money_serializers
from transactions.rest.requests import post, respond
from transactions.rest.views import DECLINES_OF_ONE, ON_COMMANDS


class HoldViewSet(ApiViewSet[Hold]):
    """Funds set aside: placed, captured in part or whole, released, or expired."""

    permissions = {
        "create": "accounts.add_hold",
        "capture": "transactions.add_transaction",
        "release": "accounts.change_hold",
    }
    serializer_class = serializers.HoldSerializer
    filterset_class = HoldFilter
    filter_backends = [StrictFilterBackend]
    pagination_class = KeysetPagination

    def get_queryset(self) -> QuerySet[Hold]:
        return narrow_to_own(
            Hold.objects.with_clock(), self.request, permission="accounts.view_hold", owner="account__user"
        )

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=serializers.HoldRequest,
        examples=examples.PLACE_HOLD,
        responses=answers(
            201,
            serializers.HoldSerializer,
            *ON_BODIES,
            *ON_IDENTITY,
            *ON_AMOUNTS,
            "expires_at_invalid",
            "not_found",
            *errors.DECLINES,
        ),
    )
    def create(self, request: Request) -> HttpResponse:
        """Place a hold, exactly once. A decline is recorded and answered again too."""
        asked = serializers.HoldRequest.read(request)
        id = take_identity(request, asked)
        result = post(request, NewHold(id=id, account_id=asked.pop("account"), **asked))
        hold = result.hold
        response: HttpResponse
        if hold.decline_reason:
            extensions = {"id": str(hold.id), **(hold.decline_details or {})}
            response = make_problem(
                request, hold.decline_reason, errors.DECLINES[hold.decline_reason], extensions=extensions
            )
        else:
            response = Response(hold.to_dict(), status=201)
        return mark(response, replayed=result.replayed)

    @extend_schema(responses=answers(200, serializers.HoldSerializer, *ON_LISTS))
    def list(self, request: Request) -> Response:
        """Holds, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([hold.to_dict() for hold in page or []])

    @extend_schema(responses=answers(200, serializers.HoldSerializer, "not_found"))
    def retrieve(self, request: Request, pk: object) -> Response:
        """One hold."""
        return Response(self.get_object().to_dict())

    @extend_schema(
        request=None,
        examples=examples.RELEASE_HOLD,
        responses=answers(200, serializers.HoldSerializer, "not_found", "hold_not_open"),
    )
    def release(self, request: Request, pk: object) -> Response:
        """Give back what is left. A released hold is answered as it is. There is no body."""
        NoFields.read_optional(request)
        hold = self.get_object()
        result = post(request, Release(hold_id=hold.id, account_id=hold.account_id))
        return Response(result.hold.to_dict())

    @extend_schema(
        operation_id="holds_capture",
        parameters=[IDEMPOTENCY_KEY],
        request=money_serializers.CaptureRequest,
        examples=money_examples.CAPTURE,
        responses=answers(
            201,
            money_serializers.TransactionSerializer,
            *ON_COMMANDS,
            *ON_AMOUNTS,
            HOLD_NOT_OPEN,
            *DECLINES_OF_ONE,
        ),
    )
    def capture(self, request: Request, pk: UUID) -> HttpResponse:
        """Withdraw from a hold, exactly once. What is left is given back, unless `final` is false."""
        asked = money_serializers.CaptureRequest.read(request)
        id = take_identity(request, asked)
        hold = self.get_object()
        capture = Capture(
            id=id,
            hold_id=hold.id,
            account_id=hold.account_id,
            amount=asked.get("amount", Remaining.ALL),
            final=asked.get("final", True),
        )
        return respond(request, post(request, capture))
