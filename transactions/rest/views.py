"""Transactions and transfers over HTTP; and how any command of a caller is posted and answered."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast
from uuid import UUID

import orjson
from django.db.models import QuerySet
from django.http import Http404, HttpResponse

from accounts.idempotency import require_identity
from accounts.models import Account, Claim
from ledger.errors import LedgerError
from rest.answers import Answer, ask, mark, wait_for
from rest.errors import FieldError, InvalidRequest, PermissionMissing, send_problem
from rest.serializers import read_query
from rest.viewsets import Request, ResourceViewSet
from transactions import errors, posting, reading
from transactions.models import Transaction, derive_destination_id
from transactions.posting import Answers, PostingRequest, PostingResult
from transactions.posting.commands import ClaimedReversal, Command, NewTransaction, Reversal, Transfer
from transactions.reading import queries
from transactions.rest import requests, schema, serializers
from transactions.rest.lists.filters import VIEW, TransactionFilter, TransactionFilterBackend
from transactions.rest.lists.pages import SearchPagination
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

CLAIM = "accounts.claim_account"


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
    filter_backends = [TransactionFilterBackend]
    filterset_class = TransactionFilter
    pagination_class = SearchPagination

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
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
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
        """Both legs, posted or declined. Of somebody else's a holder sees what was moved, when, and on which
        account.
        """
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
        account_id = ask(queries.choose_account_id, accounts.get(user_id, {}), currency, id)
    return cast(UUID, account_id)


def post(request: Request, command: Command) -> PostingResult:
    """Post the command for who asks, and wait for what it made. Raises `LedgerError`."""
    [answer] = post_list(request, (command,))
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


# By what a command calls an account: how a user is sent instead of it, and in which currency.
SENT_AS = {
    "account": ("user", "currency"),
    "source": ("source_user", "currency"),
    "destination": ("destination_user", ""),
}


def find_users(asked: dict[str, Any]) -> dict[str, UUID]:
    """The users that are named in place of accounts, by what the accounts are called."""
    return {name: asked[user] for name, (user, _) in SENT_AS.items() if user in asked}


def name_as_asked(error: LedgerError, users: dict[str, UUID]) -> None:
    """For a request that named users: call an account that differs what was sent, a user or a currency.

    Other errors than a reused id have no `differs` and stay as they are.
    """
    owner_id, _ = error.confidential_to or (None, "")
    for account, user_id in users.items():
        if account in (differs := error.extensions.get("differs", ())):
            user, currency = SENT_AS[account]
            name = currency if currency and owner_id == user_id else user
            error.extensions["differs"] = [name, *(field for field in differs if field != account)]


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
        if are_parts:
            body = write_parts(row.id, rows)
        else:
            body = show_transfer(rows) if len(rows) > 1 else row.as_json
        answer = Answer(add_collected(body, collected) if collected else body, status=201)
    answer.log_facts = {
        "transaction_id": str(row.id),
        "outcome": "replayed" if result.replayed else row.decline_reason or "posted",
    }
    return mark(answer, replayed=result.replayed)
