"""What all rules share: the accounts, the two doors, and how an answer is held to the model's."""

from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import product
from uuid import UUID

from django.core.management import call_command
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from accounts.queries import find_accounts_with_due_holds
from tests.cast import AccountFactory, day, new_id
from tests.histories.clock import TICK, move_clock, read_clock, restart_clock
from tests.histories.inside import Inside
from tests.histories.over_http import OverHttp
from tests.reference_commands import DECIMALS, Move, Refusal
from tests.reference_ledger import ReferenceLedger
from transactions.models import Transaction

FIRST_DAY = day("2030-03-25")  # of two weeks in which Berlin has a day of 23 hours
AMOUNT_MAX = Decimal(10) ** 12
MICROSECOND = timedelta(microseconds=1)
DERIVED = 8  # the version of ids that nobody has chosen
SOON = 100 * TICK  # longer than any one command or read looks at the clock

picks = st.integers(0, 10**6)
doors = st.booleans()
amounts = st.sampled_from(
    [Decimal(text) for text in ("1", "10", "10", "30", "30", "99.99", "100", "0.001")] + [AMOUNT_MAX]
) | st.decimals(min_value="0.001", max_value=200, places=3)
ACCOUNTS_MAX = 5
USUAL_LIMITS = {
    "credit_limit": [Decimal(0), Decimal(0), Decimal(50)],
    "withdraw_max": [None, None, Decimal(100)],
    "withdraw_day_max": [None, Decimal(100), Decimal(150)],
}
limits = st.dictionaries(
    st.sampled_from(sorted(USUAL_LIMITS)),
    st.none() | st.sampled_from(["0", "0.001", "30", "100", "150", "400"]).map(Decimal),
    min_size=1,
).map(lambda asked: asked | ({"credit_limit": Decimal(50)} if asked.get("credit_limit", 0) is None else {}))
# Few days, so that moments meet; around the clock; none at all, half of the time.
half_days = st.integers(0, 26).map(lambda number: FIRST_DAY + timedelta(hours=12 * number - 1))
spans = [-timedelta(seconds=1), -timedelta(hours=1), timedelta(minutes=4)]
days = st.sampled_from(["today", "today", "tomorrow"])
moments = st.none() | st.none() | half_days | days | st.sampled_from([*spans, *spans, timedelta(minutes=9)])
# What a version or a sequence is expected to be: nothing, what it is, or one less or more.
expectations = st.sampled_from([None, None, None, None, 0, 0, -1, 1])
references = st.sampled_from(["", "", "a", "order 7 ☃"])


