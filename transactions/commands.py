"""A request as orders, and postings as its answer: what the views of all money commands share."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from rest_framework.request import Request

from events.errors import LedgerError
from rest import log
from rest.answers import Answer
from rest.errors import FieldError, InvalidRequest, make_problem
from rest.middleware import get_request_id
from rest.permissions import get_caller_id, has_right
from rest.replays import mark
from rest.waiting import ask, wait_for
from transactions import errors, posting, queries
from transactions.models import Transaction
from transactions.orders import Order, PostingRequest


def make_order(asked: dict[str, Any], accounts: dict[UUID, dict[str, UUID]], *, at: str = "") -> Order:
    """The order of a `TransactionRequest`. `accounts`: the main ones of the users named, by currency."""
    user_id, account_id = asked.pop("user", None), asked.pop("account", None)
    if (account_id is None) == (user_id is None):
        code = "required" if user_id is None else "conflicting_fields"
        raise InvalidRequest(FieldError(f"{at}/account", code, "Name an account or a user."))
    if account_id is None:
        account_id = ask(
            queries.choose_account_id, accounts.get(user_id, {}), asked.get("currency"), asked["id"]
        )
    return Order(account_id=account_id, **asked)


def post(
    request: Request,
    orders: Sequence[Order],
    *,
    user_id: UUID | None = None,
    words: Mapping[str, str] | None = None,
) -> list[posting.Posting]:
    """Post for the caller. `user_id` is the user that the request named in place of an account.

    `words` are the request's own for parts of the order.
    """
    try:
        asked = PostingRequest(
            orders=orders, actor=get_caller_id(request), request_id=get_request_id(request)
        )
        answers = wait_for(posting.share(asked))
    except errors.IdempotencyKeyReused as error:
        error.differs = [(words or {}).get(name, name) for name in error.differs]
        tell_who_may_see(request, error, user_id)
        raise
    return [answer for answer in answers if not isinstance(answer, LedgerError)]


def tell_who_may_see(request: Request, error: errors.IdempotencyKeyReused, user_id: UUID | None) -> None:
    """What differs is for those who may see the stored row, in the words of their own request."""
    before = error.transaction.account
    may_see = has_right(request, "transactions.view_transaction")
    if not may_see and before.user_id != get_caller_id(request):
        error.particulars = {}
        return
    if user_id is not None and "account" in error.differs:
        name = "currency" if before.user_id == user_id else "user"
        error.differs = [name, *(field for field in error.differs if field != "account")]
    error.particulars = {"differs": error.differs}


def respond(request: Request, *answers: posting.Posting) -> HttpResponse:
    """201 with the transaction or transfer, or the problem that its decline is; a replay says so."""
    rows = [answer.transaction for answer in answers]
    declined = [row for row in rows if row.decline_reason]
    row = next((row for row in declined if row.decline_reason != errors.TRANSFER_DECLINED), rows[0])
    replayed = all(answer.replayed for answer in answers)
    outcome = "replayed" if replayed else row.decline_reason or "posted"
    log.note(transaction_id=str(row.id), outcome=outcome)
    response: HttpResponse
    if row.decline_reason:
        detail, particulars = describe_decline(row)
        response = make_problem(request, row.decline_reason, detail, particulars=particulars)
    else:
        response = Answer(show_transfer(rows) if len(rows) > 1 else row.as_json(), status=201)
    return mark(response, replayed=replayed)


def describe_decline(row: Transaction) -> tuple[str, dict[str, Any]]:
    """What a declined row tells people, and the particulars of its problem."""
    belongs = {"transfer": str(row.transfer)} if row.transfer else {}
    return errors.DECLINES[row.decline_reason or ""], {
        "id": str(row.id),
        **belongs,
        **(row.decline_details or {}),
    }


def show_transfer(rows: Sequence[Transaction]) -> bytes:
    """The two legs as JSON, source first."""
    source, destination = rows
    return orjson.dumps(
        {
            "id": str(source.transfer),
            "source": orjson.Fragment(source.as_json()),
            "destination": orjson.Fragment(destination.as_json()),
        }
    )
