"""Transactions and transfers over HTTP; and how any command of a caller is posted and answered."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast
from uuid import UUID

import django_filters
import orjson
from django.db.models import QuerySet
from django.http import Http404, HttpResponse

from accounts.errors import AccountNotFound, UserNotFound
from accounts.idempotency import require_identity
from accounts.models import Account, Claim
from ledger.errors import LedgerError
from rest.answers import Answer, ask, mark, wait_for
from rest.errors import FieldError, InvalidRequest, PermissionMissing, send_problem
from rest.lists import ChoiceFilter, InstantFilter, KeysetPagination, TextFilter, UUIDFilter
from rest.serializers import read_query
from rest.viewsets import Request, ResourceViewSet
from transactions import errors, posting, reading
from transactions.models import Transaction, derive_destination_id
from transactions.posting import Answers, PostingRequest, PostingResult
from transactions.posting.commands import ClaimedReversal, Command, NewTransaction, Reversal, Transfer
from transactions.reading import queries
from transactions.rest import requests, schema, serializers
from transactions.rest.requests import find_users, name_as_asked, point_to_account
from transactions.rest.results import (
    add_collected,
    answer_dry_run,
    describe_decline,
    describe_result,
    hide,
    respond_claim,
    show_transfer,
    write_parts,
    write_transfer,
)

VIEW, CLAIM = "transactions.view_transaction", "accounts.claim_account"


class TransactionFilter(django_filters.FilterSet):
    """`…_after` is later than the moment, `…_before` up to and including it; a date is the end of its day."""

    account = UUIDFilter(field_name="account_id")
    user = UUIDFilter(field_name="account__user_id")
    type = ChoiceFilter(choices=Transaction.Type.choices)
    status = ChoiceFilter(choices=Transaction.Status.choices)
    reference = TextFilter()
    transfer = UUIDFilter()
    batch = UUIDFilter()
    recorded_after = InstantFilter(field_name="recorded_at", lookup_expr="gt")
    recorded_before = InstantFilter(field_name="recorded_at", lookup_expr="lte")
    effective_after = InstantFilter(field_name="effective_at", lookup_expr="gt")
    effective_before = InstantFilter(field_name="effective_at", lookup_expr="lte")


class TransactionPagination(KeysetPagination):
    ordering = "recorded_at"


@schema.describe_transactions
class TransactionViewSet(ResourceViewSet[Transaction]):
    """The movements of money. A posting goes through `posting.post` and nothing else."""

    permissions = {"create": "transactions.add_transaction", "reverse": "transactions.add_transaction"}
    request_serializers = {
        "create": requests.TransactionRequest,
        "reverse": requests.ReversalRequest,
    }
    dry_runs: ClassVar[tuple[str, ...]] = ("create", "reverse")
    serializer_class = serializers.TransactionSerializer
    filterset_class = TransactionFilter
    pagination_class = TransactionPagination

    def get_queryset(self) -> QuerySet[Transaction]:
        return self.narrow_to_own(
            queries.with_resources(Transaction.objects.all()), permission=VIEW, owner="account__user"
        )

    def create(self, request: Request) -> Answer:
        """Post a deposit or a withdrawal, exactly once. A decline is recorded and answered again too."""
        id, asked = take_identity(request), request.asked
        user_id = asked.get("user")
        accounts = ask(queries.find_account_ids, Account.objects.all(), [user_id]) if user_id else {}
        command = make_transaction(id, asked, accounts)
        try:
            return respond(request, post(request, command))
        except LedgerError as error:
            if user_id is not None:
                name_as_asked(error, {"account": user_id})
            raise

    def list(self, request: Request) -> HttpResponse:
        """Transactions, newest first by `recorded_at`."""
        found = self.filter_queryset(self.get_queryset()).values_list("id", "recorded_at", named=True)
        page = self.paginate_queryset(found) or []
        rows = reading.get_transactions([key.id for key in page])
        return self.get_paginated_response([orjson.Fragment(rows[key.id].as_json) for key in page])

    def retrieve(self, request: Request, pk: UUID) -> Answer:
        """One transaction, posted or declined."""
        read_query(request, {})
        row = wait_for(reading.share(reading.get_transactions, pk))
        if row is None or not request.may_see(row.user_id, VIEW):
            raise Http404
        return Answer(row.as_json)

    def reverse(self, request: Request, pk: UUID) -> Answer:
        """Take back a transaction, all that is left of it or a part; of a transfer both legs, as one."""
        id = take_identity(request)
        rows = queries.find_whole(self.get_queryset(), pk)
        command = make_reversal(request, id, rows, pk, request.asked)
        return respond(request, post(request, command))


@schema.describe_transfers
class TransferViewSet(TransactionViewSet):
    """Money from one account to another: a WITHDRAW and a DEPOSIT, posted together or not at all."""

    request_serializers = {"create": requests.TransferRequest}
    dry_runs = ("create",)
    serializer_class = serializers.TransferSerializer  # type: ignore[assignment]

    def create(self, request: Request) -> Answer:
        """Transfer, exactly once. Declined, it is answered with the reason of the culprit leg."""
        id, asked = take_identity(request), request.asked
        users = find_users(asked)
        accounts = ask(queries.find_account_ids, Account.objects.all(), users.values()) if users else {}
        command = make_transfer(id, asked, accounts)
        try:
            return respond(request, post(request, command))
        except LedgerError as error:
            name_as_asked(error, users)
            raise

    def retrieve(self, request: Request, pk: UUID) -> Answer:
        """Both legs, posted or declined; of somebody else's a holder sees what was moved."""
        found = self.filter_queryset(queries.with_resources(Transaction.objects.filter(transfer=pk)))
        rows = sorted(found, key=lambda row: row.type, reverse=True)
        seen = [request.may_see(row.user_id, VIEW) for row in rows]
        if not any(seen):
            raise errors.TransactionNotFound(queries.NO_TRANSACTION)
        legs = [row.as_json if is_seen else hide(row) for row, is_seen in zip(rows, seen, strict=True)]
        return Answer(write_transfer(pk, *legs))


