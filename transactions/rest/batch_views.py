"""Many transactions in one request and one commit."""

from typing import Any, NoReturn
from uuid import UUID

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.errors import IdempotencyKeyReused, IdentityRequired, TwoIdentities
from accounts.idempotency import require_identity
from accounts.models import Account
from ledger.errors import LedgerError
from rest.answers import Answer, mark
from rest.errors import (
    STATUS,
    FieldError,
    InvalidRequest,
    describe_problem,
    describe_refusal,
    make_problem,
)
from rest.middleware import get_request_id
from rest.permissions import get_caller_id
from rest.schema import ON_BODIES, answers
from rest.viewsets import ApiViewSet
from rest.waiting import wait_for
from transactions import errors, posting
from transactions.models import Transaction
from transactions.posting import PostingRequest, PostingResult
from transactions.posting.commands import NewTransaction
from transactions.reading import queries
from transactions.rest import examples, serializers
from transactions.rest.requests import describe_decline, make_transaction, name_as_asked

ERRORS_MAX = 100
Refusal = InvalidRequest | LedgerError


class BatchViewSet(ApiViewSet[Transaction]):
    """Up to 1,000 transactions. Atomic, all are posted or all declined; else each stands for itself."""

    permissions = {"create": "transactions.add_transaction"}
    serializer_class = serializers.BatchSerializer
    pagination_class = None
    body_bytes_max = 1024 * 1024

    @extend_schema(
        operation_id="transactions_batch",
        request=serializers.BatchRequest,
        examples=examples.BATCH,
        responses=answers(
            200,
            serializers.BatchSerializer,
            *ON_BODIES,
            "two_identities",
            "batch_too_large",
            "duplicate_id",
            "not_found",
            "currency_mismatch",
            "idempotency_key_reused",
            "request_in_progress",
            "batch_declined",
        ),
    )
    def create(self, request: Request) -> HttpResponse:
        """Post a batch in one commit, exactly once. Repeated whole or in part, it replays.

        What is wrong with an item is the answer to that item, and refuses an atomic batch whole, unrecorded.
        """
        asked = serializers.BatchRequest.read(request)
        if "HTTP_IDEMPOTENCY_KEY" in request.META:
            raise TwoIdentities("The transactions of a batch have ids of their own: send no Idempotency-Key.")
        batch = Batch(request, asked["transactions"])
        if asked["atomic"]:
            return batch.post_together()
        return batch.post_each()


