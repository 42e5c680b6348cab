"""Many commands in one request and one commit, under one id."""

from typing import Any, NoReturn
from uuid import UUID

import orjson
from django.conf import settings
from django.db.models import QuerySet

from accounts.models import Claim, Hold
from ledger.errors import LedgerError
from rest.answers import Answer, answer, ask, mark
from rest.errors import InvalidRequest, PermissionMissing, describe_refusal, make_problem
from rest.serializers import read_query
from rest.viewsets import ApiViewSet, Request
from transactions import errors, posting
from transactions.models import Batch, Transaction
from transactions.posting import Culprit, NewBatch, PostingResult, find_culprit
from transactions.reading import queries
from transactions.rest import requests, schema, serializers
from transactions.rest.batch_items import PERMISSIONS, Items, point
from transactions.rest.lists.filters import VIEW
from transactions.rest.results import answer_dry_run, describe_collection, describe_result
from transactions.rest.views import name_as_asked, post_list, take_identity

ERRORS_MAX = 100
Results = dict[int, PostingResult]  # by their place in the request


@schema.describe_batches
class BatchViewSet(ApiViewSet[Batch]):
    """Lists of commands. Atomic, all of one are posted or all declined; else each stands for itself."""

    permissions = {
        "create": tuple(dict.fromkeys(PERMISSIONS.values())),
        "reverse": "transactions.add_transaction",
    }
    request_serializers = {"create": requests.BatchRequest, "reverse": requests.BatchReversalRequest}
    dry_runs = ("create", "reverse")
    serializer_class = serializers.BatchSerializer
    body_bytes_max = settings.API_BATCH_BYTES_MAX

    def get_queryset(self) -> QuerySet[Batch]:
        return self.narrow_to_own(Batch.objects.all(), permission=VIEW, owner="actor")

    def create(self, request: Request) -> Answer:
        """Decide a list of commands in one commit, exactly once. Repeated, it replays.

        What is wrong with an item is the answer to that item, and refuses an atomic list whole, unrecorded.
        """
        id, asked = take_identity(request), request.asked
        items = Items(request, id, asked.pop("commands"))
        return List(request, NewBatch(id=id, asked=items.asked, **asked), items).post()

    def retrieve(self, request: Request, pk: UUID) -> Answer:
        """A list, and all that was made of it, in the order of recording."""
        read_query(request, {})
        batch = self._get(pk)
        rows = [orjson.Fragment(row.as_json) for row in queries.find_batch_rows(batch.id)]
        holds = [hold.to_dict() for hold in self._find_holds(batch)]
        opened = Claim.objects.select_related("account").filter(batch=batch.id)
        claims = [claim.to_dict() for claim in opened.order_by("created_at", "id")]
        return answer({**batch.to_dict(), "transactions": rows, "holds": holds, "claims": claims})

    def reverse(self, request: Request, pk: UUID) -> Answer:
        """Take back what is left of a list, all or nothing: itself a list, of what takes it back."""
        id, reason = take_identity(request), request.asked["reason"]
        batch = self._get(pk)
        holds = self._find_holds(batch)
        if holds and not request.may(PERMISSIONS["release"]):
            raise PermissionMissing(PERMISSIONS["release"])
        commands = posting.make_reversals(id, reason, queries.find_batch_rows(batch.id), holds)
        if not commands:
            raise errors.NotReversible("The list has posted nothing that can be taken back.")
        new = NewBatch(
            id=id,
            asked=["reverse"],
            atomic=True,
            metadata={"reason": reason, "reverses": str(batch.id)},
        )
        return List(request, new, Taken(commands)).post()

    def _get(self, pk: UUID) -> Batch:
        batch = self.get_queryset().filter(id=pk).first()
        if batch is None:
            raise errors.BatchNotFound("There is no such batch.")
        return batch

    def _find_holds(self, batch: Batch) -> list[Hold]:
        return list(Hold.objects.with_clock().filter(batch=batch.id).order_by("created_at", "id"))


class Taken(Items):
    """Commands that nobody has sent, since they follow from what they take back."""

    def __init__(self, commands: list[posting.Command]) -> None:
        self.commands = dict(enumerate(commands))
        self.asked = [None] * len(commands)
        self.refusals = {}
        self.users = {}


