"""A rule about lists that sell: a hold, what is captured of it, and what is paid besides, in one request."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.cast import new_id
from tests.histories.lists import Lists, afterwards
from tests.histories.world import doors, picks

LEFT_OUT = ("moment", "wrong", "expectation", "other_expectation")


class Selling(Lists):
    @rule(
        over_http=doors,
        amount=st.sampled_from(["10", "30", "30", "350"]).map(Decimal),
        parts=st.lists(st.sampled_from([None, 1, 1, 2]), min_size=1, max_size=2),
        transfers=st.lists(st.booleans(), max_size=2),
        other=picks,
        atomic=st.booleans(),
        ends=st.sampled_from(["", "release", "withdraw too much"]),
        then=afterwards,
    )
    def sell_from_escrow(self, over_http, amount, parts, transfers, other, atomic, ends, then):
        """A hold of the first account, what is captured of it, and what is paid besides, in one request."""
        id, buyer = new_id(), self.pick_account(0)
        kinds = [("hold", {"account": 0, "amount": amount, "lifetime": None, "reference": "a"})]
        for number, part in enumerate(parts, start=1):
            where = {"hold": 0, "to": None if number % 2 else other, "reference": ""}
            asked = {"part": part, "final": number == len(parts) and ends != "release", **where}
            kinds.append(("capture of item", asked))
        for is_exchange in transfers:
            asked = {"source": 0, "destination": other, "amount": Decimal(10), "is_exchange": is_exchange}
            asked |= {"reference": "", **dict.fromkeys(LEFT_OUT)}
            kinds.append(("transfer", asked))
        if ends == "release":
            kinds.append(("release of item", 0))
        elif ends:
            much = self.ledger.sum_balance(buyer.id) + 1000
            asked = {"account": 0, "type": "WITHDRAW", "amount": much, "moment": None, "reference": ""}
            kinds.append(("move", {**asked, "wrong": None}))
        self.let_holds_end()
        asks = self.make_items(id, kinds, derived=127, declined_max=0)
        self.require_new_list(id, asks, atomic, self.choose_door(over_http), then)
