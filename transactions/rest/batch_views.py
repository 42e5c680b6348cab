"""Many transactions in one request and one commit."""

from typing import Any, NoReturn
from uuid import UUID

import orjson
from django.conf import settings

from accounts.errors import IdentityRequired, TwoIdentities
from accounts.models import Account
from ledger.errors import LedgerError
from rest.answers import Answer, answer, mark
from rest.errors import FieldError, InvalidRequest, describe_refusal, make_problem
from rest.viewsets import ApiViewSet, Request
from transactions import errors
from transactions.models import Transaction
from transactions.posting import PostingResult
from transactions.posting.commands import NewTransaction
from transactions.reading import queries
from transactions.rest import schema, serializers
from transactions.rest.views import describe_decline, make_transaction, name_as_asked, post_list

ERRORS_MAX = 100
Results = dict[int, PostingResult]  # by their place in the request


@schema.describe_batches
class BatchViewSet(ApiViewSet[Transaction]):
    """Up to 1,000 transactions. Atomic, all are posted or all declined; else each stands for itself."""

    permissions = {"create": "transactions.add_transaction"}
    request_serializers = {"create": serializers.BatchRequest}
    serializer_class = serializers.BatchSerializer
    body_bytes_max = settings.API_BATCH_BYTES_MAX

    def create(self, request: Request) -> Answer:
        """Post a batch in one commit, exactly once. Repeated whole or in part, it replays.

        What is wrong with an item is the answer to that item, and refuses an atomic batch whole, unrecorded.
        """
        if "HTTP_IDEMPOTENCY_KEY" in request.META:
            raise TwoIdentities("The transactions of a batch have ids of their own: send no Idempotency-Key.")
        batch = Batch(request, request.asked["transactions"])
        return batch.post_together() if request.asked["atomic"] else batch.post_each()


class Batch:
    """The items of a request as commands, and what is wrong with those that cannot be."""

    def __init__(self, request: Request, items: list[Any]) -> None:
        self.request = request
        self.count = len(items)
        self.commands: dict[int, NewTransaction] = {}  # by their place in the request
        self.refusals: dict[int, InvalidRequest | LedgerError] = {}
        read: dict[int, dict[str, Any]] = {}
        for place, item in enumerate(items):
            try:
                read[place] = serializers.TransactionRequest.read(item, _point(place))
                if "id" not in read[place]:
                    raise IdentityRequired("Each transaction of a batch has an id.")
            except (InvalidRequest, LedgerError) as error:
                self.refusals[place] = error
        self._require_different_ids(read)
        # By the ids of the items: whom they named in place of an account.
        self.users: dict[UUID | None, UUID] = {
            item["id"]: item["user"] for item in read.values() if {"id", "user"} <= item.keys()
        }
        named = self.users.values()
        accounts = queries.find_account_ids(Account.objects.all(), set(named)) if named else {}
        for place in [place for place in read if place not in self.refusals]:
            try:
                id = read[place].pop("id")
                self.commands[place] = make_transaction(id, read[place], accounts, at=_point(place))
            except (InvalidRequest, LedgerError) as error:
                self.refusals[place] = error

    def post_together(self) -> Answer:
        """All are posted, or none: 422 with the results."""
        if self.refusals:
            self._refuse()
        results = self._post(all_or_nothing=True)
        if not any(result.transaction.decline_reason for result in results.values()):
            return self._respond(results)
        detail = "A transaction of the batch was declined, and so all of it."
        extensions = self._describe(results)
        problem = make_problem(self.request, errors.BATCH_DECLINED, detail, extensions=extensions)
        return self._mark(problem, results)

    def post_each(self) -> Answer:
        """200 with the results, whatever they are."""
        return self._respond(self._post(each=True))

    def _post(self, **how: bool) -> Results:
        """The results of the commands; those that are refused one by one join the refusals."""
        results: Results = {}
        try:
            answers = post_list(self.request, list(self.commands.values()), **how)
        except LedgerError as error:
            if error.command_id is None:  # about the posting as a whole
                raise
            places = {command.id: place for place, command in self.commands.items()}
            name_as_asked(error, self.users.get(error.command_id))
            self.refusals = {places[error.command_id]: error}
            self._refuse()
        for place, result in zip(self.commands, answers, strict=True):
            if isinstance(result, LedgerError):
                name_as_asked(result, self.users.get(result.command_id))
                self.refusals[place] = result
            else:
                results[place] = result
        return results

    def _require_different_ids(self, read: dict[int, dict[str, Any]]) -> None:
        seen: dict[UUID, int] = {}
        for place, item in read.items():
            if "id" in item and seen.setdefault(item["id"], place) != place:
                detail = f"The transaction {seen[item['id']]} of the batch has the same id."
                raise InvalidRequest(FieldError(f"{_point(place)}/id", "duplicate_id", detail))

    def _refuse(self) -> NoReturn:
        """Refuse the whole batch: with every malformed field, or else with the first refusal of an item."""
        malformed = [error for error in self.refusals.values() if isinstance(error, InvalidRequest)]
        if malformed:
            raise InvalidRequest(*[each for error in malformed for each in error.errors][:ERRORS_MAX])
        place, refusal = next(iter(self.refusals.items()))
        if isinstance(refusal, LedgerError):
            at = _point(place).removeprefix("/")
            refusal.field = f"{at}/{refusal.field}" if refusal.field else at
        raise refusal

    def _respond(self, results: Results) -> Answer:
        return self._mark(answer(self._describe(results)), results)

    def _describe(self, results: Results) -> dict[str, Any]:
        return {"results": [self._describe_one(place, results) for place in range(self.count)]}

    def _describe_one(self, place: int, results: Results) -> dict[str, Any]:
        if place in self.refusals:
            problem = describe_refusal(self.request, self.refusals[place], at=_point(place))
        else:
            row = results[place].transaction
            if row.decline_reason is None:
                return {"status": 201, "transaction": orjson.Fragment(row.as_json)}
            problem = describe_decline(self.request, row)
        return {"status": problem["status"], "problem": problem}

    def _mark(self, response: Answer, results: Results) -> Answer:
        """Marked as a replay if every result is one and nothing was refused."""
        are_replays = [result.replayed for result in results.values()]
        return mark(response, replayed=bool(are_replays) and not self.refusals and all(are_replays))


def _point(place: int) -> str:
    return f"/transactions/{place}"
