"""The items of a list as commands, and what is wrong with those that cannot be."""

import json
from typing import Any
from uuid import UUID

from accounts.errors import HoldNotFound
from accounts.models import Account, Hold
from ledger.errors import LedgerError
from rest.errors import FieldError, InvalidRequest, PermissionMissing
from rest.viewsets import Request
from transactions.errors import TransactionNotFound
from transactions.models import Transaction, derive_item_id
from transactions.posting import ROWS_MAX
from transactions.posting.commands import Command, NewClaim, NewHold, Release
from transactions.reading import queries
from transactions.rest.captures import find_destination_users, make_capture
from transactions.rest.hold_views import make_hold
from transactions.rest.lists.filters import VIEW
from transactions.rest.requests import COMMANDS
from transactions.rest.views import SENT_AS, find_users, make_reversal, make_transaction, make_transfer

MOVE = "transactions.add_transaction"
PERMISSIONS = {
    "transaction": MOVE,
    "transfer": MOVE,
    "hold": "accounts.add_hold",
    "capture": MOVE,
    "release": "accounts.change_hold",
    "reversal": MOVE,
    "claim": "accounts.claim_account",
}
SPACES = {"hold": "hold", "claim": "claim"}  # of ids, by the kind of command; all others have one
VIEW_HOLD = "accounts.view_hold"
NAMES_OF_USERS = [user for user, _ in SENT_AS.values()]


class Items:
    """What was sent, by its place in the list.

    `asked` are the items as they were read, of one that is malformed as it came: what a repetition is
    compared by. Raises `PermissionMissing` for a command that the caller may not give, `InvalidRequest` for
    an id that stands twice and for too many rows.
    """

    def __init__(self, request: Request, batch_id: UUID, sent: list[Any]) -> None:
        self.request = request
        self.batch_id = batch_id
        self.asked: list[Any] = list(sent)
        self.commands: dict[int, Command] = {}
        self.refusals: dict[int, InvalidRequest | LedgerError] = {}
        self.users: dict[UUID, dict[str, UUID]] = {}  # in place of accounts, by commands' ids
        read: dict[int, tuple[str, dict[str, Any]]] = {}
        for place, item in enumerate(sent):
            try:
                read[place] = kind, fields = COMMANDS.read_item(item, point(place))
            except InvalidRequest as error:
                self.refusals[place] = error
                self.asked[place] = json.dumps(item, sort_keys=True)  # it may have texts that are none
            else:
                self.asked[place] = [kind, dict(fields)]
        for kind in dict.fromkeys([kind for kind, _ in read.values()]):
            if not request.may(PERMISSIONS[kind]):
                raise PermissionMissing(PERMISSIONS[kind])
        self._require_different_ids(read)
        self._look_up([fields for _, fields in read.values()])
        for place, (kind, fields) in read.items():
            try:
                self.commands[place] = self._make(place, kind, fields)
            except (InvalidRequest, LedgerError) as error:
                self.refusals[place] = error
        if sum([len(command.needs.rows) or 1 for command in self.commands.values()]) > ROWS_MAX:
            detail = f"The list comes to more than {ROWS_MAX} rows; a transfer is two."
            raise InvalidRequest(FieldError("/commands", "batch_too_large", detail))

    def _require_different_ids(self, read: dict[int, tuple[str, dict[str, Any]]]) -> None:
        """Holds, claims and transactions have each their own."""
        seen: dict[tuple[str, UUID], int] = {}
        for place, (kind, fields) in read.items():
            id = fields.get("id")
            if id is not None and (first := seen.setdefault((SPACES.get(kind, ""), id), place)) != place:
                detail = f"The item {first} of the list has the same id."
                raise InvalidRequest(FieldError(f"{point(place)}/id", "duplicate_id", detail))

    def _look_up(self, every: list[dict[str, Any]]) -> None:
        """What the items name, as far as the caller sees it: one query for each kind of thing."""
        users = {fields[name] for fields in every for name in NAMES_OF_USERS if name in fields}
        users.update([user for fields in every for user in find_destination_users(fields)])
        self.accounts = queries.find_account_ids(Account.objects.all(), users) if users else {}
        named = {fields["hold"] for fields in every if isinstance(fields.get("hold"), UUID)}
        holds = Hold.objects.filter(id__in=named) if named else ()
        if named and not self.request.may(VIEW_HOLD):
            holds = Hold.objects.filter(id__in=named, account__user=self.request.user.pk)
        self.holds = {hold.id: hold.account_id for hold in holds}
        self.currencies = self._find_currencies(every)
        named = {fields["transaction"] for fields in every if "transaction" in fields}
        rows = Transaction.objects.all()
        if not self.request.may(VIEW):
            rows = rows.filter(account__user=self.request.user.pk)
        self.rows = queries.find_wholes(rows, named) if named else {}

    def _find_currencies(self, every: list[dict[str, Any]]) -> dict[UUID, str]:
        """Of the accounts whose holds may be captured into those of users."""
        if not any(True for fields in every for _ in find_destination_users(fields)):
            return {}
        ids = {*self.holds.values(), *(fields["account"] for fields in every if "account" in fields)}
        ids.update(id for main in self.accounts.values() for id in main.values())
        return dict(Account.objects.filter(id__in=ids).values_list("id", "currency"))

    def _make(self, place: int, kind: str, fields: dict[str, Any]) -> Command:
        id, at = fields.pop("id", None), point(place)
        if id is None:
            id = derive_item_id(self.batch_id, place)
        if kind == "transaction":
            if "user" in fields:
                self.users[id] = find_users(fields)
            return make_transaction(id, fields, self.accounts, at=at)
        if kind == "transfer":
            self.users[id] = find_users(fields)
            return make_transfer(id, fields, self.accounts, at=at)
        if kind == "hold":
            self.users[id] = find_users(fields)
            return make_hold(id, fields, self.accounts, at=at)
        if kind == "claim":
            return NewClaim(id=id, account_id=fields.pop("account"), **fields)
        if kind == "reversal":
            named = fields.pop("transaction")
            if named not in self.rows:
                raise TransactionNotFound(queries.NO_TRANSACTION)
            return make_reversal(self.request, id, self.rows[named], named, fields, at=at)
        hold_id, account_id = self._find_hold(place, fields.pop("hold"))
        if kind == "capture":
            currency = self.currencies.get(account_id)
            self.users[id] = find_users(fields)
            return make_capture(
                id, fields, self.accounts, hold_id=hold_id, account_id=account_id, currency=currency, at=at
            )
        return Release(hold_id=hold_id, account_id=account_id, **fields)

    def _find_hold(self, place: int, named: UUID | int) -> tuple[UUID, UUID]:
        """The hold that a capture or a release is of, and its account."""
        if isinstance(named, UUID):
            if named not in self.holds:
                raise HoldNotFound("There is no such hold.")
            return named, self.holds[named]
        command = self.commands.get(named)
        if not isinstance(command, NewHold):  # one that comes later is not made yet either
            detail = f"No hold is placed by item {named} before this one."
            raise InvalidRequest(FieldError(f"{point(place)}/hold", "item_unknown", detail))
        return command.id, command.account_id


def point(place: int) -> str:
    return f"/commands/{place}"
