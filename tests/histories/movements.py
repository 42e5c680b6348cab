"""Rules that move money, by single commands and by many in one commit, and ask for the same again."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.cast import new_id
from tests.histories.world import (
    AMOUNT_MAX,
    FIRST_DAY,
    World,
    amounts,
    doors,
    expectations,
    moments,
    picks,
    references,
)
from tests.reference_captures import Capture
from tests.reference_commands import DECIMALS, Move, Refusal, Transfer
from tests.reference_reversals import Reversal

PARTS = {
    Move: ["account", "type", "amount", "effective_at", "reference", "metadata"],
    Transfer: [
        "source",
        "destination",
        "amount",
        "destination_amount",
        "effective_at",
        "reference",
        "metadata",
    ],
    Reversal: ["target", "reason", "amount", "effective_at"],
    Capture: ["hold", "amount", "final", "to", "reference", "metadata"],
}
RIGHT = [None] * 12
days_later = st.integers(-1, 8).map(lambda number: ("after it", timedelta(hours=12 * number)))
move_fields = {
    "account": picks,
    "type": st.sampled_from(["DEPOSIT", "WITHDRAW", "WITHDRAW"]),
    "amount": amounts,
    "moment": moments,
    "reference": references,
    "wrong": st.sampled_from([*RIGHT, "currency", "version", "scale"]),
}
transfer_fields = {
    "source": picks,
    "destination": picks,
    "amount": amounts,
    "moment": moments,
    "reference": references,
    "wrong": st.sampled_from([*RIGHT, "currency", "account", "scale", "amount"]),
    "is_exchange": st.booleans(),
    "expectation": expectations,
    "other_expectation": expectations,
}
reversal_fields = {
    "target": picks,
    "reason": st.sampled_from(["a mistake", "ein Fehler ☃"]),
    "part": st.sampled_from([None, None, 1, 1, 2, 4, "a unit", "too fine"]),
    "moment": st.none() | st.none() | days_later | moments,
    "expectation": expectations,
}
# Where a capture goes: outside, to an account, or to several, each with so many tenths of the hold.
destinations = (
    st.none() | picks | st.lists(st.tuples(picks, st.sampled_from([1, 3, 3, 6])), min_size=1, max_size=3)
)
capture_fields = {
    "hold": picks,
    "part": st.sampled_from([None, 1, 1, 2, 3, 4]),
    "final": st.booleans(),
    "to": destinations,
    "reference": references,
    "expectation": expectations,
}

ways = st.sampled_from([{}, {"all_or_nothing": True}, {"each": True}])


class Movements(World):
    def make_move(self, account, type, amount, moment, reference, wrong):
        account = self.pick_account(account)
        currency = version = None
        if wrong == "currency":
            currency = self.pick(len(reference), DECIMALS)
        if wrong == "version":
            version = max(0, self.ledger.count_versions(account.id) - len(reference))
        return Move(
            id=self.take_id(),
            account=account.id,
            type=type,
            amount=self.fit_amount(amount, account, wrong),
            effective_at=self.find_moment(moment),
            reference=reference,
            metadata={"note": reference} if reference else {},
            currency=currency,
            expected_version=version,
        )

    def make_transfer(
        self,
        source,
        destination,
        amount,
        moment,
        reference,
        wrong,
        is_exchange,
        expectation,
        other_expectation,
    ):
        """Between two accounts of one currency, or of two with two amounts, unless it shall be wrong."""
        source = self.pick_account(source)
        others = [account for account in self.ledger.accounts.values() if account != source]
        if wrong != "currency":
            others = [each for each in others if is_exchange == (each.currency != source.currency)]
        if wrong == "account" or not others:
            others = [source]
        to = self.pick(destination, others)
        is_exchange = to.currency != source.currency and wrong != "currency"
        return Transfer(
            id=self.take_id(),
            source=source.id,
            destination=to.id,
            amount=self.fit_amount(amount, source, wrong),
            destination_amount=self.fit_amount(min(amount * 3, AMOUNT_MAX), to, wrong)
            if is_exchange or wrong == "amount"
            else None,
            effective_at=self.find_moment(moment),
            reference=reference,
            metadata={"note": reference} if reference else {},
            expected_version=self.expect_version(source.id, expectation),
            expected_destination_version=self.expect_version(to.id, other_expectation),
        )

    def make_reversal(self, target, reason, part, moment, expectation, claim=False):
        """All that is left, a third, more than all, or next to nothing. Of a transfer the version is that of
        the account that got it, which pays it back. A claim has neither moment nor version.
        """
        target = self.pick(target, self.ledger.rows)
        row = self.ledger.rows[target]
        account = row.command.account
        if row.command.transfer and row.command.type == "WITHDRAW":
            account = row.command.other_leg
        unit = Decimal(1) / 10 ** DECIMALS[self.ledger.find_currency(row.command.account)]
        if part == "too fine":
            unit, part = unit / 10, "a unit"
        amount = unit if part == "a unit" else part and max(row.amount * part // (3 * unit), 1) * unit
        is_relative = isinstance(moment, tuple)
        if claim:
            moment, expectation, is_relative = None, None, False
        return Reversal(
            claim=claim,
            id=self.take_id(),
            target=target,
            reason=reason,
            amount=amount and min(amount, AMOUNT_MAX),
            effective_at=row.effective_at + moment[1] if is_relative else self.find_moment(moment),
            expected_version=self.expect_version(account, expectation),
        )

    def make_capture(self, hold, part, final, to, reference, expectation):
        """A third of a hold, two, all of it, more than that, or what it has left."""
        hold = self.pick_hold(hold)
        amount = None
        if part:
            amount = self.fit_amount(hold.amount * part / 3, self.ledger.accounts[hold.account])
        return Capture(
            id=self.take_id(),
            hold=hold.id,
            amount=amount,
            final=final,
            to=self.find_destinations(hold, to),
            reference=reference,
            metadata={"note": reference} if reference else {},
            expected_version=self.expect_version(hold.account, expectation),
        )

    def find_destinations(self, hold, to):
        """Mostly of the same currency, and others than the hold's own."""
        if to is None:
            return None
        account = self.ledger.accounts[hold.account]
        others = [each for each in self.ledger.accounts.values() if each != account]
        alike = [each for each in others if each.currency == account.currency]

        def pick(number):
            every = [each for each in self.ledger.accounts.values() if number % 20 == 0]
            return self.pick(number, every or alike or others).id

        if isinstance(to, int):
            return pick(to)
        return tuple(
            (pick(number), self.fit_amount(hold.amount * tenths / 10, account)) for number, tenths in to
        )

    @rule(over_http=doors, asked=st.fixed_dictionaries(move_fields))
    def move(self, over_http, asked):
        self.ask(self.choose_door(over_http), self.make_move(**asked))

    @rule(over_http=doors, asked=st.fixed_dictionaries(transfer_fields))
    def transfer(self, over_http, asked):
        self.ask(self.choose_door(over_http), self.make_transfer(**asked))

    @rule(over_http=doors, asked=st.fixed_dictionaries(reversal_fields))
    def reverse(self, over_http, asked):
        self.ask(self.choose_door(over_http), self.make_reversal(**asked))

    @precondition(lambda self: self.ledger.holds)
    @rule(over_http=doors, asked=st.fixed_dictionaries(capture_fields))
    def capture(self, over_http, asked):
        self.ask(self.choose_door(over_http), self.make_capture(**asked))

    @rule(old=picks, over_http=doors, change=st.none() | picks, asked=st.fixed_dictionaries(move_fields))
    def repeat(self, old, over_http, change, asked):
        """Any old id again: with the same command, one part of it changed, or a command of another kind."""
        kinds = sorted({type(ask).__name__ for ask in self.sent.values()})
        kind = self.pick(old, kinds)
        ask = self.pick(old // 4, [ask for ask in self.sent.values() if type(ask).__name__ == kind])
        if change is not None:
            ask = self.change(ask, change, asked)
        self.ask(self.choose_door(over_http), ask)

    def change(self, ask, number, asked):
        part = self.pick(number, [*PARTS[type(ask)], "kind"])
        if part == "kind":
            return replace(self.make_move(**asked), id=ask.id)
        row = self.ledger.rows[ask.id]
        choices = {
            "type": ["DEPOSIT", "WITHDRAW"],
            "amount": [Decimal(7), Decimal(8), *([None] if isinstance(ask, Reversal) else [])],
            "destination_amount": [Decimal(7), Decimal(8)],
            "effective_at": [FIRST_DAY - timedelta(days=1)],
            "reference": [row.command.reference + "!"],
            "metadata": [{**getattr(ask, "metadata", {}), "k": "v"}],
            "target": self.ledger.rows,
            "reason": ["another"],
            "hold": self.ledger.holds,
            "final": [True, False],
            "to": [None, *self.ledger.accounts, *(((id, Decimal(1)),) for id in self.ledger.accounts)],
        }
        others = [value for value in choices.get(part, self.ledger.accounts) if value != getattr(ask, part)]
        return replace(ask, **{part: self.pick(number // 8, others)}) if others else ask

    kinds = (
        st.tuples(st.just("move"), st.fixed_dictionaries(move_fields))
        | st.tuples(st.just("transfer"), st.fixed_dictionaries(transfer_fields))
        | st.tuples(st.just("reversal"), st.fixed_dictionaries(reversal_fields))
        | st.tuples(st.just("capture"), st.fixed_dictionaries(capture_fields))
        | st.tuples(st.just("old"), picks)
    )

    @rule(
        kinds=st.lists(kinds, min_size=2, max_size=6),
        way=ways,
        is_list=st.booleans(),
    )
    def post_many_inside(self, kinds, way, is_list):
        all_or_nothing = "all_or_nothing" in way
        asks = self.make_asks(kinds, declined_max=1 if all_or_nothing else len(self.ledger.rows))
        self.post_inside(asks, way | {"batch": new_id()} if is_list else way)

    def post_inside(self, asks, way):
        commands = [command for ask in asks for command in ask.list_commands(self.ledger)]
        self.post(
            asks,
            commands,
            lambda: self.inside.post_many(asks, **way),
            all_or_nothing="all_or_nothing" in way,
            batch=way.get("batch"),
        )

    def make_asks(self, kinds, declined_max):
        """Those that are possible, each once; and no more than so many that were declined before: which of
        them declines the others is not said."""
        makers = {
            "move": self.make_move,
            "transfer": self.make_transfer,
            "reversal": self.make_reversal,
            "capture": self.make_capture,
        }
        asks = {}
        for kind, asked in kinds:
            if kind == "capture" and not self.ledger.holds:
                continue
            ask = self.pick(asked, self.sent.values()) if kind == "old" else makers[kind](**asked)
            commands = ask.list_commands(self.ledger)
            if isinstance(commands, Refusal) or ask.id in asks:
                continue
            rows = [self.ledger.rows[command.id] for command in commands if command.id in self.ledger.rows]
            declined = [row for row in rows if row.reason]
            if len(declined) <= declined_max:
                asks[ask.id] = ask
                declined_max -= len(declined)
        return list(asks.values())
