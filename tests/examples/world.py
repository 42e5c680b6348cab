"""A small world for the engine to hear of, and what the ledger itself says of it at every commit."""

import json
from decimal import Decimal

from ledger_client import Event
from ledger_client.wire import read

from accounts.models import Account, Hold
from events import feed
from events.delivery import channels
from examples.ad_engine.funds import AMOUNT, OF
from ledger.callers import Caller
from tests import asking
from tests.asking import capture_of
from tests.cast import AccountFactory, deposit, hold, withdraw
from transactions import posting
from transactions.posting.commands import Remaining, SetMetadata

AMOUNTS = ["1.00", "2.00", "3.00", "5.00"]
CHANGES = (
    ["deposit"] * 3
    + ["withdraw"] * 4
    + ["hold"] * 3
    + ["capture"] * 4
    + ["release", "status", "limits", "metadata"]
)


def open_campaign(account=None):
    """An account with the threshold that the engine listens for."""
    account = account or AccountFactory()
    asking.set_threshold(account, AMOUNT, OF)
    return account


class World:
    """`due`: of each account, the effects that its commits call for, each with its sequence numbers."""

    def __init__(self, chance, accounts=3):
        self.chance = chance
        self.seen = {open_campaign().id: (0, False) for _ in range(accounts)}
        self.due = {str(id): [] for id in self.seen}
        for id in self.seen:
            self.note(id)

    def change(self, times=1):
        for _ in range(times):
            account = Account.objects.with_held_due().get(id=self.chance.choice(list(self.seen)))
            amount = self.chance.choice(AMOUNTS)
            most = str(max(account.available, Decimal(1)))
            match self.chance.choice(CHANGES):
                case "deposit":
                    deposit(account, amount)
                case "withdraw":
                    withdraw(account, self.chance.choice([amount, most]))
                case "hold":
                    hold(account, self.chance.choice([amount, most]))
                case "capture":
                    self.capture(account, Decimal(amount))
                case "release":
                    for each in Hold.objects.filter(account=account, status="OPEN")[:1]:
                        asking.release_hold(id=each.id)
                case "status":
                    set_status = asking.unfreeze if account.status == "FROZEN" else asking.freeze
                    set_status(id=account.id, reason="chance", request_id="test")
                case "limits":
                    limit = max(Decimal(amount) - 2, account.held - account.balance, Decimal(0))
                    asking.set_limits(id=account.id, limits={"credit_limit": limit}, request_id="test")
                case "metadata":
                    asking.ask(
                        SetMetadata(account_id=account.id, metadata={"at": str(account.event_sequence)})
                    )
            self.note(account.id)

    def capture(self, account, amount):
        for each in Hold.objects.filter(account=account, status="OPEN")[:1]:
            asked = self.chance.choice([Remaining.ALL, min(amount, each.remaining)])
            order = capture_of(each, asked, final=self.chance.random() < 0.5)
            posting.post([order], caller=Caller(account.user_id))

    def note(self, id):
        account = Account.objects.with_held_due().get(id=id)
        sequence, could = self.seen[id]
        may = account.status == "ACTIVE" and account.available > 0
        if may != could:
            self.due[str(id)].append(
                (range(sequence + 1, account.event_sequence + 1), "start" if may else "stop")
            )
        self.seen[id] = (account.event_sequence, may)

    def require_heard(self, engine):
        """Every campaign is what the ledger says, and every effect that was due has happened once."""
        for id, (sequence, may) in self.seen.items():
            account = Account.objects.with_held_due().get(id=id)
            campaign = engine.read_campaign(id)
            assert (read_place(engine, id), campaign.is_running) == (sequence, may)
            assert campaign.funds.is_enough == (account.available > 0)
            effects, due = read_effects(engine, id), self.due[str(id)]
            assert [action for _, action in effects] == [action for _, action in due]
            assert all(at in span for (at, _), (span, _) in zip(effects, due, strict=True))


def read_events():
    """The whole feed, as it comes over the wire."""
    events, cursor, has_more = [], None, True
    while has_more:
        page = feed.read(cursor)
        events += [read(Event, json.loads(channels.make_body(event))) for event in page.events]
        cursor, has_more = page.cursor, page.has_more
    return events


def tell(engine, events=None):
    """These events, or the whole feed."""
    for event in read_events() if events is None else events:
        engine.hear(event)


def read_effects(engine, account_id):
    query = "SELECT account_sequence, action FROM effect WHERE account = ? ORDER BY id"
    return engine.database.execute(query, [str(account_id)]).fetchall()


def is_running(engine, account_id):
    return engine.read_campaign(account_id).is_running


def read_place(engine, account_id):
    """The last event of the account that it has heard."""
    place = engine.book.get_place(account_id)
    return place.sequence if place else 0
