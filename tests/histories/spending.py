"""Rules for what meets on one account within a day: all ways to spend from the first one, in a row."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.cast import new_id
from tests.histories.holding import Holding
from tests.histories.movements import Movements, ways
from tests.histories.world import doors, expectations, half_days, moments
from tests.reference_captures import Capture
from tests.reference_commands import Move, Transfer
from tests.reference_reversals import Reversal

amounts = st.sampled_from([10, 40, 40, 350]).map(Decimal)
movements = st.sampled_from(["deposit", "withdraw", "withdraw late", "transfer", "transfer in vain"])
often = ["hold", "capture", "freeze", "unfreeze"]
changes = st.sampled_from([*often, *often, "capture the rest", "reverse"])


class Spending(Movements, Holding):
    @rule(
        steps=st.lists(st.tuples(movements | changes, amounts, doors), min_size=3, max_size=6), late=half_days
    )
    def spend_step_by_step(self, steps, late):
        account = self.pick_account(0)
        self.require_placement(self.inside, self.make_placement(account, Decimal(30), None))
        for step, amount, over_http in steps:
            door = self.choose_door(over_http)
            if step == "hold":
                self.require_placement(door, self.make_placement(account, amount, None))
            elif step in ("freeze", "unfreeze"):
                self.require_status(account.id, "FROZEN" if step == "freeze" else "ACTIVE", step, door)
            elif ask := self.make_step(step, account, amount, late):
                self.ask(door, ask)

    @rule(steps=st.lists(st.tuples(movements, amounts), min_size=3, max_size=6), late=half_days, way=ways)
    def spend_in_one_commit(self, steps, late, way):
        account = self.pick_account(0)
        self.post_inside([self.make_step(step, account, amount, late) for step, amount in steps], way)

    @rule(
        moves=st.lists(st.tuples(st.sampled_from(["WITHDRAW", "DEPOSIT"]), amounts), min_size=2, max_size=6),
        moment=moments,
        guard=st.sampled_from([None, None, None, "version", "source", "destination", "hold"]),
        expectation=expectations,
        way=ways,
    )
    def post_a_day(self, moves, moment, guard, expectation, way):
        """Movements of one moment, in any order; perhaps beside a command that wants the account as it is."""
        account, effective_at = self.pick_account(0), self.find_moment(moment)
        asks = [
            Move(id=new_id(), account=account.id, type=type, amount=amount, effective_at=effective_at)
            for type, amount in moves
        ]
        version = self.expect_version(account.id, expectation)
        if guard == "version":
            asks[-1] = replace(asks[-1], expected_version=version)
        elif guard == "hold":
            holds = [hold for hold in self.list_open_holds() if hold.command.account == account.id]
            if holds:
                hold = holds[-1].command.id
                asks.append(Capture(id=new_id(), hold=hold, amount=Decimal(10), expected_version=version))
        elif guard:
            other = self.pick_destination(account, closed=False)
            to, versions = (account.id, other), {"expected_version": version}
            if guard == "destination":
                to, versions = (other, account.id), {"expected_destination_version": version}
            legs = {"source": to[0], "destination": to[1], "amount": Decimal(1)}
            asks.append(Transfer(id=new_id(), **legs, **versions))
        self.post_inside(asks, way)

    def make_step(self, step, account, amount, late):
        """None, when there is nothing to capture or to reverse."""
        posted = [row.command.id for row in self.ledger.find_rows(account.id) if row.version]
        holds = [hold for hold in self.list_open_holds() if hold.command.account == account.id]
        fields = {"id": new_id(), "amount": amount}
        if step.startswith("transfer"):
            destination = self.pick_destination(account, closed=step == "transfer in vain")
            return Transfer(source=account.id, destination=destination, **fields)
        if step.startswith("capture"):
            fields["amount"] = None if step == "capture the rest" else Decimal(10)
            return Capture(hold=holds[-1].command.id, final=amount != 40, **fields) if holds else None
        if step == "reverse":
            part = (
                None if amount == 40 else min(amount, self.ledger.rows[posted[-1]].amount) if posted else None
            )
            return Reversal(id=new_id(), target=posted[-1], reason=step, amount=part) if posted else None
        type = "DEPOSIT" if step == "deposit" else "WITHDRAW"
        effective_at = late if step == "withdraw late" else None
        return Move(account=account.id, type=type, effective_at=effective_at, **fields)

    def pick_destination(self, source, closed):
        """Another account in the same currency; a closed one is made if there is none."""
        others = [each for each in self.ledger.accounts.values() if each.currency == source.currency]
        found = [each.id for each in others if (each.status == "CLOSED") == closed and each != source]
        if found:
            return found[0]
        self.open_account(source.currency, Decimal(0))
        newest = list(self.ledger.accounts)[-1]
        if closed:
            self.require_status(newest, "CLOSED", "for good", self.inside)
        return newest
