"""A consumer of a real feed does each thing once, whatever it is told and whenever it is killed."""

import contextlib
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from ledger_client import Event, InsufficientFunds, Ledger, Unanswered, commands, new_id
from ledger_client.books import SqliteBook
from ledger_client.feed import CURSOR, EPOCH, Consumer
from ledger_client.resources import Transaction, User
from ledger_client.telling import EventPage
from ledger_client.testing import LedgerServer

MakeUser = Callable[..., User]


class Killed(BaseException):
    pass


class Sums(Consumer):
    """Adds up what was posted on accounts, in its own SQLite: an effect that shows each repetition."""

    def __init__(self, ledger: Ledger, path: Path, dies: Callable[[], bool] = lambda: False) -> None:
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.database.execute("CREATE TABLE IF NOT EXISTS sum (account TEXT PRIMARY KEY, cents INTEGER)")
        self.database.execute("CREATE TABLE IF NOT EXISTS name (user TEXT PRIMARY KEY, name TEXT)")
        self.dies = dies
        super().__init__(ledger, SqliteBook(self.database))

    def apply(self, event: Event) -> None:
        match event.resource:
            case User() as user:
                self.database.execute("INSERT OR REPLACE INTO name VALUES (?, ?)", [str(user.id), user.name])
            case Transaction(status="POSTED") as posted:
                self.add(posted)
        if self.dies():
            raise Killed

    def start_over(self, account: UUID, epoch: UUID, events: Iterator[Event]) -> None:
        self.database.execute("DELETE FROM sum WHERE account = ?", [str(account)])
        for event in events:
            if isinstance(posted := event.resource, Transaction) and posted.status == "POSTED":
                self.add(posted)

    def add(self, posted: Transaction) -> None:
        cents = int(posted.amount * (100 if posted.type == "DEPOSIT" else -100))
        self.database.execute(
            "INSERT INTO sum VALUES (?, ?) ON CONFLICT DO UPDATE SET cents = cents + excluded.cents",
            [str(posted.account), cents],
        )

    def read_sum(self, account: UUID) -> int | None:
        row = self.database.execute("SELECT cents FROM sum WHERE account = ?", [str(account)]).fetchone()
        return None if row is None else int(row[0])


@pytest.fixture
def make_sums(ledger: Ledger, tmp_path: Path) -> Iterator[Callable[..., Sums]]:
    """Each time another process on the same database."""
    made: list[Sums] = []

    def make(dies: Callable[[], bool] = lambda: False) -> Sums:
        made.append(Sums(ledger, tmp_path / "sums.sqlite", dies))
        return made[-1]

    yield make
    for each in made:
        each.database.close()


@pytest.fixture
def accounts(ledger: Ledger, make_ledger_user: MakeUser) -> list[UUID]:
    """Some, with money that came and went."""
    chance, accounts = random.Random(7), [make_ledger_user(funds="10.00").accounts[0].id for _ in range(3)]
    for _ in range(20):
        account, amount = chance.choice(accounts), f"{chance.randint(1, 300) / 100:.2f}"
        command = chance.choice([commands.deposit, commands.withdraw])
        with contextlib.suppress(InsufficientFunds):
            ledger.post(command(id=new_id(), account=account, amount=amount))
    return accounts


def read_all(ledger: Ledger, accounts: list[UUID]) -> list[Event]:
    return [event for account in accounts for event in ledger.read_account_events(account)]


def require_right(sums: Sums, ledger: Ledger, accounts: list[UUID]) -> None:
    for account in accounts:
        assert sums.read_sum(account) == int(ledger.get_account(account).balance * 100)


@pytest.mark.parametrize("seed", range(3))
def test_told_lost_doubled_and_out_of_order_it_does_each_thing_once(
    make_sums: Callable[..., Sums], ledger: Ledger, accounts: list[UUID], seed: int
) -> None:
    chance, events, sums = random.Random(seed), read_all(ledger, accounts), make_sums()
    last = {event.stream: event for event in events}
    told = [event for event in events if chance.random() < 0.5] + list(last.values())
    told += chance.choices(told, k=20)
    chance.shuffle(told)
    for event in told:
        sums.hear(event)
    require_right(sums, ledger, accounts)


