"""What accounts owe, over HTTP: claims, opened, read and waived."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.response import Response

from accounts.models import Claim
from accounts.rest.serializers import ClaimRequest, ClaimSerializer, WaiveRequest
from rest.lists import ChoiceFilter, TextFilter, UUIDFilter
from rest.viewsets import Request, ResourceViewSet
from transactions.posting.commands import NewClaim, WaiveClaim
from transactions.rest import account_schema
from transactions.rest.views import post, respond, take_identity


class ClaimFilter(django_filters.FilterSet):
    account = UUIDFilter(field_name="account_id")
    user = UUIDFilter(field_name="account__user_id")
    status = ChoiceFilter(choices=Claim.Status.choices)
    destination = UUIDFilter()
    reverses = UUIDFilter()
    reference = TextFilter()
    batch = UUIDFilter()


@account_schema.describe_claims
class ClaimViewSet(ResourceViewSet[Claim]):
    """Debts: collected of whatever comes to be free on the account, the oldest first."""

    permissions = {"create": "accounts.claim_account", "waive": "accounts.waive_claim"}
    request_serializers = {"create": ClaimRequest, "waive": WaiveRequest}
    dry_runs = ("create",)
    serializer_class = ClaimSerializer
    filterset_class = ClaimFilter

    def get_queryset(self) -> QuerySet[Claim]:
        return self.narrow_to_own(
            Claim.objects.select_related("account"), permission="accounts.view_claim", owner="account__user"
        )

    def create(self, request: Request, pk: UUID) -> HttpResponse:
        """Claim an amount of an account, exactly once. What is there is collected at once."""
        id = take_identity(request)
        return respond(request, post(request, NewClaim(id=id, account_id=pk, **request.asked)))

    def waive(self, request: Request, pk: Any) -> Response:
        """Ask no more for what is left. A waived claim is answered as it is."""
        claim = self.get_object()
        command = WaiveClaim(claim_id=claim.id, account_id=claim.account_id, **request.asked)
        return Response(post(request, command).claim.to_dict())
