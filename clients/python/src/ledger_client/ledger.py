"""The ledger: what it is told by commands, and what it is asked."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Self
from uuid import UUID

import httpx2

from ledger_client.commands import Command
from ledger_client.pages import Pages
from ledger_client.problems import NotFound
from ledger_client.resources import (
    Account,
    Balance,
    Batch,
    Claim,
    Hold,
    Me,
    SeenTransfer,
    Statement,
    Threshold,
    Transaction,
    User,
)
from ledger_client.sending import Sender, Token
from ledger_client.subscriptions import Subscriptions
from ledger_client.telling import Event, EventPage
from ledger_client.wire import Id, Json, Moment, R, read, write, write_body

PATIENCE = 60.0
EVENTS_MAX = 500  # of a page of the feed


class Ledger(AbstractContextManager["Ledger"]):
    """One ledger, as one token sees it. Threads may share it.

    Every method sends the same request until it is answered, for about `patience` seconds, and raises
    `Unanswered` or a `Refused`: see `ledger_client.problems`. `token` may be a function, which is asked for
    every try. Lists take the ledger's own filters by name: `list_transactions(account=..., status=...)`.
    """

    def __init__(
        self,
        url: str,
        token: Token,
        *,
        patience: float = PATIENCE,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.sender = Sender(url, token, patience=patience, transport=transport)
        self.subscriptions = Subscriptions(self.sender)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Its connections. Whatever is sent afterwards fails."""
        self.sender.client.close()

    def post(self, command: Command[R]) -> R:
        """Have it done, once, however often it must be sent."""
        return read(command.kind, self.send(command))

    def send(self, command: Command[Any]) -> Json:
        """As `post`; the answer as it came."""
        return self.sender.send(
            command.method,
            command.path,
            body=command.body,
            headers={"If-Match": command.etag} if command.etag else None,
            answers_id=command.body.get("id"),
        )

    def rehearse(self, command: Command[Any]) -> Json:
        """What the ledger would answer now: `results`, of each command its status and what would be made, or
        the problem. Nothing is recorded, and no id is used up."""
        return self.sender.send(command.method, command.path, query={"dry_run": "true"}, body=command.body)

    def get(self, path: str, **query: Any) -> Json:
        """Any address below `/api/v1`, for what has no method here."""
        return self._ask(path, write_body(**query))

    def who_am_i(self) -> Me:
        return read(Me, self.get("/me"))

    def get_user(self, id: Id) -> User:
        return read(User, self.get(f"/users/{id}"))

    def find_user(self, external_id: str) -> User | None:
        """By your own name of them."""
        return self.list_users(external_id=external_id).first()

    def list_users(self, **filters: Any) -> Pages[User]:
        return self._list("/users", User, filters)

    def get_user_balance(
        self,
        user: Id,
        *,
        currency: str | None = None,
        account: str | None = None,
        at: Moment | None = None,
        known_at: Moment | None = None,
        tz: str | None = None,
    ) -> Balance:
        """Of the account of that name (default: main). `at`: by what was effective then; `known_at`: by what
        the ledger knew then."""
        query = {"currency": currency, "account": account, "at": at, "known_at": known_at, "tz": tz}
        return read(Balance, self.get(f"/users/{user}/balance", **query))

    def get_account(self, id: Id) -> Account:
        return read(Account, self.get(f"/accounts/{id}"))

    def has_account(self, id: Id) -> bool:
        try:
            self.get_account(id)
        except NotFound:
            return False
        return True

    def list_accounts(self, **filters: Any) -> Pages[Account]:
        return self._list("/accounts", Account, filters)

    def get_account_balance(
        self, account: Id, *, at: Moment | None = None, known_at: Moment | None = None, tz: str | None = None
    ) -> Balance:
        return read(Balance, self.get(f"/accounts/{account}/balance", at=at, known_at=known_at, tz=tz))

    def get_statement(self, account: Id, *, from_: Moment, to: Moment, tz: str | None = None) -> Statement:
        """The days from and to inclusive, in the zone `tz`."""
        query = {"from": from_, "to": to, "tz": tz}
        return read(Statement, self.get(f"/accounts/{account}/statement", **query))

    def list_thresholds(self, account: Id) -> Pages[Threshold]:
        return self._list(f"/accounts/{account}/thresholds", Threshold, {})

    def remove_threshold(self, id: Id) -> None:
        """One that is not there is removed."""
        self.sender.delete(f"/thresholds/{id}")

    def get_transaction(self, id: Id) -> Transaction:
        return read(Transaction, self.get(f"/transactions/{id}"))

    def list_transactions(self, **filters: Any) -> Pages[Transaction]:
        return self._list("/transactions", Transaction, filters)

    def get_transfer(self, id: Id) -> SeenTransfer:
        return read(SeenTransfer, self.get(f"/transfers/{id}"))

    def get_hold(self, id: Id) -> Hold:
        return read(Hold, self.get(f"/holds/{id}"))

    def list_holds(self, **filters: Any) -> Pages[Hold]:
        return self._list("/holds", Hold, filters)

    def get_claim(self, id: Id) -> Claim:
        return read(Claim, self.get(f"/claims/{id}"))

    def list_claims(self, **filters: Any) -> Pages[Claim]:
        return self._list("/claims", Claim, filters)

    def get_batch(self, id: Id) -> Batch:
        return read(Batch, self.get(f"/batches/{id}"))

    def read_events(
        self,
        after: str | None = None,
        *,
        types: tuple[str, ...] = (),
        account: Id | None = None,
        limit: int | None = None,
        wait: int | None = None,
    ) -> EventPage:
        """A page of the feed after a cursor, oldest first. `wait`: up to 10 seconds for the first event."""
        query = {"after": after, "types": ",".join(types) or None, "account": account}
        return read(EventPage, self.get("/events", limit=limit or EVENTS_MAX, wait=wait, **query))

    def read_account_events(self, account: Id, after_sequence: int = 0) -> Iterator[Event]:
        """All events of an account after one of its own, to their present end. Raises `EventsPruned`."""
        has_more = True
        while has_more:
            json = self.get("/events", account=account, after_sequence=after_sequence, limit=EVENTS_MAX)
            page = read(EventPage, json)
            yield from page.events
            has_more = page.has_more
            if page.events:
                after_sequence = page.events[-1].sequence

    def read_epoch(self) -> UUID | None:
        """The name of the feed's present history; None if nothing has happened yet."""
        events = self.read_events(limit=1).events
        return events[0].epoch if events else None

    def _ask(self, path: str, query: Mapping[str, Any]) -> Json:
        return self.sender.send("GET", path, query=query)

    def _list(self, path: str, kind: type[R], filters: Mapping[str, Any]) -> Pages[R]:
        return Pages(self._ask, path, kind, {name: write(value) for name, value in filters.items()})