def test_killed_at_any_moment_it_goes_on_where_it_was(
    make_sums: Callable[..., Sums], ledger: Ledger, accounts: list[UUID]
) -> None:
    chance, deaths = random.Random(3), 0
    for event in read_all(ledger, accounts):
        while True:
            try:
                make_sums(lambda: chance.random() < 0.3).hear(event)
                break
            except Killed:
                deaths += 1
    require_right(make_sums(), ledger, accounts)
    assert deaths > 5


def test_asking_goes_on_from_its_cursor(
    make_sums: Callable[..., Sums], ledger: Ledger, accounts: list[UUID], make_ledger_user: MakeUser
) -> None:
    sums = make_sums()
    while sums.pull():
        pass
    require_right(sums, ledger, accounts)
    cursor = sums.book.recall(CURSOR)
    ledger.post(commands.deposit(id=new_id(), account=accounts[0], amount="1.00"))
    make_sums().pull(wait=5)
    assert sums.book.recall(CURSOR) != cursor
    require_right(sums, ledger, accounts)


def test_events_of_users_have_no_gaps_to_be_filled(
    make_sums: Callable[..., Sums], ledger: Ledger, make_ledger_user: MakeUser
) -> None:
    petya, sums = make_ledger_user("petya"), make_sums()
    for name in ("Peter", "Pete"):
        ledger.post(commands.change_user(user=petya.id, name=name))
    cursor, events = None, list[Event]()
    while True:
        page = ledger.read_events(cursor, types=("user.created", "user.changed"))
        events += [event for event in page.events if event.stream == petya.id]
        cursor = page.cursor
        if not page.has_more:
            break
    assert [event.sequence for event in events] == [1, 2, 3]
    for event in (events[0], events[2], events[1]):
        sums.hear(event)
    row = sums.database.execute("SELECT name FROM name WHERE user = ?", [str(petya.id)]).fetchone()
    assert row == ("Pete",)


def test_an_event_that_the_ledger_does_not_show_is_to_be_told_again(
    make_sums: Callable[..., Sums], ledger: Ledger, accounts: list[UUID]
) -> None:
    [*_, last] = read_all(ledger, accounts[:1])
    sums = make_sums()
    with pytest.raises(Unanswered, match="does not show"):
        sums.hear(Event(**{**vars(last), "sequence": last.sequence + 2}))


def test_after_a_new_epoch_every_account_is_read_anew(
    make_sums: Callable[..., Sums], ledger: Ledger, ledger_server: LedgerServer, accounts: list[UUID]
) -> None:
    sums = make_sums()
    while sums.pull():
        pass
    [*_, late] = read_all(ledger, accounts)
    # As after a restore: the consumer knows of money that the ledger has not, and of an account that is gone.
    sums.database.execute("UPDATE sum SET cents = cents + 1")
    gone = new_id()
    sums.database.execute("INSERT INTO sum VALUES (?, 7)", [str(gone)])
    place = sums.book.get_place(accounts[0])
    assert place is not None
    with sums.book.transaction():
        sums.book.keep_place(gone, place)
    ledger_server.run("new_feed_epoch", "--force")
    assert sums.pull()
    assert sums.book.recall(EPOCH) == str(ledger.read_epoch()) != str(late.epoch)
    assert sums.book.recall(CURSOR) is None
    require_right(sums, ledger, accounts)
    assert sums.read_sum(gone) is None
    sums.hear(late)
    require_right(sums, ledger, accounts)
    while sums.pull():
        pass
    require_right(sums, ledger, accounts)


def test_a_page_of_the_feed_is_read(ledger: Ledger, accounts: list[UUID]) -> None:
    page = ledger.read_events(account=accounts[0], limit=2)
    assert isinstance(page, EventPage)
    assert [event.sequence for event in page.events] == [1, 2]
    assert page.has_more
