"""Hearing of each event and acting on it once, whatever comes twice, late, in another order, or not at all.

The ledger tells at least once. What makes an effect happen once is that its place, the `epoch` and
`sequence` of its stream, is kept in the same transaction of your database as the effect.
"""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import RLock
from typing import NoReturn, Protocol
from uuid import UUID

from ledger_client.ledger import Ledger
from ledger_client.problems import HistoryChanged, Unanswered
from ledger_client.telling import Event

EPOCH, CURSOR = "epoch", "cursor"
WAIT_SECONDS = 10
PAUSE_SECONDS = 1.0
logger = logging.getLogger("ledger_client")


@dataclass(frozen=True)
class Place:
    """Up to where a stream has been heard: the history and the sequence in it."""

    epoch: UUID
    sequence: int
    is_account: bool  # else the stream is a user's


class Book(Protocol):
    """Where places are kept: in the database that has your effects. `books.SqliteBook` is one."""

    def transaction(self) -> AbstractContextManager[object]:
        """What is done in it is committed together or not at all, and nobody else changes places
        meanwhile."""

    def get_place(self, stream: UUID) -> Place | None: ...

    def keep_place(self, stream: UUID, place: Place) -> None:
        """In the transaction that is open."""

    def find_accounts(self) -> list[UUID]:
        """The streams of accounts that have a place."""

    def recall(self, name: str) -> str | None: ...

    def remember(self, **notes: str | None) -> None:
        """All of them, committed."""


class Consumer(ABC):
    """Say what an event does (`apply`) and what to do when a history was lost (`start_over`); then have it
    told by `run`, which asks the feed, by your receiver of webhooks or from a queue: `hear(event)`, by all
    of them at once too. Listen to all types of events: what is filtered out looks like a gap.

    One process of it per book; threads may share it.
    """

    def __init__(self, ledger: Ledger, book: Book) -> None:
        self.ledger, self.book = ledger, book
        self.lock = RLock()

    @abstractmethod
    def apply(self, event: Event) -> None:
        """The stream's next event. In a transaction of the book: what you write there is committed with its
        place. Of a type that you do not know, do nothing."""

    @abstractmethod
    def start_over(self, account: UUID, epoch: UUID, events: Iterator[Event]) -> None:
        """After a restore: these are all events of the account, from its first on. Compute what should be,
        and correct the difference to what is. There are none of an account that is gone. In a
        transaction."""

    def run(self) -> NoReturn:
        """Ask the feed for ever. Raises a `Refused`, if the ledger does not want to answer."""
        while True:
            try:
                self.pull(wait=WAIT_SECONDS)
            except Unanswered as unanswered:
                logger.warning("%s", unanswered)
                time.sleep(max(PAUSE_SECONDS, unanswered.retry_after))

    def pull(self, *, wait: int = 0) -> bool:
        """Hear a page of the feed from where the book is; whether there is more.

        The cursor is kept after the events: whoever is killed hears some again, and knows them by their
        sequence. Raises `Unanswered` and `Refused`.
        """
        try:
            page = self.ledger.read_events(self.book.recall(CURSOR), wait=wait)
        except HistoryChanged:
            self.begin_again(self.ledger.read_epoch())  # and without a cursor, from the oldest event kept
            return True
        for event in page.events:
            self.hear(event)
        self.book.remember(**{CURSOR: page.cursor})
        return page.has_more

    def hear(self, event: Event) -> None:
        """Returns when the event, and all that was missing before it, is applied and committed: answer 2xx,
        or acknowledge, now. Raises `Unanswered` (have it told again later) and `Refused`."""
        with self.lock:
            if str(event.epoch) != self.book.recall(EPOCH):
                self.look_for_a_new_epoch()
            stuck_after = None
            while (last := self._take(event)) is not None:
                if last == stuck_after:
                    self.look_for_a_new_epoch()
                    if str(event.epoch) == self.book.recall(EPOCH):
                        raise Unanswered(f"The ledger does not show the event that it sent: {event.id}.")
                    return
                for missing in self.ledger.read_account_events(event.stream, last):
                    self.hear(missing)
                stuck_after = last

    def look_for_a_new_epoch(self) -> None:
        """An event of another epoch is of a history that has begun, or late from one that has ended."""
        with self.lock:
            epoch = self.ledger.read_epoch()
            if epoch is not None and str(epoch) != self.book.recall(EPOCH):
                self.begin_again(epoch)

    def begin_again(self, epoch: UUID | None) -> None:
        """The history that the book knows may have lost its end: read every account anew.

        Killed in the middle, it is done again, as the epoch is kept last.
        """
        with self.lock:
            if epoch is None:
                raise Unanswered("The ledger has no events at all.")
            accounts = self.book.find_accounts()
            for account in accounts:
                self._read_anew(account, epoch)
            self.book.remember(**{EPOCH: str(epoch), CURSOR: None})
            logger.info("epoch %s: %d accounts were read anew", epoch, len(accounts))

    def _take(self, event: Event) -> int | None:
        """Apply the event if it is the next of its stream. Some are missing: those after the answer."""
        with self.book.transaction():
            epoch, sequence, is_account = self.book.recall(EPOCH), 0, event.account is not None
            place = self.book.get_place(event.stream)
            if place is not None and (is_account or str(place.epoch) == epoch):
                epoch, sequence = str(place.epoch), place.sequence
            if str(event.epoch) != epoch or event.sequence <= sequence:
                return None
            if event.sequence > sequence + 1 and is_account:  # an event of a user has all of the user
                return sequence
            self.apply(event)
            self.book.keep_place(event.stream, Place(event.epoch, event.sequence, is_account))
        return None

    def _read_anew(self, account: UUID, epoch: UUID) -> None:
        # The feed cannot tell an account that is gone from one whose events were pruned.
        events = self.ledger.read_account_events(account) if self.ledger.has_account(account) else iter(())
        counted = Counted(events, epoch)
        with self.book.transaction():
            self.start_over(account, epoch, counted)
            for _ in counted:  # whatever was left
                pass
            self.book.keep_place(account, Place(epoch, counted.sequence, is_account=True))


class Counted(Iterator[Event]):
    """The events of an account, from its first one on. Raises `Unanswered` if they are not without a gap."""

    def __init__(self, events: Iterator[Event], epoch: UUID) -> None:
        self.events, self.epoch, self.sequence = events, epoch, 0

    def __next__(self) -> Event:
        event = next(self.events)
        if (event.epoch, event.sequence) != (self.epoch, self.sequence + 1):
            raise Unanswered(f"Its history has changed again, or has a gap: {event.id}.")
        self.sequence += 1
        return event
