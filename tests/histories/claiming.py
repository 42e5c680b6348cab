"""Rules about what accounts owe."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.histories.clock import read_clock
from tests.histories.world import World, amounts, doors, picks, references
from tests.reference_commands import Opening

reasons = st.sampled_from(["chargeback", "Rückbuchung ☃"])


class Claiming(World):
    @rule(
        over_http=doors,
        account=picks,
        amount=amounts,
        destination=st.none() | picks,
        reason=reasons,
        reference=references,
        wrong=st.sampled_from([None] * 9 + ["scale", "account", "currency"]),
    )
    def open_claim(self, over_http, account, amount, destination, reason, reference, wrong):
        account = self.pick_account(account)
        command = Opening(
            id=self.take_id(),
            account=account.id,
            amount=self.fit_amount(amount, account, wrong),
            reason=reason,
            reference=reference,
            destination=None if destination is None else self.pick_payee(destination, account, wrong),
        )
        self.require_claim(self.choose_door(over_http), command)

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

    @precondition(lambda self: self.ledger.claims)
    @rule(
        old=picks,
        over_http=doors,
        change=st.sampled_from([None, "account", "amount", "reason", "reference", "destination"]),
        account=picks,
    )
    def repeat_claim(self, old, over_http, change, account):
        command = self.pick(old, self.ledger.claims.values()).command
        account = self.pick_account(account)
        others = {
            "account": account.id,
            "amount": Decimal(8 if command.amount == 7 else 7),
            "reason": command.reason + "!",
            "reference": command.reference + "!",
            "destination": account.id,
        }
        command = replace(command, **({change: others[change]} if change else {}))
        self.require_claim(self.choose_door(over_http), command)

    def require_claim(self, door, command):
        self.let_holds_end()
        started_at = read_clock()
        refusal = self.ledger.find_claim_refusal(command)
        known = command.id in self.ledger.claims
        answer = door.open_claim(command)
        assert answer.refusal == refusal
        if refusal:
            self.free_ids += [] if known else [command.id]
            return
        assert answer.replayed == known
        if not known:
            moment = self.read_moment(answer.resource["created_at"])
            assert started_at <= moment <= read_clock()
            self.ledger.open_claim(command, moment)
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
