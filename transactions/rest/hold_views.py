"""Holds over HTTP: funds set aside, and what becomes of them under the lock that postings take."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from rest_framework.response import Response

from accounts.models import Account, ClockTimestamp, Hold
from accounts.rest.serializers import HoldChanges, HoldRequest, HoldSerializer, ReleaseRequest
from ledger.errors import LedgerError
from rest.answers import mark, tag
from rest.errors import send_problem
from rest.lists import ChoiceFilter, UUIDFilter
from rest.serializers import read_if_match
from rest.viewsets import Request, ResourceViewSet
from transactions.posting.commands import ChangeHold, NewHold, Release
from transactions.reading import queries
from transactions.rest import requests, schema_of_holds
from transactions.rest.captures import find_destination_users, make_capture
from transactions.rest.requests import find_users, name_as_asked
from transactions.rest.results import answer_dry_run, describe_declined_hold, describe_result
from transactions.rest.views import post, respond, take_account, take_identity


class HoldFilter(django_filters.FilterSet):
    account = UUIDFilter(field_name="account_id")
    user = UUIDFilter(field_name="account__user_id")
    status = ChoiceFilter(choices=Hold.Status.choices, method="have_status")
    batch = UUIDFilter()

    def have_status(self, holds: QuerySet[Hold], name: str, value: Any) -> QuerySet[Hold]:
        """A hold that is due is found as expired, whether or not its end is written yet."""
        due = Q(status=Hold.Status.OPEN, expires_at__lte=ClockTimestamp())
        if value == Hold.Status.OPEN:
            return holds.filter(Q(status=value) & (Q(expires_at=None) | Q(expires_at__gt=ClockTimestamp())))
        if value == Hold.Status.EXPIRED:
            return holds.filter(Q(status=value) | due)
        return holds.filter(status=value)


@schema_of_holds.describe_holds
class HoldViewSet(ResourceViewSet[Hold]):
    """Funds set aside: placed, captured in part or whole, released, or expired."""

    permissions = {
        "create": "accounts.add_hold",
        "partial_update": "accounts.add_hold",
        "capture": "transactions.add_transaction",
        "release": "accounts.change_hold",
    }
    request_serializers = {
        "create": HoldRequest,
        "partial_update": HoldChanges,
        "capture": requests.CaptureRequest,
        "release": ReleaseRequest,
    }
    dry_runs = ("create", "partial_update", "capture", "release")
    serializer_class = HoldSerializer
    filterset_class = HoldFilter

    def get_queryset(self) -> QuerySet[Hold]:
        return self.narrow_to_own(
            Hold.objects.with_clock(), permission="accounts.view_hold", owner="account__user"
        )

    def create(self, request: Request) -> HttpResponse:
        """Place a hold, exactly once. A decline is recorded and answered again too."""
        id, asked = take_identity(request), request.asked
        users = find_users(asked)
        accounts = queries.find_account_ids(Account.objects.all(), users.values()) if users else {}
        command = make_hold(id, asked, accounts)
        try:
            result = post(request, command)
        except LedgerError as error:
            name_as_asked(error, users)
            raise
        if request.is_dry_run:
            told = [describe_result(request, result, is_placed=True)]
            return answer_dry_run(request, told, replayed=result.replayed)
        return mark(_show_hold(request, result.hold, status=201), replayed=result.replayed)

    def retrieve(self, request: Request, pk: object) -> HttpResponse:
        """One hold. The `ETag` is of what `PATCH` can change."""
        hold: Hold = self.get_object()
        return tag(Response(hold.to_dict()), hold.etag)

    def partial_update(self, request: Request, pk: object) -> HttpResponse:
        """Change the amount of an open hold, or its end. They are totals: what is so already is answered as
        it is, whatever `If-Match` says. What makes the amount larger must be available."""
        if_match = read_if_match(request)
        hold, changes = self.get_object(), request.asked
        expected_sequence = changes.pop("expected_sequence", None)
        command = ChangeHold(
            hold_id=hold.id,
            account_id=hold.account_id,
            changes=changes,
            if_match=if_match,
            expected_sequence=expected_sequence,
        )
        result = post(request, command)
        if request.is_dry_run:
            return answer_dry_run(request, [describe_result(request, result)], replayed=False)
        return _show_hold(request, result.hold)

    def release(self, request: Request, pk: object) -> HttpResponse:
        """Give back what is left. A released hold is answered as it is."""
        hold = self.get_object()
        release = Release(hold_id=hold.id, account_id=hold.account_id, **request.asked)
        result = post(request, release)
        if request.is_dry_run:
            return answer_dry_run(request, [describe_result(request, result)], replayed=False)
        return Response(result.hold.to_dict())

    def capture(self, request: Request, pk: UUID) -> HttpResponse:
        """Withdraw from a hold, exactly once. What is left is given back, unless `final` is false.

        With a destination it is a transfer, with several one to each of them: all are posted or none.
        """
        id, asked = take_identity(request), request.asked
        hold = self.get_object()
        users = find_users(asked)
        owners = list(find_destination_users(asked))
        accounts = queries.find_account_ids(Account.objects.all(), owners) if owners else {}
        command = make_capture(
            id, asked, accounts, hold_id=hold.id, account_id=hold.account_id, currency=hold.currency
        )
        try:
            return respond(request, post(request, command), are_parts=bool(command.destinations))
        except LedgerError as error:
            name_as_asked(error, users)
            raise


def _show_hold(request: Request, hold: Hold, status: int = 200) -> HttpResponse:
    """The hold with its ETag, or the problem that its decline is, or that of its change."""
    if hold.decline_reason:
        return send_problem(describe_declined_hold(request, hold))
    location = {"Location": f"/api/v1/holds/{hold.id}"} if status == 201 else None
    return tag(Response(hold.to_dict(), status=status, headers=location), hold.etag)


def make_hold(
    id: UUID, asked: dict[str, Any], accounts: dict[UUID, dict[str, UUID]], *, at: str = ""
) -> NewHold:
    """The command of a `HoldRequest`. `accounts` as in `make_transaction`."""
    account_id = take_account(id, asked, accounts, currency=asked.get("currency"), at=at)
    return NewHold(id=id, account_id=account_id, **asked)
