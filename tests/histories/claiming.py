"""Rules about what accounts owe."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.histories.clock import read_clock
from tests.histories.movements import Movements, reversal_fields
from tests.histories.world import AMOUNT_MAX, DERIVED, amounts, doors, picks, references
from tests.reference_commands import Move, Opening, Refusal, Transfer
from tests.reference_reversals import Reversal

reasons = st.sampled_from(["chargeback", "Rückbuchung ☃"])
claim_fields = {
    "account": picks,
    "amount": amounts,
    "destination": st.none() | picks,
    "reason": reasons,
    "reference": references,
    "wrong": st.sampled_from([None] * 9 + ["scale", "account", "currency"]),
}
claimed_fields = {name: reversal_fields[name] for name in ("target", "reason", "part")}
of_claims = (
    st.tuples(st.just("claim"), st.fixed_dictionaries(claim_fields))
    | st.tuples(st.just("claimed reversal"), st.fixed_dictionaries(claimed_fields))
    | st.tuples(st.just("old claim"), picks)
)


class Claiming(Movements):
    def __init__(self):
        super().__init__()
        self.claimed = {}  # the reversals that claims were asked for as, by their ids

    @rule(over_http=doors, asked=st.fixed_dictionaries(claim_fields))
    def open_claim(self, over_http, asked):
        self.require_claim(self.choose_door(over_http), self.make_opening(**asked))

    def make_opening(self, account, amount, destination, reason, reference, wrong):
        account = self.pick_account(account)
        return Opening(
            id=self.take_id(),
            account=account.id,
            amount=self.fit_amount(amount, account, wrong),
            reason=reason,
            reference=reference,
            destination=None if destination is None else self.pick_payee(destination, account, wrong),
        )

    def make_claimed(self, **asked):
        return self.make_reversal(moment=None, expectation=None, claim=True, **asked)

    @rule(over_http=doors, asked=st.fixed_dictionaries(claimed_fields))
    def claim_back(self, over_http, asked):
        self.ask_for_claim(self.choose_door(over_http), self.make_claimed(**asked))

    @rule(over_http=doors, is_transfer=st.booleans(), leg=picks, amount=amounts, part=st.booleans())
    def charge_back(self, over_http, is_transfer, leg, amount, part):
        """Money that comes in, goes on, and is claimed back."""
        first, other, *_ = self.ledger.accounts.values()
        amount = self.fit_amount(min(amount, Decimal(1000)), first)
        ask = Move(id=self.take_id(), account=first.id, type="DEPOSIT", amount=amount)
        if is_transfer:
            ask = Transfer(id=ask.id, source=other.id, destination=first.id, amount=amount)
        self.ask(self.inside, ask)
        rest = self.ledger.sum_balance(first.id)
        if rest > 0:
            gone = Move(id=self.take_id(), account=first.id, type="WITHDRAW", amount=min(rest, AMOUNT_MAX))
            self.ask(self.inside, gone)
        legs = [command.id for command in ask.list_commands(self.ledger)]
        part = amount if part else None
        back = Reversal(
            id=self.take_id(), target=self.pick(leg, legs), reason="chargeback", amount=part, claim=True
        )
        self.ask_for_claim(self.choose_door(over_http), back)

    def ask_for_claim(self, door, ask):
        """A reversal that is a claim, perhaps of what cannot be claimed."""
        commands = ask.list_commands(self.ledger)
        if isinstance(commands, Refusal):
            self.free_ids += [] if ask.id in self.ledger.claims else [ask.id]
            assert door.open_claim(ask).refusal == commands
        else:
            self.require_claim(door, commands[0], ask)

    def pick_payee(self, number, account, wrong):
        """Another one in the same currency, unless it shall be wrong; None if there is none."""
        if wrong == "account":
            return account.id
        others = [each for each in self.ledger.accounts.values() if each != account]
        if wrong != "currency":
            others = [each for each in others if each.currency == account.currency]
        return self.pick(number, others).id if others else None

    @rule(over_http=doors, amounts=st.tuples(amounts, amounts))
    def owe_each_other(self, over_http, amounts):
        """What comes to one of them goes round."""
        first, second, *_ = self.ledger.accounts.values()
        for one, other, amount in zip((first, second), (second, first), amounts, strict=True):
            command = Opening(
                id=self.take_id(),
                account=one.id,
                amount=self.fit_amount(min(amount, Decimal(1000)) + 300, one),
                reason="a debt",
                destination=other.id,
            )
            self.require_claim(self.choose_door(over_http), command)

    def list_chosen_claims(self):
        """As they were asked for, those with an id that was not derived from a list's."""
        claims = self.ledger.claims.items()
        return [self.claimed.get(id, claim.command) for id, claim in claims if id.version != DERIVED]

    @precondition(lambda self: self.list_chosen_claims())
    @rule(
        old=picks,
        over_http=doors,
        change=st.sampled_from([None, "account", "amount", "reason", "reference", "destination"]),
        account=picks,
    )
    def repeat_claim(self, old, over_http, change, account):
        command, account = self.pick(old, self.list_chosen_claims()), self.pick_account(account)
        amount = Decimal(8 if command.amount == 7 else 7)
        if isinstance(command, Reversal):
            target = self.pick(old // 8, self.ledger.rows)
            others = {"amount": amount, "reason": command.reason + "!", "account": target}
            name = {"account": "target"}.get(change, change)
            changed = {name: others[change]} if change in others else {}
            self.ask_for_claim(self.choose_door(over_http), replace(command, **changed))
            return
        others = {
            "account": account.id,
            "amount": amount,
            "reason": command.reason + "!",
            "reference": command.reference + "!",
            "destination": account.id,
        }
        command = replace(command, **({change: others[change]} if change else {}))
        self.require_claim(self.choose_door(over_http), command)

    @rule(old=picks, over_http=doors)
    def repeat_reversal_as_claim(self, old, over_http):
        reversals = [ask for ask in self.sent.values() if isinstance(ask, Reversal)]
        if not reversals:
            return
        ask = replace(self.pick(old, reversals), claim=True)
        expected = ask.list_commands(self.ledger)
        if not isinstance(expected, Refusal):
            expected = Refusal("idempotency_key_reused", frozenset({"claim"}))
        assert self.choose_door(over_http).open_claim(ask).refusal == expected

    def require_claim(self, door, command, ask=None):
        """`ask` is the reversal that it is asked for as."""
        self.let_holds_end()
        started_at = read_clock()
        refusal = self.ledger.find_claim_refusal(command)
        known = command.id in self.ledger.claims
        answer = door.open_claim(ask or command)
        assert answer.refusal == refusal
        if refusal:
            self.free_ids += [] if known else [command.id]
            return
        assert answer.replayed == known
        if not known:
            moment = self.read_moment(answer.resource["created_at"])
            assert started_at <= moment <= read_clock()
            self.ledger.open_claim(command, moment)
            self.claimed |= {ask.id: ask} if ask else {}
        assert answer.resource == self.ledger.describe_claim(command.id)

    @precondition(lambda self: self.ledger.claims)
    @rule(number=picks, over_http=doors, reason=reasons)
    def waive_claim(self, number, over_http, reason):
        claim = self.pick(number, self.ledger.claims.values())
        id = claim.command.id
        self.let_holds_end()
        moment = read_clock()
        answer = self.choose_door(over_http).waive_claim(id, reason)
        if answer.resource:
            moment = max(moment, self.read_moment(answer.resource["closed_at"]))
        assert answer.refusal == self.ledger.waive_claim(id, reason, moment)
        if answer.resource:
            assert answer.resource == self.ledger.describe_claim(id)

    @precondition(lambda self: self.ledger.claims)
    @rule(account=picks, status=st.sampled_from(["OPEN", "COLLECTED", "WAIVED", "DECLINED"]))
    def list_claims(self, account, status):
        id = self.pick_account(account).id
        claims = [claim for claim in self.ledger.claims.values() if claim.command.account == id]
        assert self.http.list_claims(id, status) == {
            claim.command.id: self.ledger.describe_claim(claim.command.id)
            for claim in claims
            if self.ledger.find_claim_state(claim)[0] == status
        }
