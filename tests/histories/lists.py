"""Rules about lists with an id: commands of every kind in one commit, sent again, and taken back."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.cast import new_id
from tests.histories.claiming import Claiming, of_claims
from tests.histories.clock import TICK, read_clock
from tests.histories.holding import Holding
from tests.histories.movements import Movements, destinations
from tests.histories.world import DERIVED, doors, picks, references
from tests.reference_captures import Capture, CaptureOfItem
from tests.reference_commands import Opening, Placement, Refusal, derive_item_id
from tests.reference_lists import Release

lifetimes = st.sampled_from([None, None, None, timedelta(hours=1), timedelta(days=1), -TICK])
hold_fields = {
    "account": picks,
    "amount": st.sampled_from(["1", "10", "10", "30", "350", "0.001"]).map(Decimal),
    "lifetime": lifetimes,
    "reference": references,
}
part_fields = {
    "hold": picks,
    "part": st.sampled_from([None, 1, 1, 2, 4]),
    "final": st.booleans(),
    "to": destinations,
    "reference": references,
}
holds = st.tuples(st.just("hold"), st.fixed_dictionaries(hold_fields))
captures_of_items = st.tuples(st.just("capture of item"), st.fixed_dictionaries(part_fields))
releases_of_items = st.tuples(st.just("release of item"), picks)
releases = st.tuples(st.just("release"), picks)
old_holds = st.tuples(st.just("old hold"), picks)
of_holds = holds | captures_of_items | captures_of_items | releases_of_items | releases | old_holds
reasons = st.sampled_from(["a mistake", "ein Fehler ☃"])
afterwards = st.sampled_from(["", "", "again"]) | reasons  # for which it is taken back at once


class Lists(Claiming, Holding):
    @rule(
        kinds=st.lists(Movements.kinds | of_holds | of_holds | of_claims, min_size=1, max_size=7),
        derived=st.integers(0, 127),
        atomic=st.booleans(),
        over_http=doors,
        then=afterwards,
    )
    def post_list(self, kinds, derived, atomic, over_http, then):
        id = new_id()
        self.let_holds_end()
        asks = self.make_items(id, kinds, derived, declined_max=1 if atomic else len(self.ledger.rows))
        if asks:
            self.require_new_list(id, asks, atomic, self.choose_door(over_http), then)

    @precondition(lambda self: self.lists)
    @rule(old=picks, is_another=st.booleans())
    def repeat_list(self, old, is_another):
        """As it was; or another one under its id."""
        self.send_again(self.pick(old, self.lists), is_another)

    @precondition(lambda self: self.lists)
    @rule(old=picks, over_http=doors, reason=reasons)
    def take_list_back(self, old, over_http, reason):
        self.take_back(self.pick(old, self.lists), self.choose_door(over_http), reason)

    def require_new_list(self, id, asks, atomic, door, then):
        def send(id, *, is_another=False):
            return door.post_list(asks, self.ledger, id=id, atomic=atomic != is_another)

        if self.require_list(id, asks, atomic, send):
            self.lists[id] = asks, atomic, send
            if then == "again":
                self.send_again(id)
            elif then:
                self.take_back(id, door, then)

    def send_again(self, id, is_another=False):
        asks, is_atomic, send = self.lists[id]
        if is_another:
            assert send(id, is_another=True).refusal == Refusal("idempotency_key_reused")
            return
        self.let_holds_end()
        assert self.require_list(id, asks, is_atomic, send)

    def take_back(self, batch, door, reason):
        """What is left of it, which is perhaps nothing; itself a list."""
        id = new_id()
        self.let_holds_end()
        whole = self.ledger.list_reversals(batch, id, reason)
        asks = [ask for ask in whole if isinstance(ask, Release) or self.ledger.find_left(ask.target)]

        def send(id, *, is_another=False):
            changed = reason + "!" if is_another else reason
            return door.take_back(asks, self.ledger, id=id, batch=batch, reason=changed)

        if whole:
            assert self.require_list(id, asks, True, send)
            self.lists[id] = asks, True, send
        else:
            assert send(id).refusal == Refusal("not_reversible")

    def make_items(self, id, kinds, derived, declined_max):
        """Those that are possible. New ones have an id of their own, or one of the list's and their place."""
        items = []
        for kind, asked in kinds:
            ask = self.make_item(kind, asked, items)
            if ask is None or any(ask.id == other.id for other in items):
                continue
            commands = ask.list_commands(self.ledger)
            if isinstance(commands, Refusal):
                continue
            declined = sum(1 for command in commands if self.ledger.find_reason(command))
            if declined > declined_max:
                continue
            declined_max -= declined
            is_new = not isinstance(ask, Release) and not any(map(self.ledger.is_decided, commands))
            if is_new and derived >> len(items) & 1:
                self.free_ids.append(ask.id)
                ask = replace(ask, id=derive_item_id(id, len(items)))
            items.append(ask)
        return items

    def make_item(self, kind, asked, items):
        placed = [place for place, ask in enumerate(items) if isinstance(ask, Placement)]
        match kind:
            case "hold":
                account = self.pick_account(asked["account"])
                amount = asked["amount"]
                if amount != Decimal("0.001"):
                    amount = self.fit_amount(amount, account)
                return self.make_placement(account, amount, asked["lifetime"], asked["reference"])
            case "old hold":
                known = self.list_chosen_holds()
                return self.pick(asked, known) if known else None
            case "capture of item" if placed:
                place = self.pick(asked["hold"], placed)
                return self.make_capture_of_item(place, items[place], **asked)
            case "release of item" if placed:
                place = self.pick(asked, placed)
                return self.make_release(items[place].id, items[place].account, len(items), place)
            case "release" if self.ledger.holds:
                hold = self.pick_hold(asked)
                return self.make_release(hold.id, hold.account, len(items))
            case "claim":
                return self.make_opening(**asked)
            case "claimed reversal":
                return self.make_claimed(**asked)
            case "old claim":
                known = self.list_chosen_claims()
                return self.pick(asked, known) if known else None
            case "capture of item" | "release of item" | "release":
                return None
        found = self.make_asks([(kind, asked)], declined_max=len(self.ledger.rows))
        return found[0] if found else None

    def make_capture_of_item(self, place, placement, hold, part, final, to, reference):
        account = self.ledger.accounts[placement.account]
        amount = part and self.fit_amount(placement.amount * part / 3, account)
        return CaptureOfItem(
            id=self.take_id(),
            hold=placement.id,
            amount=amount,
            final=final,
            to=self.find_destinations(placement, to),
            reference=reference,
            item=place,
            account=account.id,
        )

    def make_release(self, hold, account, place, item=None):
        return Release(id=f"release {place}", hold=hold, account=account, reason="over", item=item)

    def require_list(self, id, asks, atomic, send):
        """Whether it was decided: then all of it is as the model says."""
        commands = [command for ask in asks for command in ask.list_commands(self.ledger)]
        how = {"all_or_nothing": atomic, "batch": id}
        is_known, started_at = id in self.lists, read_clock()
        before = {c.id: self.describe(c, started_at) for c in commands if self.ledger.is_decided(c)}
        answer = send(id)
        if answer.refusal:
            ends = [self.ledger.rehearse(commands, clock, **how) for clock in (started_at, read_clock())]
            assert not is_known
            assert answer.refusal in [refusal for refusals in ends for refusal in refusals.values()]
            self.free_ids += [
                ask.id
                for ask in asks
                if ask.id not in before and not isinstance(ask, Release) and ask.id.version != DERIVED
            ]
            return False
        self.require_list_answer(commands, answer, before, started_at, is_known, how)
        new = [ask for ask in asks if ask.id in self.ledger.rows and ask.id not in before]
        self.sent |= {ask.id: make_single(ask) for ask in new if ask.id.version != DERIVED}
        self.claimed |= {
            ask.id: ask for ask in asks if getattr(ask, "claim", False) and ask.id in self.ledger.claims
        }
        return True

    def describe(self, command, moment):
        if isinstance(command, Placement):
            return self.ledger.describe_hold(command.id, moment)
        if isinstance(command, Opening):
            return self.ledger.describe_claim(command.id)
        return self.ledger.describe(command.id)

    def require_list_answer(self, commands, answer, before, started_at, is_known, how):
        is_settled = is_known and how["all_or_nothing"]  # and nothing of it is decided any more
        told = {c.id: answer.holds.get(c.id) for c in commands if isinstance(c, Placement)}
        times = {id: self.read_moment(shown["created_at"]) for id, shown in told.items() if shown}
        times |= {id: self.read_moment(row["recorded_at"]) for id, row in answer.rows.items()}
        times |= {id: self.read_moment(claim["created_at"]) for id, claim in answer.claims.items()}
        times = {id: moment for id, moment in times.items() if id not in before}
        if is_known:
            clock = min(times.values(), default=read_clock())
        else:
            clock, _, _ = self.inside.read_list(how["batch"])
            assert clock <= min(times.values(), default=clock) < clock + TICK  # after events of that moment
        assert started_at <= clock <= read_clock()
        refusals = {} if is_settled else self.ledger.list_refusals(commands, clock)
        released = {}
        if not is_settled and not (is_known and refusals.keys() == {c.id for c in commands} - before.keys()):
            released = self.ledger.post(commands, times, request_id=answer.request_id, clock=clock, **how)
        refusals |= {id: told for id, told in released.items() if isinstance(told, Refusal)}
        assert answer.refusals == refusals
        made = {c.id for c in commands if not isinstance(c, Release)} - refusals.keys()
        assert answer.rows.keys() | answer.claims.keys() | told.keys() - refusals.keys() == made
        assert answer.claims == {id: self.ledger.describe_claim(id) for id in answer.claims}
        if answer.replayed is True or not (is_known or before):  # in part it does not tell all of it
            assert answer.collected == self.find_collected(how["batch"], answer)
        for id, row in answer.rows.items():
            assert row in (before.get(id), self.ledger.describe(id))
        is_declined = how["all_or_nothing"] and any(map(self.ledger.find_reason, commands))
        now = read_clock()
        for command in commands:
            if command.id in refusals:
                continue
            if isinstance(command, Placement):
                expected = before.get(command.id) or self.find_placed(command)
                if expected["decline_reason"] is None:
                    assert answer.holds[command.id] == expected
                else:
                    assert answer.holds[command.id] == self.ledger.describe_hold(command.id, now)
            elif isinstance(command, Release):
                expected = released.get(command.id) or self.ledger.describe_hold(command.hold, now)
                shown = answer.holds[command.id]
                assert shown == expected or (is_declined and shown is None)
        self.require_replayed(commands, answer, before, refusals, is_settled)

    def find_placed(self, command):
        """The hold as it was when it was placed: what becomes of it later in the list is not told there."""
        types = ("hold.placed", "hold.declined")
        told = (data for type, data in self.ledger.events[command.account] if type in types)
        return next(data for data in told if data["id"] == str(command.id))

    def require_replayed(self, commands, answer, before, refusals, is_settled):
        decided = [c for c in commands if c.id not in refusals]
        replayed = {c.id: is_settled if isinstance(c, Release) else c.id in before for c in decided}
        if not isinstance(answer.replayed, dict):
            replayed = all(replayed.values()) and not refusals and bool(replayed or is_settled)
        assert answer.replayed == replayed

    def teardown(self):
        """At the end: every list has made what the model says, and what it does not name is of none."""
        super().teardown()
        for id in self.lists:
            for door in (self.inside, self.http):
                _, rows, holds = door.read_list(id)
                of_model = [row for row in self.ledger.rows.values() if row.batch == id]
                of_model.sort(key=lambda row: (row.recorded_at, row.command.id))
                assert rows == [self.ledger.describe(row.command.id) for row in of_model]
                assert {hold["id"] for hold in holds} == {
                    str(hold.command.id) for hold in self.ledger.holds.values() if hold.batch == id
                }


def make_single(ask):
    """What is sent again alone."""
    fields = {name: value for name, value in vars(ask).items() if name not in ("item", "account")}
    return Capture(**fields) if isinstance(ask, CaptureOfItem) else ask
