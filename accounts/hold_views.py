"""Holds over HTTP; capturing one is a posting, and so answered by `transactions`."""

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors, examples, holds, serializers
from accounts.commands import take_identity
from accounts.filters import HoldFilter
from accounts.models import Hold
from rest.errors import make_problem
from rest.filters import StrictFilterBackend
from rest.middleware import get_request_id
from rest.pagination import KeysetPagination
from rest.permissions import get_caller_id, has_right, narrow_to_own
from rest.replays import mark
from rest.schema import IDEMPOTENCY_KEY, ON_AMOUNTS, ON_BODIES, ON_IDENTITY, ON_LISTS, answers
from rest.shapes import NoFields
from rest.viewsets import ApiViewSet


class HoldViewSet(ApiViewSet[Hold]):
    """Funds set aside: placed, captured in part or whole, released, or expired."""

    rights = {"create": "accounts.add_hold", "release": "accounts.change_hold"}
    serializer_class = serializers.HoldSerializer
    filterset_class = HoldFilter
    filter_backends = [StrictFilterBackend]
    pagination_class = KeysetPagination

    def get_queryset(self) -> QuerySet[Hold]:
        return narrow_to_own(
            Hold.objects.all(), self.request, right="accounts.view_hold", owner="account__user"
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
        try:
            hold, replayed = holds.place_hold(
                id=id,
                account_id=asked.pop("account"),
                actor=get_caller_id(request),
                request_id=get_request_id(request),
                **asked,
            )
        except errors.HoldReused as error:
            may_see = has_right(request, "accounts.view_hold")
            if not may_see and error.hold.account.user_id != get_caller_id(request):
                error.particulars = {}
            raise
        response: HttpResponse
        if hold.decline_reason:
            particulars = {"id": str(hold.id), **(hold.decline_details or {})}
            response = make_problem(
                request, hold.decline_reason, errors.DECLINES[hold.decline_reason], particulars=particulars
            )
        else:
            response = Response(hold.as_resource(), status=201)
        return mark(response, replayed=replayed)

    @extend_schema(responses=answers(200, serializers.HoldSerializer, *ON_LISTS))
    def list(self, request: Request) -> Response:
        """Holds, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([hold.as_resource() for hold in page or []])

    @extend_schema(responses=answers(200, serializers.HoldSerializer, "not_found"))
    def retrieve(self, request: Request, pk: object) -> Response:
        """One hold."""
        return Response(self.get_object().as_resource())

    @extend_schema(
        request=None,
        examples=examples.RELEASE_HOLD,
        responses=answers(200, serializers.HoldSerializer, "not_found", "hold_not_open"),
    )
    def release(self, request: Request, pk: object) -> Response:
        """Give back what is left. A released hold is answered as it is. There is no body."""
        NoFields.read_optional(request)
        hold = holds.release_hold(id=self.get_object().pk, request_id=get_request_id(request))
        return Response(hold.as_resource())
