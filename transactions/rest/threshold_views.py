"""The thresholds of an account over HTTP: set and removed under the lock that postings take."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.response import Response

from accounts.errors import AccountNotFound
from accounts.models import Account, Threshold
from accounts.rest import schema
from accounts.rest.serializers import ThresholdRequest, ThresholdSerializer
from rest.answers import mark
from rest.viewsets import Request, ResourceViewSet
from transactions.posting.commands import RemoveThreshold, SetThreshold
from transactions.rest.views import post

VIEW = "accounts.view_account"
MANAGE = "accounts.manage_thresholds"


@schema.describe_thresholds
class ThresholdViewSet(ResourceViewSet[Threshold]):
    """Amounts of an account: that its balance, or what it has available, falls below one is told, and that it
    rises to it again."""

    permissions = {"create": MANAGE, "destroy": MANAGE}
    request_serializers = {"create": ThresholdRequest}
    serializer_class = ThresholdSerializer

    def get_queryset(self) -> QuerySet[Threshold]:
        return self.narrow_to_own(
            Threshold.objects.select_related("account"), permission=VIEW, owner="account__user"
        )

    def list(self, request: Request, pk: Any = None) -> Any:
        """Those of the account, newest first."""
        account_id = self._find_account(pk)
        rows = self.filter_queryset(self.get_queryset().filter(account=account_id))
        return self.get_paginated_response([each.to_dict() for each in self.paginate_queryset(rows) or []])

    def create(self, request: Request, pk: UUID) -> Response:
        """Be told from now on. Amount and `of` identify it: repeated, it answers with the same one."""
        command = SetThreshold(account_id=self._find_account(pk), **request.asked)
        threshold = post(request, command).threshold
        answer = Response(threshold.to_dict(), status=201)
        return mark(answer, replayed=threshold.id != command.threshold_id)

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Be told no more."""
        threshold = self.get_object()
        post(request, RemoveThreshold(account_id=threshold.account_id, threshold_id=threshold.id))
        return Response(status=204)

    def _find_account(self, id: UUID) -> UUID:
        """Raises `AccountNotFound`, also for what is not theirs."""
        owner_id = Account._base_manager.filter(id=id).values_list("user_id", flat=True).first()
        if owner_id is None or not self.request.may_see(owner_id, VIEW):
            raise AccountNotFound("There is no such account.")
        return id
