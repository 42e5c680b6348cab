"""The rules of an account over HTTP: its limits, and whether money may leave it or move at all."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Account
from accounts.rest.serializers import LimitsRequest, ReasonRequest
from accounts.rest.views import AccountViewSet
from transactions.posting.commands import SetLimits, SetStatus
from transactions.rest import schema
from transactions.rest.views import post


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
