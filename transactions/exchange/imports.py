"""Bringing in transactions by the million: found, checked, then posted in the order of their effect.

Nothing is posted before everything is checked. A row is known again by its id, so whatever ended an import,
running it again does what is left.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db.transaction import atomic

from accounts import currencies, idempotency, operations
from accounts.errors import AccountNotFound, CurrencyRequired, ExternalIdTaken, UserNotFound
from accounts.models import Account, Is, User
from ledger.callers import ActorKind, Caller
from ledger.errors import LedgerError
from ledger.values import LastMoment
from transactions import errors, posting
from transactions.exchange.rows import Named, Problem, Row, Staged
from transactions.exchange.staging import Staging
from transactions.models import TABLE, Transaction
from transactions.posting.commands import NewTransaction, require_begun, require_scale
from transactions.reading import queries

SLICE = 500  # transactions a commit

Found = tuple[UUID, str] | LedgerError  # the account's id and currency, or why there is none
USER_COLUMNS = {"user": "id", "external_id": "external_id"}  # what names a user, by the kind of the name


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: `reason` None, it is posted; else the code of its decline or refusal."""

    line: int
    id: UUID
    replayed: bool
    late: bool = False
    reason: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


class Stopped(Exception):
    """A row could not be posted any more when it was its turn: `outcome`. Nothing of its list was written."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"line {outcome.line}: {outcome.reason}: {json.dumps(outcome.details)}")
        self.outcome = outcome


def derive_id(source: str, key: str) -> UUID:
    """The same id for the same key of the same source, for ever. A source has no NUL."""
    return idempotency.make_uuid8(b"ledger-import-1" + source.encode() + b"\x00" + key.encode())


def derive_retry_id(id: UUID) -> UUID:
    """Under which a declined row is taken up again: the same for ever, so that it is taken up once."""
    return idempotency.make_uuid8(b"ledger-import-retry-1" + id.bytes)


def find_named(wanted: Collection[Named]) -> dict[Named, Found]:
    """The accounts that are named so: `UserNotFound`, `AccountNotFound`, `CurrencyRequired` or
    `CurrencyMismatch` for what names none."""
    by_id = dict(
        Account.objects.filter(id__in=[named.who for named in wanted if named.kind == "account"]).values_list(
            "id", "currency"
        )
    )
    users = {
        (kind, str(who)): (id, external_id)
        for kind, column in USER_COLUMNS.items()
        for who, id, external_id in User.objects.filter(
            **{f"{column}__in": [named.who for named in wanted if named.kind == kind]}
        ).values_list(column, "id", "external_id")
    }
    user_ids = [id for id, _ in users.values()]
    by_name = {
        name: queries.find_account_ids(Account.objects.all(), user_ids, name)
        for name in {named.name for named in wanted if named.kind != "account"}
    }

    def find(named: Named) -> Found:
        if named.kind == "account":
            id = UUID(named.who)
            if id not in by_id:
                return AccountNotFound("There is no such account.")
            if named.currency not in ("", by_id[id]):
                return errors.CurrencyMismatch(f"The account is in {by_id[id]}, not in {named.currency}.")
            return id, by_id[id]
        user_id, external_id = users.get((named.kind, named.who), (None, None))
        if user_id is None:
            return UserNotFound("There is no such user.")
        if named.external_id not in ("", external_id):
            return ExternalIdTaken("The user of this id has another external_id.")
        accounts = by_name[named.name].get(user_id, {})
        try:
            id = queries.choose_account_id(accounts, named.currency or None)
        except LedgerError as error:
            return error
        return id, next(currency for currency, account_id in accounts.items() if account_id == id)

    return {named: find(named) for named in wanted}


def find_accounts(staging: Staging, *, create: bool) -> Iterator[Problem]:
    """Give the rows their accounts. Those without one are taken out; with `create`, what can be made is not
    a problem, and is missing until `make_accounts`."""
    for page in staging.read_named():
        found = find_named([place.named for place in page])
        for number, _, named, called in page:
            account = found[named]
            if isinstance(account, CurrencyRequired):
                account = _find_earlier(staging, number, named) or account
            missing = create and _can_be_made(named, called, account)
            if missing:
                account = _plan(staging, named)
            if isinstance(account, LedgerError):
                for line in staging.take_out(number):
                    yield Problem(line, account.field or named.kind, account.code, account.detail)
            else:
                staging.set_account(number, *account, missing=missing)


def _can_be_made(named: Named, called: str, account: Found) -> bool:
    """A user is made by external_id, or by id if the file says what to call them."""
    if isinstance(account, UserNotFound):
        return named.kind == "external_id" or bool(called)
    return isinstance(account, AccountNotFound) and named.kind != "account"


def _find_earlier(staging: Staging, number: int, named: Named) -> tuple[UUID, str] | None:
    """The account that such rows went to, before the user got another of the same name."""
    for ids in staging.read_ids(number):
        for row in queries.find_transactions(ids).values():
            account = row.account
            who = account.user.external_id if named.kind == "external_id" else str(account.user_id)
            if (who, account.name) == (named.who, named.name):
                return account.id, account.currency
    return None


def _plan(staging: Staging, named: Named) -> Found:
    """The account that will be made, under an id of its own until then."""
    if not named.currency and staging.names_a_currency(named):
        return CurrencyRequired("Other rows of this user name a currency: name one here too.")
    currency = named.currency or settings.DEFAULT_CURRENCY
    try:
        currencies.require_open(currency)
    except LedgerError as error:
        return error
    return idempotency.make_uuid8(repr((named.kind, named.who, currency, named.name)).encode()), currency


def check_rows(staging: Staging) -> Iterator[tuple[int, list[Problem], list[Outcome]]]:
    """Check the rows, page by page: how many there were, what is wrong with them, and what became of those
    that are in the ledger already. What is wrong or there already is not posted later.
    """
    clock = operations.read_clock()
    for page in staging.read_rows():
        before = queries.find_transactions(staged.row.id for staged in page)
        problems, outcomes = [], []
        for staged in page:
            row = staged.row
            try:
                command = _make_command(staged, clock)
            except LedgerError as error:
                problems.append(Problem(row.line, error.field or "", error.code, error.detail))
                continue
            if row.id in before:
                if differs := command.find_differences(before):
                    problems.append(
                        Problem(
                            line=row.line,
                            field="id",
                            code="idempotency_key_reused",
                            detail=f"The id or key was used before, with another {', '.join(differs)}.",
                        )
                    )
                else:
                    outcomes.append(_describe(row, before[row.id], replayed=True))
        staging.drop(problem.line for problem in problems)
        staging.set_decided(outcome.line for outcome in outcomes)
        yield len(page), problems, outcomes


def _make_command(staged: Staged, clock: datetime | None = None) -> NewTransaction:
    """Raises the refusals that the engine has for the row, whatever is on the account."""
    row = staged.row
    command = NewTransaction(id=row.id, account_id=staged.account_id, **row.sent)
    require_scale(command.amount, staged.currency)
    if clock and command.effective_at:
        require_begun(command.effective_at, clock)
    return command


def make_accounts(staging: Staging, *, caller: Caller) -> Iterator[int]:
    """Make the users and accounts that are missing, a page in a commit; yields how many."""
    for page in staging.read_named("missing"):
        with atomic():
            for number, currency, named, _ in page:
                account_id = _make_account(named, staging.find_name(named), str(currency), caller)
                staging.set_account(number, account_id, str(currency))
        yield len(page)


def _make_account(named: Named, called: str, currency: str, caller: Caller) -> UUID:
    user = User.objects.filter(**{USER_COLUMNS[named.kind]: named.who}).first()
    if user is None:
        is_by_id = named.kind == "user"
        user, _ = operations.create_user(
            id=UUID(named.who) if is_by_id else None,
            name=called or named.who,
            external_id=(named.external_id or None) if is_by_id else named.who,
            currency=currency,
            caller=caller,
        )
    account, _ = operations.create_account(user_id=user.id, currency=currency, name=named.name, caller=caller)
    return account.id


def try_rows(staging: Staging, *, caller: Caller) -> Iterator[list[Outcome]]:
    """What `post_rows` would tell if nothing else happened meanwhile. The engine decides in memory, on what
    the accounts are at one moment and would be after the rows before; nothing is written.
    """
    rehearsal = posting.Rehearsal(caller=caller)
    with posting.reading_one_moment():
        for page in staging.read_in_order(SLICE):
            currencies = {staged.account_id: staged.currency for staged in page}
            yield _describe_all(page, rehearsal.decide(list(map(_make_command, page)), currencies))


def post_rows(staging: Staging, *, caller: Caller, allow_declines: bool) -> Iterator[list[Outcome]]:
    """Post what is not in the ledger yet, an account's rows in the order of their effect.

    Unless declines are allowed, a list with a row that is declined or refused now is not posted: `Stopped`.
    """
    for page in staging.read_in_order(SLICE):
        request = posting.PostingRequest(
            commands=list(map(_make_command, page)),
            caller=caller,
            each=allow_declines,
            no_declines=not allow_declines,
        )
        rows = {staged.row.id: staged.row for staged in page}
        try:
            answers = posting.post_request(request)
        except errors.WouldDecline as error:
            raise Stopped(_describe(rows[error.row.id], cast(Transaction, error.row))) from None
        except LedgerError as error:
            if error.command is None:  # about the posting as a whole
                raise
            raise Stopped(_refuse(rows[error.command.id], error)) from None
        yield _describe_all(page, answers)


def _describe_all(page: list[Staged], answers: posting.Answers) -> list[Outcome]:
    return [
        _refuse(staged.row, answer)
        if isinstance(answer, LedgerError)
        else _describe(staged.row, answer.transaction, replayed=answer.replayed)
        for staged, answer in zip(page, answers, strict=True)
    ]


def _refuse(row: Row, error: LedgerError) -> Outcome:
    return Outcome(row.line, row.id, False, reason=error.code, details={"detail": error.detail})


def _describe(row: Row, transaction: Transaction, *, replayed: bool = False) -> Outcome:
    return Outcome(
        row.line,
        row.id,
        replayed,
        late=transaction.late,
        reason=transaction.decline_reason,
        details=transaction.decline_details or {},
    )


def read_declined(run: str) -> Iterator[Row]:
    """What an import has recorded as declined, to be posted under ids of their own: line 1 is the first."""
    declined = Transaction.objects.filter(Is("status", value="DECLINED"), request_id=run)
    declined = declined.filter(actor_kind=ActorKind.COMMAND).order_by("recorded_at", "id")
    for line, row in enumerate(declined.iterator(), start=1):
        sent = {column.sent_as: getattr(row, column.column) for column in TABLE.sent}
        asked = row.effective_at_asked
        if asked is None:
            del sent["effective_at"]
        elif asked > row.recorded_at:  # it was a day that was not over, or a clock that was ahead
            sent["effective_at"] = LastMoment.of(asked, begins_at=row.recorded_at)
        named = Named(kind="account", who=str(row.account_id))
        yield Row(line, named, derive_retry_id(row.id), sent)