class Batch:
    """The items of a request as commands, and what is wrong with those that cannot be."""

    def __init__(self, request: Request, items: list[Any]) -> None:
        self.request = request
        self.count = len(items)
        self.commands: dict[int, NewTransaction] = {}  # by their place in the request
        self.refusals: dict[int, Refusal] = {}
        self.users: dict[UUID, UUID] = {}  # that the items named in place of an account, by item
        self._read(items)

    def post_together(self) -> HttpResponse:
        """All are posted, or none: 422 with the results."""
        if self.refusals:
            self._refuse()
        try:
            answers = self._post(all_or_nothing=True)
        except LedgerError as error:
            places = {command.id: place for place, command in self.commands.items()}
            if error.command_id is None:  # about the posting as a whole
                raise
            self.refusals = {places[error.command_id]: self._name(error)}
            self._refuse()
        results = {
            place: answer
            for place, answer in zip(self.commands, answers, strict=True)
            if not isinstance(answer, LedgerError)
        }
        if any(answer.transaction.decline_reason for answer in results.values()):
            response: HttpResponse = make_problem(
                self.request,
                errors.BATCH_DECLINED,
                "A transaction of the batch was declined, and so all of it.",
                extensions=self._describe(results),
            )
        else:
            response = Answer(orjson.dumps(self._describe(results)))
        return self._mark(response, list(results.values()))

    def post_each(self) -> HttpResponse:
        """200 with the results, whatever they are."""
        answers = self._post(each=True)
        results: dict[int, PostingResult] = {}
        for place, answer in zip(self.commands, answers, strict=True):
            if isinstance(answer, LedgerError):
                self.refusals[place] = self._name(answer)
            else:
                results[place] = answer
        return self._mark(Answer(orjson.dumps(self._describe(results))), list(results.values()))

    def _post(self, **how: bool) -> posting.Answers:
        asked = PostingRequest(
            commands=list(self.commands.values()),
            actor=get_caller_id(self.request),
            request_id=get_request_id(self.request),
            **how,
        )
        return wait_for(posting.share(asked))

    def _read(self, items: list[Any]) -> None:
        read: dict[int, dict[str, Any]] = {}
        for place, item in enumerate(items):
            try:
                read[place] = serializers.TransactionRequest.read_item(item, _point(place))
                if "id" not in read[place]:
                    raise IdentityRequired("Each transaction of a batch has an id.")
                require_identity(caller_id=get_caller_id(self.request), id=read[place]["id"], key=None)
            except (InvalidRequest, LedgerError) as error:
                self.refusals[place] = error
        self._require_different_ids(read)
        users = {item["user"] for item in read.values() if "user" in item}
        accounts = queries.find_account_ids(Account.objects.all(), users) if users else {}
        for place, item in read.items():
            if place in self.refusals:
                continue
            if "user" in item:
                self.users[item["id"]] = item["user"]
            try:
                self.commands[place] = make_transaction(item, accounts, at=_point(place))
            except (InvalidRequest, LedgerError) as error:
                self.refusals[place] = error

    def _require_different_ids(self, read: dict[int, dict[str, Any]]) -> None:
        seen: dict[UUID, int] = {}
        for place, item in read.items():
            if "id" in item and seen.setdefault(item["id"], place) != place:
                detail = f"The transaction {seen[item['id']]} of the batch has the same id."
                raise InvalidRequest(FieldError(f"{_point(place)}/id", "duplicate_id", detail))

    def _name(self, error: LedgerError) -> LedgerError:
        if isinstance(error, IdempotencyKeyReused) and error.command_id:
            name_as_asked(error, self.users.get(error.command_id))
        return error

    def _refuse(self) -> NoReturn:
        """The batch as a whole, with everything that is wrong in it."""
        malformed = [error for error in self.refusals.values() if isinstance(error, InvalidRequest)]
        if malformed:
            found = [field_error for error in malformed for field_error in error.errors]
            raise InvalidRequest(*found[:ERRORS_MAX])
        for place, error in self.refusals.items():
            if isinstance(error, LedgerError):
                at = _point(place).removeprefix("/")
                error.field = f"{at}/{error.field}" if error.field else at
            raise error
        raise AssertionError("Nothing is wrong.")

    def _describe(self, results: dict[int, PostingResult]) -> dict[str, Any]:
        return {"results": [self._describe_one(place, results) for place in range(self.count)]}

    def _describe_one(self, place: int, results: dict[int, PostingResult]) -> dict[str, Any]:
        if place in self.refusals:
            problem = describe_refusal(self.request, self.refusals[place], at=_point(place))
            return {"status": problem["status"], "problem": problem}
        row = results[place].transaction
        if row.decline_reason is None:
            return {"status": 201, "transaction": orjson.Fragment(row.to_json())}
        detail, extensions = describe_decline(row)
        problem = describe_problem(self.request, row.decline_reason, detail, extensions=extensions)
        return {"status": STATUS[row.decline_reason], "problem": problem}

    def _mark(self, response: HttpResponse, answers: list[PostingResult]) -> HttpResponse:
        """As a replay, when there was nothing new in it."""
        replayed = bool(answers) and not self.refusals and all(answer.replayed for answer in answers)
        return mark(response, replayed=replayed)


def _point(place: int) -> str:
    return f"/transactions/{place}"
