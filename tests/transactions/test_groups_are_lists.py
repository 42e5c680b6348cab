"""Group commit changes no result: a history posted in groups is that posted one request after the other."""

import json
import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid5

import pytest

from accounts.models import Account
from events.models import Event
from ledger.callers import Caller
from ledger.errors import LedgerError
from tests import asking
from tests.asking import capture_of
from tests.cast import AccountFactory, OrderFactory, day, deposit, hold, hold_that_expires, new_id
from tests.transactions.committing import find_outcome, wait_for_all, watch_groups
from tests.transactions.test_concurrency import require_chain, rows_of
from tests.transactions.told import read_events
from transactions import posting
from transactions.models import Transaction
from transactions.posting import PostingRequest, committer
from transactions.posting.commands import (
    NewHold,
    NewTransaction,
    Remaining,
    Reversal,
    Transfer,
)

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS, GROUP_MAX = 15, 12
ACTOR = UUID(int=1)
MOMENTS = [None, None, None, day("2023-01-10"), day("2023-01-20")]
SKIPPED = {"recorded_at", "effective_at", "chain_hash"}  # times, and what they are part of


class World:
    """Accounts and holds of its own, and a history by chance: two worlds of one seed ask for the same."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.space = new_id()
        self.names = {}  # of all ids
        self.accounts = [AccountFactory() for _ in range(4)]
        self.holds = []
        for number, account in enumerate(self.accounts):
            deposit(account, "100", effective_at=day("2023-01-01"))
            self.holds.append(hold(account, "15"))
            self.names |= {account.id: f"account {number}", self.holds[-1].id: f"hold {number}"}
        asking.set_limits(id=self.accounts[0].id, limits={"withdraw_day_max": Decimal(150)}, request_id="")
        self.asked, self.outcomes = [], []

    def make_id(self, name):
        id = uuid5(self.space, name)
        self.names[id] = name
        return id

    def make_one(self, name):
        chance = self.chance
        return NewTransaction(
            id=self.make_id(name),
            account_id=chance.choice(self.accounts).id,
            type=chance.choice(list(Transaction.Type)),
            amount=Decimal(chance.randint(1, 60)),
            effective_at=chance.choice(MOMENTS),
            currency=chance.choice([None] * 9 + ["EUR"]),
            expected_version=self.expect(),
        )

    def expect(self):
        """A version that an account may be at, or none."""
        return self.chance.choice([None] * 12 + list(range(1, 7)))

    def make_command(self, name):
        """Of one kind or another."""
        chance, id = self.chance, self.make_id(name)
        kind = chance.choice(["one", "one", "one", "transfer", "transfer", "capture", "reversal", "reversal"])
        if kind == "transfer":
            source, destination = chance.sample(self.accounts, 2)
            ids = {"id": id, "source_id": source.id, "destination_id": destination.id}
            ids |= {"expected_version": self.expect(), "expected_destination_version": self.expect()}
            return self.name_legs(name, Transfer(amount=Decimal(chance.randint(1, 90)), **ids))
        if kind == "capture":
            amount = chance.choice([Remaining.ALL, Decimal(2), Decimal(16)])
            asked = {"final": chance.random() < 0.3, "expected_version": self.expect()}
            return capture_of(chance.choice(self.holds), amount, id=id, **asked)
        if kind == "reversal" and (posted := self.find_posted()):
            row = chance.choice(posted)
            legs = (
                Transaction.objects.filter(transfer=row.transfer).order_by("-type") if row.transfer else [row]
            )
            asked = {"reason": "wrong", "rows": list(legs), "expected_version": self.expect()}
            return self.name_legs(name, Reversal(id=id, **asked))
        return self.make_one(name)

    def name_legs(self, name, command):
        for number, leg in enumerate(command.legs):
            self.names[leg.id] = f"{name}, leg {number}"
        return command

    def find_posted(self):
        rows = Transaction.objects.filter(id__in=self.names, status="POSTED", reverses=None)
        return sorted(rows, key=lambda row: self.names[row.id])

    def make_request(self, name):
        chance = self.chance
        how = chance.choice([{}, {"all_or_nothing": True}, {"each": True}])
        commands = [self.make_command(f"{name}.{n}") for n in range(chance.choice([1, 1, 1, 2, 4]))]
        return PostingRequest(commands=commands, caller=Caller(ACTOR, request_id=name), **how)

    def make_round(self, number):
        """New requests, and some that were asked for before, as they were or not."""
        chance = self.chance
        requests = [self.make_request(f"{number}.{n}") for n in range(chance.randint(1, GROUP_MAX))]
        again = chance.sample(self.asked, min(len(self.asked), chance.randint(0, 2)))
        self.asked += requests
        if again and len(again[0].commands) == 1 and chance.random() < 0.5:
            [command] = again[0].commands
            if isinstance(command, NewTransaction):
                again[0] = replace(again[0], commands=[replace(command, reference="another")])
        requests += again
        chance.shuffle(requests)
        return requests

    def post_in_a_group(self, requests):
        futures = [committer._prompt.ask(request) for request in requests]
        committer.start()
        wait_for_all(futures)
        committer.stop()
        self.outcomes += [self.describe(find_outcome(future)) for future in futures]

    def post_in_turn(self, requests):
        for request in requests:
            self.outcomes.append(self.describe(find_outcome(posting.share(request))))

    def describe(self, outcome):
        if isinstance(outcome, LedgerError):
            return type(outcome).__name__, outcome.command and self.names[outcome.command.id]
        assert isinstance(outcome, list), outcome
        return [
            self.describe(answer)
            if isinstance(answer, LedgerError)
            else [(self.names[row.id], answer.replayed, row.decline_reason) for row in answer.transactions]
            for answer in outcome
        ]

    def rename(self, value):
        """The value as text, with names for ids."""
        text = json.dumps(value, default=str, sort_keys=True)
        for id, name in self.names.items():
            text = text.replace(str(id), name)
        return text

    def tell_all(self):
        """All that is stored, but for times."""
        for account in self.accounts:
            require_chain(rows_of(account))
            for row in rows_of(account):
                if row.request_id == "test":
                    continue  # the first one, whose id the cast has made
                (row.decline_details or {}).pop("instant", None)
                yield self.rename({k: v for k, v in vars(row).items() if k[0] != "_" and k not in SKIPPED})
            for event in read_events(stream=account.id):
                yield f"{event.type} {event.request_id} {self.names.get(UUID(event.data['id']))}"
            stored = Account.objects.get(id=account.id)
            yield f"{stored.balance} {stored.held} {stored.version} {stored.withdrawn}"
        for placed in self.holds:
            placed.refresh_from_db()
            yield f"{placed.captured} {placed.status}"


@pytest.mark.parametrize("seed", range(4))
def test_a_history_posted_in_groups_is_that_posted_one_after_the_other(seed, monkeypatch):
    groups = watch_groups(monkeypatch)
    grouped, alone = World(seed), World(seed)
    for number in range(ROUNDS):
        requests = grouped.make_round(number)
        grouped.post_in_a_group(requests)
        assert groups[-1] == requests
        alone.post_in_turn(alone.make_round(number))
    assert grouped.outcomes == alone.outcomes
    assert list(grouped.tell_all()) == list(alone.tell_all())
    reasons = Counter(row.decline_reason for account in grouped.accounts for row in rows_of(account))
    assert len(reasons) > 3  # it was not all of a kind


@pytest.mark.parametrize("kind", [NewTransaction, NewHold])
def test_what_is_sent_again_in_a_list_ends_no_hold_of_its_account(rich, kind):
    type = {"type": Transaction.Type.DEPOSIT} if kind is NewTransaction else {}
    before = kind(id=new_id(), account_id=rich.id, amount=Decimal(1), **type)
    posting.post([before], caller=Caller(rich.user_id))
    hold_that_expires(rich, "1")
    posting.post([before, OrderFactory(account=AccountFactory())], caller=Caller(rich.user_id))
    assert not Event.objects.filter(type="hold.expired").exists()
