"""A request as a command, and what it made as its answer: what the views of all money commands share."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import orjson
from django.http import HttpResponse
from rest_framework.request import Request

from accounts.errors import IdempotencyKeyReused
from rest import log
from rest.answers import Answer, mark
from rest.errors import FieldError, InvalidRequest, make_problem
from rest.middleware import get_request_id
from rest.permissions import get_caller_id
from rest.waiting import ask, wait_for
from transactions import errors, posting
from transactions.models import Transaction
from transactions.posting import PostingRequest, PostingResult
from transactions.posting.commands import Command, NewTransaction
from transactions.reading import queries


def make_transaction(
    asked: dict[str, Any], accounts: dict[UUID, dict[str, UUID]], *, at: str = ""
) -> NewTransaction:
    """The command of a `TransactionRequest`. `accounts`: the main ones of the users named, by currency."""
    user_id, account_id = asked.pop("user", None), asked.pop("account", None)
    if (account_id is None) == (user_id is None):
        code = "required" if user_id is None else "conflicting_fields"
        raise InvalidRequest(FieldError(f"{at}/account", code, "Name an account or a user."))
    if account_id is None:
        account_id = ask(
            queries.choose_account_id, accounts.get(user_id, {}), asked.get("currency"), asked["id"]
        )
    return NewTransaction(account_id=account_id, **asked)


def post(request: Request, command: Command) -> PostingResult:
    """Post for the caller."""
    asked = PostingRequest(
        commands=(command,), actor=get_caller_id(request), request_id=get_request_id(request)
    )
    [answer] = wait_for(posting.share(asked))
    return cast(PostingResult, answer)


def name_as_asked(error: IdempotencyKeyReused, user_id: UUID | None) -> None:
    """What differs in the words of a request that named a user in place of an account."""
    differs = error.extensions["differs"]
    if user_id is not None and "account" in differs:
        owner_id, _ = error.confidential_to or (None, "")
        name = "currency" if owner_id == user_id else "user"
        error.extensions["differs"] = [name, *(field for field in differs if field != "account")]


def respond(request: Request, result: PostingResult) -> HttpResponse:
    """201 with the transaction or transfer, or the problem that its decline is; a replay says so."""
    rows = result.transactions
    declined = [row for row in rows if row.decline_reason]
    row = next((row for row in declined if row.decline_reason != errors.TRANSFER_DECLINED), rows[0])
    outcome = "replayed" if result.replayed else row.decline_reason or "posted"
    log.note(transaction_id=str(row.id), outcome=outcome)
    response: HttpResponse
    if row.decline_reason:
        detail, extensions = describe_decline(row)
        response = make_problem(request, row.decline_reason, detail, extensions=extensions)
    else:
        response = Answer(show_transfer(rows) if len(rows) > 1 else row.to_json(), status=201)
    return mark(response, replayed=result.replayed)


def describe_decline(row: Transaction) -> tuple[str, dict[str, Any]]:
    """What a declined row tells people, and the extensions of its problem."""
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
            "source": orjson.Fragment(source.to_json()),
            "destination": orjson.Fragment(destination.to_json()),
        }
    )