class List:
    """A list that is posted and answered."""

    def __init__(self, request: Request, batch: NewBatch, items: Items) -> None:
        self.request = request
        self.batch = batch
        self.commands, self.refusals, self.users = items.commands, items.refusals, items.users
        self.count = len(items.asked)

    def post(self) -> Answer:
        """200 with the results, whatever they are; but if nothing of an atomic list was posted, 422.

        A dry run is 200 in both cases.
        """
        if not self.batch.atomic:
            return self._respond(self._post(each=True))
        if self.refusals:
            self._refuse()
        results = self._post(all_or_nothing=True)
        culprit = find_culprit(results.values())
        if culprit is None or self.request.is_dry_run:
            return self._respond(results, culprit)
        detail = "A command of the batch was declined, and so all of it."
        extensions = {"id": str(self.batch.id), "results": self._describe(results, culprit)}
        problem = make_problem(self.request, errors.BATCH_DECLINED, detail, extensions=extensions)
        return self._mark(problem, results)

    def _post(self, **how: bool) -> Results:
        """The results of the commands; those that are refused one by one join the refusals."""
        results: Results = {}
        places = {id(command): place for place, command in self.commands.items()}
        try:
            answers = post_list(self.request, list(self.commands.values()), batch=self.batch, **how)
        except LedgerError as error:
            place = places.get(id(error.command))
            if place is None:  # about the list as a whole
                raise
            self._keep(place, error)
            self.refusals = {place: error}
            self._refuse()
        for place, result in zip(self.commands, answers, strict=True):
            if isinstance(result, LedgerError):
                self._keep(place, result)
            else:
                results[place] = result
        return results

    def _keep(self, place: int, error: LedgerError) -> None:
        command_id = self.commands[place].id
        name_as_asked(error, self.users.get(command_id, {}) if command_id else {})
        self.refusals[place] = error

    def _refuse(self) -> NoReturn:
        """Refuse the whole list: with every malformed field, or else with the first refusal of an item."""
        malformed = [error for error in self.refusals.values() if isinstance(error, InvalidRequest)]
        if malformed:
            raise InvalidRequest(*[each for error in malformed for each in error.errors][:ERRORS_MAX])
        place, refusal = next(iter(self.refusals.items()))
        if isinstance(refusal, LedgerError):
            at = point(place).removeprefix("/")
            refusal.field = f"{at}/{refusal.field}" if refusal.field else at
        raise refusal

    def _respond(self, results: Results, culprit: Culprit | None = None) -> Answer:
        described = self._describe(results, culprit)
        collected = self._find_collected(results)
        if self.request.is_dry_run:
            replayed = self._is_replay(results)
            return answer_dry_run(self.request, described, replayed=replayed, collected=collected)
        told = {"id": str(self.batch.id), "atomic": self.batch.atomic, "results": described}
        if collected:
            told["collected"] = list(map(describe_collection, collected))
        return self._mark(answer(told), results)

    def _find_collected(self, results: Results) -> list[Transaction]:
        """What was collected on the accounts of the list because of it, now or when it was decided."""
        if self._is_replay(results):
            accounts = {id for command in self.commands.values() for id in command.needs.accounts}
            found = ask(queries.find_batch_collections, self.batch.id)
            return [row for row in found if row.account_id in accounts]
        return [row for result in results.values() for row in result.collected]

    def _describe(self, results: Results, culprit: Culprit | None = None) -> list[Any]:
        """In the order of the commands; those that had nothing to do are left out."""
        told: list[Any] = []
        for place in range(self.count):
            if place in self.refusals:
                problem = describe_refusal(self.request, self.refusals[place], at=point(place))
                told.append({"status": problem["status"], "problem": problem})
                continue
            is_placed = self.commands[place].needs.hold is not None
            result = describe_result(
                self.request,
                results[place],
                is_placed=is_placed,
                culprit=culprit,
                are_parts=bool(getattr(self.commands[place], "destinations", ())),
            )
            if result:
                told.append(result)
        return told

    def _mark(self, response: Answer, results: Results) -> Answer:
        return mark(response, replayed=self._is_replay(results))

    def _is_replay(self, results: Results) -> bool:
        """Whether every result is one and nothing was refused."""
        are_replays = [result.replayed for result in results.values()]
        return bool(are_replays) and not self.refusals and all(are_replays)
