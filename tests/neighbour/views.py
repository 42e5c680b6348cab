from decimal import Decimal
from uuid import UUID

from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, JsonResponse

from accounts.models import Account
from ledger.callers import Caller
from tests.neighbour.buying import buy
from transactions.errors import Declined


@non_atomic_requests
def buy_view(request: HttpRequest, order: UUID) -> JsonResponse:
    account = Account.objects.get(id=request.POST["account"])
    caller = Caller(account.user_id, "holder", request_id=str(order))
    try:
        purchase = buy(order, account, Decimal(request.POST["price"]), request.POST["title"], caller)
    except Declined as declined:
        return JsonResponse({"code": declined.code, **declined.extensions}, status=402)
    return JsonResponse({"title": purchase.title})