def take_identity(request: Request) -> UUID:
    """Take the id out of what a command asked, or derive it from the Idempotency-Key.

    Raises `IdentityRequired`, `TwoIdentities` and `IdempotencyKeyInvalid`.
    """
    id: UUID | None = request.asked.pop("id", None)
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if id is None or key is not None:
        return require_identity(caller_id=request.user.pk, id=id, key=key)
    return id


def make_transaction(
    id: UUID, asked: dict[str, Any], accounts: dict[UUID, dict[str, UUID]], *, at: str = ""
) -> NewTransaction:
    """The command of a `TransactionRequest`. `accounts`: the main ones of the users named, by currency."""
    if "account" in asked and "user" not in asked:
        account_id = asked.pop("account")
    else:
        account_id = take_account(id, asked, accounts, currency=asked.get("currency"), at=at)
    return NewTransaction(id=id, account_id=account_id, **asked)


def make_transfer(
    id: UUID, asked: dict[str, Any], accounts: dict[UUID, dict[str, UUID]], *, at: str = ""
) -> Transfer:
    """The command of a `TransferRequest`. `accounts` as in `make_transaction`."""
    currency = asked.get("currency")
    if "destination_amount" not in asked and currency is not None:
        asked.setdefault("destination_currency", currency)
    source_id = take_account(id, asked, accounts, "source", "source_user", currency=currency, at=at)
    destination_id = take_account(
        derive_destination_id(id),
        asked,
        accounts,
        "destination",
        "destination_user",
        currency=asked.get("destination_currency"),
        at=at,
    )
    return Transfer(id=id, source_id=source_id, destination_id=destination_id, **asked)


