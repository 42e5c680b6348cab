"""Rules about holds and about what an account may do."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.histories.clock import TICK, move_clock, read_clock
from tests.histories.world import (
    DERIVED,
    World,
    amounts,
    doors,
    expectations,
    limits,
    picks,
    references,
)
from tests.reference_captures import Capture
from tests.reference_commands import Placement

SPANS = [timedelta(hours=1), timedelta(hours=1), timedelta(days=1), 60 * TICK, 200 * TICK, -TICK]
lifetimes = st.none() | st.sampled_from(SPANS)
mores = st.sampled_from(["-400", "-10", "-1", "0", "0.001", "1", "10", "30", "400"]).map(Decimal)


class Holding(World):
    def __init__(self):
        super().__init__()
        self.etags = {}  # of each account: what its metadata was when it had this one

    @rule(
        over_http=doors,
        account=picks,
        amount=amounts,
        lifetime=lifetimes,
        reference=references,
        wrong=st.sampled_from([None] * 7 + ["scale"]),
        expectation=expectations,
    )
    def place_hold(self, over_http, account, amount, lifetime, reference, wrong, expectation):
        account = self.pick_account(account)
        command = self.make_placement(account, self.fit_amount(amount, account, wrong), lifetime, reference)
        command = replace(command, expected_sequence=self.expect_sequence(account.id, expectation))
        self.require_placement(self.choose_door(over_http), command)

    def make_placement(self, account, amount, lifetime, reference=""):
        return Placement(
            id=self.take_id(),
            account=account.id,
            amount=amount,
            expires_at=self.find_moment(lifetime),
            reference=reference,
            metadata={"note": reference} if reference else {},
        )

    @rule(
        over_http=doors, account=picks, ticks=st.integers(0, 6), whole=st.sampled_from([False, False, True])
    )
    def capture_at_the_last_moment(self, over_http, account, ticks, whole):
        """Of a hold that falls due while it is captured, just before, or just after."""
        account = self.pick_account(account)
        command = self.make_placement(account, Decimal(2), timedelta(hours=1))
        self.require_placement(self.inside, command)
        move_clock(command.expires_at - ticks * TICK)
        amount = None if whole else Decimal(1)
        capture = Capture(id=self.take_id(), hold=command.id, amount=amount, final=whole)
        self.ask(self.choose_door(over_http), capture)

    @precondition(lambda self: self.list_chosen_holds())
    @rule(
        old=picks,
        over_http=doors,
        change=st.sampled_from(
            [None, "account", "amount", "expires_at", "reference", "metadata", "expected_sequence"]
        ),
        account=picks,
    )
    def repeat_placement(self, old, over_http, change, account):
        command = self.pick(old, self.list_chosen_holds())
        others = {
            "account": self.pick_account(account).id,
            "amount": Decimal(8 if command.amount == 7 else 7),
            "expires_at": None if command.expires_at else read_clock() + timedelta(days=1),
            "reference": command.reference + "!",
            "metadata": {**command.metadata, "k": "v"},
            "expected_sequence": 10**6,  # which is a condition: of what is decided nobody asks it
        }
        asked = {**vars(command)} | ({change: others[change]} if change else {})
        self.let_holds_end()
        self.require_placement(self.choose_door(over_http), Placement(**asked))

    def list_chosen_holds(self):
        """As they were asked for, those with an id that was not derived from a list's."""
        return [hold.command for id, hold in self.ledger.holds.items() if id.version != DERIVED]

    def require_placement(self, door, command):
        started_at = read_clock()
        refusal = self.ledger.find_hold_refusal(command, started_at)
        known = command.id in self.ledger.holds
        answer = door.place_hold(command)
        if answer.refusal and not refusal:  # its time came while it was asked for
            refusal = self.ledger.find_hold_refusal(command, read_clock())
        assert answer.refusal == refusal
        if refusal:
            return
        assert answer.replayed == known
        if known:
            moment = read_clock()
        else:
            moment = self.read_moment(answer.resource["created_at"])
            assert started_at <= moment <= read_clock()
            assert command.expires_at is None or moment < command.expires_at
            self.ledger.place_hold(command, moment)
        assert answer.resource == self.ledger.describe_hold(command.id, moment)

    @precondition(lambda self: self.ledger.holds)
    @rule(
        hold=picks,
        over_http=doors,
        more=st.none() | mores,
        lifetime=st.just("as it is") | lifetimes,
        seen=st.none() | picks,
        expectation=expectations,
    )
    def change_hold(self, hold, over_http, more, lifetime, seen, expectation):
        """So much more or less, another end, or both; perhaps only if it is still as it was once seen."""
        id = self.pick_hold(hold).id
        hold, door = self.ledger.holds[id], self.choose_door(over_http)
        changes = {}
        if more is not None:
            account = self.ledger.accounts[hold.command.account]
            wrong = "scale" if more == Decimal("0.001") else None
            changes["amount"] = self.fit_amount(hold.amount + more, account, wrong)
        if lifetime != "as it is":
            changes["expires_at"] = self.find_moment(lifetime)
        known = self.etags.setdefault(id, {})
        known[door.read_hold_etag(id)] = hold.amount, hold.expires_at
        assert len({str(each) for each in known.values()}) == len(known)
        etag = None if seen is None else self.pick(seen, known)
        self.let_holds_end()
        started_at = read_clock()
        expected = self.expect_sequence(hold.command.account, expectation)
        answer = door.change_hold(id, changes, etag, expected)
        refusal = self.ledger.change_hold(id, changes, known.get(etag), expected, started_at)
        if answer.refusal and not refusal:  # its end came while it was asked for
            assert answer.refusal.code == "expires_at_invalid"
        assert answer.refusal == refusal
        if answer.resource:
            assert answer.resource == self.ledger.describe_hold(id, read_clock())

    @precondition(lambda self: self.ledger.holds)
    @rule(hold=picks, over_http=doors, expectation=expectations)
    def release_hold(self, hold, over_http, expectation):
        command = self.pick_hold(hold)
        id = command.id
        self.let_holds_end()
        before = read_clock()
        expected = self.expect_sequence(command.account, expectation)
        answer = self.choose_door(over_http).release_hold(id, expected)
        moment = before
        if answer.resource:
            moment = max(before, self.read_moment(answer.resource["closed_at"]))
        assert answer.refusal == self.ledger.release_hold(id, expected, moment)
        if answer.resource:
            assert answer.resource == self.ledger.describe_hold(id, moment)

    @rule(account=picks, over_http=doors, asked=limits, expectation=expectations)
    def set_limits(self, account, over_http, asked, expectation):
        id = self.pick_account(account).id
        self.require_rule(
            id,
            lambda expected: self.choose_door(over_http).set_limits(id, asked, expected),
            lambda expected, clock: self.ledger.set_limits(id, asked, expected, clock),
            expectation,
        )

    @rule(
        account=picks,
        over_http=doors,
        status=st.sampled_from(["FROZEN", "ACTIVE", "ACTIVE", "CLOSED"]),
        reason=st.sampled_from(["asked for", "a suspicion"]),
        expectation=expectations,
    )
    def set_status(self, account, over_http, status, reason, expectation):
        id = self.pick_account(account).id
        empty = [each for each in self.ledger.accounts if not self.ledger.sum_balance(each)]
        if status == "CLOSED" and empty and account % 4:
            id = self.pick(account, empty)
        self.require_status(id, status, reason, self.choose_door(over_http), expectation)

    @rule(
        account=picks,
        over_http=doors,
        metadata=st.sampled_from([{}, {"a": "b"}, {"a": "ü", "": "☃"}]),
        seen=st.none() | picks,
    )
    def set_metadata(self, account, over_http, metadata, seen):
        """Perhaps only if it is still as it was once seen."""
        id, door = self.pick_account(account).id, self.choose_door(over_http)
        known = self.etags.setdefault(id, {})
        known[door.read_etag(id)] = self.ledger.accounts[id].metadata
        assert len({str(each) for each in known.values()}) == len(known)
        etag = None if seen is None else self.pick(seen, known)
        self.require_rule(
            id,
            lambda _: door.set_metadata(id, metadata, etag),
            lambda _, clock: self.ledger.set_metadata(id, metadata, known.get(etag), clock),
        )

    def require_status(self, account, status, reason, door, expectation=None):
        self.require_rule(
            account,
            lambda expected: door.set_status(account, status, reason, expected),
            lambda expected, clock: self.ledger.set_status(account, status, reason, expected, clock),
            expectation,
        )

    def require_rule(self, account, send, expect, expectation=None):
        self.let_holds_end()
        expected = self.expect_sequence(account, expectation)
        answer = send(expected)
        clock = read_clock()
        assert answer.refusal == expect(expected, clock)
        if answer.resource:
            assert answer.resource == self.ledger.describe_account(account, clock)
