"""Balances and statements over HTTP."""

import json
from collections.abc import Iterator
from functools import partial
from itertools import chain, islice
from typing import Any
from uuid import UUID

import orjson
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.request import Request

from accounts.errors import AccountNotFound
from accounts.models import MAIN, Account
from rest.answers import Answer
from rest.errors import FieldError, InvalidRequest
from rest.permissions import may_see, narrow_to_own
from rest.viewsets import ApiViewSet
from rest.waiting import ask, wait_for
from transactions import reading
from transactions.exchange import exports
from transactions.reading import queries, statements
from transactions.rest import schema, serializers

VIEW = "accounts.view_account"
MOMENTS = {"at", "known_at"}  # with none of them it is the current balance, which is one row read
NO_STORE = {"Cache-Control": "no-store"}
PIECES_AT_ONCE = 1000  # a statement of fewer lines is one body, a longer one is streamed


@schema.describe_balances
class BalanceViewSet(ApiViewSet[Account]):
    """What an account holds, now and at any moment, and what moved on it."""

    serializer_class = serializers.BalanceSerializer

    def get_queryset(self) -> QuerySet[Account]:
        return narrow_to_own(Account.objects.all(), self.request, permission=VIEW, owner="user")

    def of_account(self, request: Request, pk: UUID) -> HttpResponse:
        """The balance of an account. An answer for a named moment stays true for ever."""
        asked = serializers.BalanceQuery.read_query(request)
        if asked.keys() & MOMENTS:
            return self._answer_of_then(pk, asked)
        balance = wait_for(reading.share(reading.read_current_balances, pk))
        if balance is None or not may_see(request, balance.user_id, VIEW):
            raise AccountNotFound("There is no such account.")
        return Answer(balance.to_json(), headers=NO_STORE)

    def of_user(self, request: Request, pk: UUID) -> HttpResponse:
        """The balance of a user's account: the only one of that name, or the one in `currency`."""
        asked = serializers.UserBalanceQuery.read_query(request)
        currency, name = asked.get("currency"), asked.get("account", MAIN)
        is_seen = may_see(request, pk, VIEW)
        balances = (is_seen and wait_for(reading.share(reading.read_balances_of_users, (pk, name)))) or {}
        ids = {code: balance.account_id for code, balance in balances.items()}
        account_id = queries.choose_account_id(ids, currency)
        if asked.keys() & MOMENTS:
            return self._answer_of_then(account_id, asked)
        [balance] = [each for each in balances.values() if each.account_id == account_id]
        return Answer(balance.to_json(), headers=NO_STORE)

    def _answer_of_then(self, account_id: UUID, asked: dict[str, Any]) -> Answer:
        at, known_at = asked.get("at"), asked.get("known_at")
        found = wait_for(reading.share(reading.read_balances_at, (account_id, at, known_at)))
        if found is None or not may_see(self.request, found[0].user_id, VIEW):
            raise AccountNotFound("There is no such account.")
        balance, is_settled = found
        if not is_settled:
            balance = ask(partial(reading.read_balance_at, account_id, at=at, known_at=known_at))
        return Answer(orjson.dumps(balance.to_dict()), headers=NO_STORE)

    def statement(self, request: Request, pk: UUID) -> HttpResponse | StreamingHttpResponse:
        """The posted transactions effective on those days, in order. `Accept: text/csv` gives a table."""
        asked = serializers.StatementQuery.read_query(request)
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
        response["Cache-Control"] = "no-store"
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
