"""What is done to an account over HTTP under the lock that postings take: its holds and its rules."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import DECLINES
from accounts.models import Account, Hold
from accounts.rest.filters import HoldFilter
from accounts.rest.serializers import HoldRequest, HoldSerializer, LimitsRequest, ReasonRequest
from accounts.rest.views import AccountViewSet
from rest.answers import mark
from rest.errors import make_problem
from rest.permissions import narrow_to_own
from rest.serializers import NoFields
from rest.viewsets import ResourceViewSet
from transactions.posting.commands import Capture, NewHold, Release, Remaining, SetLimits, SetStatus
from transactions.rest import schema
from transactions.rest.serializers import CaptureRequest
from transactions.rest.views import post, respond, take_identity


@schema.describe_holds
class HoldViewSet(ResourceViewSet[Hold]):
    """Funds set aside: placed, captured in part or whole, released, or expired."""

    permissions = {
        "create": "accounts.add_hold",
        "capture": "transactions.add_transaction",
        "release": "accounts.change_hold",
    }
    serializer_class = HoldSerializer
    filterset_class = HoldFilter

    def get_queryset(self) -> QuerySet[Hold]:
        holds = Hold.objects.with_clock()
        return narrow_to_own(holds, self.request, permission="accounts.view_hold", owner="account__user")

    def create(self, request: Request) -> HttpResponse:
        """Place a hold, exactly once. A decline is recorded and answered again too."""
        asked = HoldRequest.read(request)
        id = take_identity(request, asked)
        result = post(request, NewHold(id=id, account_id=asked.pop("account"), **asked))
        hold = result.hold
        response: HttpResponse = Response(hold.to_dict(), status=201)
        if hold.decline_reason:
            extensions = {"id": str(hold.id), **(hold.decline_details or {})}
            detail = DECLINES[hold.decline_reason]
            response = make_problem(request, hold.decline_reason, detail, extensions=extensions)
        return mark(response, replayed=result.replayed)

    def release(self, request: Request, pk: object) -> Response:
        """Give back what is left. A released hold is answered as it is. There is no body."""
        NoFields.read_optional(request)
        hold = self.get_object()
        result = post(request, Release(hold_id=hold.id, account_id=hold.account_id))
        return Response(result.hold.to_dict())

    def capture(self, request: Request, pk: UUID) -> HttpResponse:
        """Withdraw from a hold, exactly once. What is left is given back, unless `final` is false."""
        asked = CaptureRequest.read(request)
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


@schema.describe_rules
class RuleViewSet(AccountViewSet):
    """What an account may do, changed under the lock that postings take."""

    permissions = {
        "limits": "accounts.limit_account",
        "freeze": "accounts.freeze_account",
        "unfreeze": "accounts.freeze_account",
        "close": "accounts.close_account",
    }

    def limits(self, request: Request, pk: object) -> Response:
        """Set what is sent: how far the balance may go below zero, and what withdrawals may take."""
        limits = LimitsRequest.read(request)
        result = post(request, SetLimits(account_id=self.get_object().pk, limits=limits))
        return Response(result.account.to_dict())

    def freeze(self, request: Request, pk: object) -> Response:
        """No money out and no new holds; money in is accepted. A frozen account is answered as it is."""
        return self._change(Account.Status.FROZEN, request)

    def unfreeze(self, request: Request, pk: object) -> Response:
        """Money may go out again. An active account is answered as it is."""
        return self._change(Account.Status.ACTIVE, request)

    def close(self, request: Request, pk: object) -> Response:
        """Close it for ever, empty and with nothing held. A closed account is answered as it is."""
        return self._change(Account.Status.CLOSED, request)

    def _change(self, status: Account.Status, request: Request) -> Response:
        reason = ReasonRequest.read(request)["reason"]
        command = SetStatus(account_id=self.get_object().pk, status=status, reason=reason)
        return Response(post(request, command).account.to_dict())