class World(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        restart_clock()
        self.ledger = ReferenceLedger()
        self.ledger.read_made = read_made
        self.inside, self.http = Inside(), OverHttp()
        self.sent = {}  # what was asked for and decided, by its id
        self.free_ids = []  # of what was refused: nothing is recorded under them
        self.lists = {}  # what was sent as one, by its id, and whether it was decided

    def choose_door(self, over_http):
        return self.http if over_http else self.inside

    def pick(self, number, items):
        items = list(items)
        return items[number % len(items)]

    def pick_account(self, number):
        """The first one as often as all others, so that much meets there."""
        accounts = list(self.ledger.accounts.values())
        return accounts[0] if number % 2 == 0 else self.pick(number // 2, accounts[1:])

    def list_open_holds(self):
        clock = read_clock()
        holds = self.ledger.holds.values()
        return [hold for hold in holds if self.ledger.find_hold_state(hold, clock)[0] == "OPEN"]

    def pick_hold(self, number):
        """An open one, three times out of four."""
        open_ones = self.list_open_holds() if number % 4 else []
        return self.pick(number, open_ones or self.ledger.holds.values()).command

    def take_id(self):
        return self.free_ids.pop() if self.free_ids else new_id()

    @initialize(
        currency=st.sampled_from(sorted(DECIMALS)),
        other=st.sampled_from(sorted(DECIMALS)),
        limits=st.tuples(*(st.sampled_from(usual) for usual in USUAL_LIMITS.values())),
        thresholds=st.sampled_from([(), ("10", "299"), ("1", "100", "270", "300")]),
    )
    def open_first_accounts(self, currency, other, limits, thresholds):
        for each in (currency, currency, other):
            self.open_account(each, funds=Decimal(300))
        first = next(iter(self.ledger.accounts))
        limits = dict(zip(USUAL_LIMITS, limits, strict=True))
        assert self.inside.set_limits(first, limits, None).refusal is None
        self.ledger.set_limits(first, limits, None, read_clock())
        for id in self.ledger.accounts:
            for amount, of in product(map(Decimal, thresholds), ("balance", "available")):
                made = self.inside.set_threshold(id, of, amount, None).resource
                self.ledger.set_threshold(UUID(made["id"]), id, of, amount, read_clock())

    @precondition(lambda self: len(self.ledger.accounts) < ACCOUNTS_MAX)
    @rule(currency=st.sampled_from(sorted(DECIMALS)), funds=st.sampled_from([0, 100]).map(Decimal))
    def open_account(self, currency, funds):
        account = AccountFactory(currency=currency)
        self.ledger.open_account(account.id, account.user_id, currency, account.created_at)
        if funds:
            self.ask(self.inside, Move(id=new_id(), account=account.id, type="DEPOSIT", amount=funds))

    def expect_version(self, account, expectation):
        return None if expectation is None else max(0, self.ledger.count_versions(account) + expectation)

    def expect_sequence(self, account, expectation):
        if expectation is None:
            return None
        return max(0, self.ledger.count_events(account, read_clock()) + expectation)

    def fit_amount(self, amount, account, wrong=None):
        """In the precision of the account's currency, unless it shall be wrong."""
        if wrong == "scale":
            return amount
        return min(max(round(amount, DECIMALS[account.currency]), Decimal(1)), AMOUNT_MAX)

    def read_moment(self, text):
        return datetime.fromisoformat(text)

    def find_moment(self, moment):
        if isinstance(moment, str):
            return (read_clock() + timedelta(days=moment == "tomorrow")).date()
        return read_clock() + moment if isinstance(moment, timedelta) else moment

    @rule(
        to=st.sampled_from(["an expiry", "an expiry", "an expiry", "midnight", "later"]),
        ticks=st.integers(0, 8),
        told=st.booleans(),
    )
    def time_passes(self, to, ticks, told):
        """Up to a few looks at the clock before something ends, or just on."""
        clock = read_clock()
        expiries = [hold.expires_at for hold in self.ledger.holds.values() if hold.expires_at]
        if to == "an expiry":
            move_clock(min((moment for moment in expiries if moment > clock), default=clock) - ticks * TICK)
        elif to == "midnight":
            midnight = clock.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            move_clock(midnight - ticks * TICK)
        else:
            move_clock(clock + timedelta(minutes=20))
        if told:
            self.let_holds_end()
            due = find_accounts_with_due_holds(100)
            call_command("expire_holds", stdout=StringIO())
            for account in due:
                self.ledger.expire(account, read_clock())

    def let_holds_end(self):
        """Before a command that does not tell when it was decided: none falls due while it runs."""
        while self.ledger.list_expiries(read_clock(), read_clock() + SOON):
            move_clock(read_clock() + SOON)

    def read(self, ask):
        """What is read, and a moment at which it is so: once more if a hold fell due meanwhile."""
        while True:
            before, shown, after = read_clock(), ask(), read_clock()
            if not self.ledger.list_expiries(before, after):
                return shown, after

    def ask(self, door, ask):
        """Send it, and require the answer of the model."""
        commands = ask.list_commands(self.ledger)
        if isinstance(commands, Refusal):
            assert door.send(ask, []).refusal == commands
        else:
            self.post([ask], commands, lambda: door.send(ask, commands))

    def post(self, asks, commands, send, all_or_nothing=False, batch=None):
        """In one commit: all that the model expects, or the model's refusal of it all."""
        started_at = read_clock()
        refusals = self.ledger.list_refusals(commands, started_at)
        before = {c.id: self.ledger.describe(c.id) for c in commands if c.id in self.ledger.rows}
        answer = send()
        if answer.refusal:
            assert answer.refusal in refusals.values()
            self.free_ids += [ask.id for ask in asks if ask.id not in before and ask.id.version != DERIVED]
            return False
        assert answer.refusals == refusals
        replayed = {id: id in before for id in answer.rows}
        if isinstance(answer.replayed, dict):
            assert answer.replayed == replayed
        else:
            assert answer.replayed == (all(replayed.values()) and not refusals)
        self.require_times(
            commands, answer, before, started_at, {"all_or_nothing": all_or_nothing, "batch": batch}
        )
        if len(asks) == 1 and batch is None:
            assert answer.collected == self.find_collected(commands[0].id, answer)
        assert answer.rows.keys() == {command.id for command in commands} - refusals.keys()
        for id, row in answer.rows.items():
            # What was decided before is shown as it was then, unless it was taken back meanwhile.
            assert row in (before.get(id), self.ledger.describe(id))
        self.sent |= {
            ask.id: ask
            for ask in asks
            if ask.id in self.ledger.rows and ask.id not in before and ask.id.version != DERIVED
        }
        return True

    def find_collected(self, cause, answer):
        """What the answer must tell of it; inside, a repetition tells nothing."""
        is_old = isinstance(answer.replayed, dict) and all(answer.replayed.values())
        return [] if is_old else self.ledger.collected.get(cause, [])

    def require_times(self, commands, answer, before, started_at, how):
        """The model decides at the moments told, which are of different rows and while the commands ran."""
        moments = {
            id: self.read_moment(row["recorded_at"]) for id, row in answer.rows.items() if id not in before
        }
        rows = self.ledger.rows.values()
        latest = {row.command.account: row.recorded_at for row in rows}
        ended_at = read_clock()
        accounts = {command.id: command.account for command in commands}
        for id, moment in sorted(moments.items(), key=lambda each: each[1]):
            assert started_at <= moment <= ended_at
            assert moment > latest.get(accounts[id], started_at - MICROSECOND)
            latest[accounts[id]] = moment
        self.ledger.post(commands, moments, request_id=answer.request_id, **how)
        for command in commands:
            if command.transfer and command.id in moments:
                assert len({row.recorded_at for row in self.ledger.find_legs(command.transfer)}) == 1


def read_made(id):
    """When a collection was recorded, and in which request; None: there is none."""
    return Transaction.objects.filter(id=id).values_list("recorded_at", "request_id").first()
