"""Rules about thresholds: set, asked for again, removed; what crosses them is everything else."""

from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.histories.clock import read_clock
from tests.histories.verdict import strip
from tests.histories.world import World, doors, expectations, picks

of_what = st.sampled_from(["balance", "available"])
amounts = st.sampled_from(["-30", "0", "0.01", "1", "40", "100", "260", "300", "301"]).map(Decimal)


class Watching(World):
    @rule(
        account=picks,
        of=of_what,
        amount=amounts,
        wrong=st.sampled_from([None] * 7 + ["scale"]),
        over_http=doors,
        expectation=expectations,
    )
    def set_threshold(self, account, of, amount, wrong, over_http, expectation):
        account = self.pick_account(account)
        if wrong is None and not self.ledger.has_scale(amount, account.id):
            amount = Decimal(round(amount))
        self.let_holds_end()
        expected = self.expect_sequence(account.id, expectation)
        known = self.ledger.find_threshold(account.id, of, amount)
        answer = self.choose_door(over_http).set_threshold(account.id, of, amount, expected)
        clock = read_clock()
        assert answer.refusal == self.ledger.find_threshold_refusal(account.id, of, amount, expected, clock)
        if answer.refusal:
            return
        id = known.id if known else UUID(answer.resource["id"])
        threshold = self.ledger.set_threshold(id, account.id, of, amount, clock)
        assert answer.replayed == bool(known)
        assert strip("threshold.set", answer.resource) == self.ledger.describe_threshold(threshold)

    @precondition(lambda self: self.ledger.thresholds)
    @rule(number=picks, over_http=doors)
    def remove_threshold(self, number, over_http):
        threshold = self.pick(number, self.ledger.thresholds.values())
        self.let_holds_end()
        self.choose_door(over_http).remove_threshold(threshold)
        self.ledger.remove_threshold(threshold.id, read_clock())

    @rule(account=picks)
    def list_thresholds(self, account):
        id = self.pick_account(account).id
        shown, _ = self.read(lambda: self.http.list_thresholds(id))
        of_model = [self.ledger.describe_threshold(each) for each in self.ledger.list_thresholds(id)]
        assert sorted((strip("threshold.set", each) for each in shown), key=str) == sorted(of_model, key=str)
