"""An account over HTTP: its rules, changed under the lock that postings take; its balances and statements."""

import json
from collections.abc import Iterator
from functools import partial
from itertools import chain, islice
from typing import Any
from uuid import UUID

import orjson
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.response import Response

from accounts.errors import AccountNotFound
from accounts.models import MAIN, Account
from accounts.rest.serializers import (
    AccountChanges,
    LimitsRequest,
    ReasonRequest,
)
from accounts.rest.views import AccountViewSet, show
from rest.answers import Answer, ask, wait_for
from rest.errors import FieldError, InvalidRequest
from rest.serializers import read_if_match
from rest.viewsets import ApiViewSet, Request
from transactions import reading
from transactions.exchange import exports
from transactions.posting.commands import (
    SetLimits,
    SetMetadata,
    SetStatus,
)
from transactions.reading import queries, statements
from transactions.rest import account_schema, requests, serializers
from transactions.rest.views import post

VIEW = "accounts.view_account"
MOMENTS = {"at", "known_at"}  # with none of them it is the current balance, which is one row read
PIECES_AT_ONCE = 1000  # a statement of fewer lines is one body, a longer one is streamed


@account_schema.describe_rules
class RuleViewSet(AccountViewSet):
    """What an account may do, changed under the lock that postings take."""

    permissions = {
        "partial_update": "accounts.change_account",
        "limits": "accounts.limit_account",
        "freeze": "accounts.freeze_account",
        "unfreeze": "accounts.freeze_account",
        "close": "accounts.close_account",
    }
    request_serializers = {
        "partial_update": AccountChanges,
        "limits": LimitsRequest,
        "freeze": ReasonRequest,
        "unfreeze": ReasonRequest,
        "close": ReasonRequest,
    }

    def partial_update(self, request: Request, pk: object) -> Response:
        """Replace the metadata. What is so already is answered as it is, whatever `If-Match` says."""
        if_match = read_if_match(request)
        command = SetMetadata(account_id=self.get_object().pk, if_match=if_match, **request.asked)
        return show(post(request, command).account)

    def limits(self, request: Request, pk: object) -> Response:
        """Set what is sent: how far the balance may go below zero, and what withdrawals may take."""
        limits = request.asked
        others = {name: limits.pop(name) for name in ("reason", "expected_sequence") if name in limits}
        command = SetLimits(account_id=self.get_object().pk, limits=limits, **others)
        return Response(post(request, command).account.to_dict())

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
        command = SetStatus(account_id=self.get_object().pk, status=status, **request.asked)
        return Response(post(request, command).account.to_dict())


@account_schema.describe_balances
class BalanceViewSet(ApiViewSet[Account]):
    """What an account holds, now and at any moment, and what moved on it."""

    request_serializers = {
        "of_account": requests.BalanceQuery,
        "of_user": requests.UserBalanceQuery,
        "statement": requests.StatementQuery,
    }
    serializer_class = serializers.BalanceSerializer

    def get_queryset(self) -> QuerySet[Account]:
        return self.narrow_to_own(Account.objects.all(), permission=VIEW, owner="user")

    def of_account(self, request: Request, pk: UUID) -> HttpResponse:
        """The balance of an account. An answer for a named moment stays true for ever."""
        if request.asked.keys() & MOMENTS:
            return self._answer_of_then(pk, request.asked)
        balance = wait_for(reading.share(reading.read_current_balances, pk))
        if balance is None or not request.may_see(balance.user_id, VIEW):
            raise AccountNotFound("There is no such account.")
        return Answer(balance.to_json())

    def of_user(self, request: Request, pk: UUID) -> HttpResponse:
        """The balance of a user's account: the only one of that name, or the one in `currency`."""
        asked = request.asked
        currency, name = asked.get("currency"), asked.get("account", MAIN)
        found = request.may_see(pk, VIEW) and wait_for(
            reading.share(reading.read_balances_of_users, (pk, name))
        )
        balances = found or {}
        ids = {code: balance.account_id for code, balance in balances.items()}
        if not ids and name != MAIN and self._has_main_account(pk):
            raise AccountNotFound("The user has no account of this name.").about("account")
        account_id = queries.choose_account_id(ids, currency)
        if asked.keys() & MOMENTS:
            return self._answer_of_then(account_id, asked)
        [balance] = [each for each in balances.values() if each.account_id == account_id]
        return Answer(balance.to_json())

    def _has_main_account(self, user_id: UUID) -> bool:
        """Whether it is a user, and one that the caller sees."""
        may_see = self.request.may_see(user_id, VIEW)
        return may_see and bool(wait_for(reading.share(reading.read_balances_of_users, (user_id, MAIN))))

    def _answer_of_then(self, account_id: UUID, asked: dict[str, Any]) -> Answer:
        at, known_at = asked.get("at"), asked.get("known_at")
        found = wait_for(reading.share(reading.read_balances_at, (account_id, at, known_at)))
        if found is None or not self.request.may_see(found[0].user_id, VIEW):
            raise AccountNotFound("There is no such account.")
        balance, is_settled = found
        if not is_settled:
            balance = ask(partial(reading.read_balance_at, account_id, at=at, known_at=known_at))
        return Answer(orjson.dumps(balance.to_dict()))

    def statement(self, request: Request, pk: UUID) -> HttpResponse | StreamingHttpResponse:
        """The posted transactions effective on those days, in order. `Accept: text/csv` gives a table."""
        asked = request.asked
        if asked["from"] > asked["to"]:
            raise InvalidRequest(FieldError("?to", "invalid_parameter", "The last day is before the first."))
        statement = statements.read_statement(
            self.get_queryset().filter(id=pk),
            first_day=asked["from"],
            last_day=asked["to"],
            zone=asked.get("tz"),
        )
        if request._request.get_preferred_type(["application/json", "text/csv"]) == "text/csv":
            response = _respond(exports.write_statement(statement), "text/csv; charset=utf-8")
            name = f"statement-{statement.opening.account_id}-{statement.first_day}-{statement.last_day}.csv"
            response["Content-Disposition"] = f'attachment; filename="{name}"'
        else:
            response = _respond(_write_json(statement), "application/json")
        response["Vary"] = "Accept"
        return response


def _respond(pieces: Iterator[str], content_type: str) -> HttpResponse | StreamingHttpResponse:
    first = list(islice(pieces, PIECES_AT_ONCE))
    if len(first) < PIECES_AT_ONCE:
        return HttpResponse("".join(first), content_type=content_type)
    return StreamingHttpResponse(chain(first, pieces), content_type=content_type)


def _write_json(statement: statements.Statement) -> Iterator[str]:
    yield json.dumps(statement.as_opening()).removesuffix("}") + ', "lines": ['
    between = ""
    for line in statement.read_lines():
        yield between + json.dumps(line)
        between = ", "
    yield "], " + json.dumps(statement.as_closing()).removeprefix("{")