def make_reversal(
    request: Request, id: UUID, rows: Sequence[Transaction], of: UUID, asked: dict[str, Any], *, at: str = ""
) -> Reversal | ClaimedReversal:
    """The command of a `ReversalRequest` about the row `of`. Raises `PermissionMissing` for a claim that the
    caller may not open."""
    if not asked.pop("claim", False):
        return Reversal(id=id, rows=rows, transaction_id=of, **asked)
    for name in ("effective_at", "expected_version"):
        if name in asked:
            raise InvalidRequest(FieldError(f"{at}/{name}", "conflicting_fields", "Not of a claim."))
    if not request.may(CLAIM):
        raise PermissionMissing(CLAIM)
    return ClaimedReversal(id=id, rows=rows, **asked)


def take_account(
    id: UUID,
    asked: dict[str, Any],
    accounts: dict[UUID, dict[str, UUID]],
    name: str = "account",
    name_of_user: str = "user",
    *,
    currency: str | None,
    at: str,
) -> UUID:
    """Take out of what the command `id` asked the account, or the user whose main account is meant."""
    user_id, account_id = asked.pop(name_of_user, None), asked.pop(name, None)
    if (account_id is None) == (user_id is None):
        code = "required" if user_id is None else "conflicting_fields"
        raise InvalidRequest(FieldError(f"{at}/{name}", code, "Name an account or a user."))
    if account_id is None:
        try:
            account_id = ask(queries.choose_account_id, accounts.get(user_id, {}), currency, id)
        except UserNotFound as error:
            raise error.about(name_of_user) from None
    return cast(UUID, account_id)


def post(request: Request, command: Command) -> PostingResult:
    """Post the command for who asks, and wait for what it made. Raises `LedgerError`."""
    try:
        [answer] = post_list(request, (command,))
    except AccountNotFound as error:
        if error.account_id != request.parser_context["kwargs"].get("pk"):  # it is not that of the address
            point_to_account(error, command)
        raise
    return cast(PostingResult, answer)


def post_list(request: Request, commands: Sequence[Command], **how: Any) -> Answers:
    """As `post`, of several; `how` is as in `PostingRequest`. Every command over HTTP comes this way.

    Raises `TokenBound` for what is beyond the bounds of the token, if it has any; then nothing is posted. A
    dry run is decided and not posted; the request then keeps, as `rehearsed`, what that was.
    """
    bounds = getattr(request.auth, "bounds", None)
    if bounds is not None:
        ask(posting.require_within, bounds, commands)
    asked = PostingRequest(commands=commands, caller=request.caller, **how)
    if request.is_dry_run:
        rehearsed = request.rehearsed = ask(posting.rehearse, asked)
        return rehearsed.answers
    return wait_for(posting.share(asked))


def respond(request: Request, result: PostingResult, *, are_parts: bool = False) -> Answer:
    """201 with the transaction, the transfer, or the transfers that `are_parts` of a capture, or the problem
    that its decline is; a replay says so."""
    if isinstance(result.made[0], Claim):
        return respond_claim(request, result)
    rows = cast(Sequence[Transaction], result.made)
    collected = result.collected
    if result.replayed:
        collected = ask(queries.find_collections, rows[0].id, rows)
    if request.is_dry_run:
        told = [describe_result(request, result, are_parts=are_parts)]
        return answer_dry_run(request, told, replayed=result.replayed, collected=collected)
    row = next((row for row in rows if row.decline_reason not in (None, errors.TRANSFER_DECLINED)), rows[0])
    if row.decline_reason:
        answer = send_problem(describe_decline(request, row))
    else:
        body, kind = row.as_json, "transactions"
        if are_parts:
            body = write_parts(row.id, rows)
        elif len(rows) > 1:
            body, kind = show_transfer(rows), "transfers"
        answer = Answer(add_collected(body, collected) if collected else body, status=201)
        answer.headers._store["location"] = ("Location", f"/api/v1/{kind}/{row.id_text}")
    answer.log_facts = {
        "transaction_id": str(row.id),
        "outcome": "replayed" if result.replayed else row.decline_reason or "posted",
    }
    return mark(answer, replayed=result.replayed)
