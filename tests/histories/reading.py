"""Rules that read: balances at moments of both axes, statements, transactions and holds."""

from datetime import UTC, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.histories.clock import START
from tests.histories.world import FIRST_DAY, MICROSECOND, World, doors, picks

# Clocks change in Berlin while things happen here, and by half an hour on Lord Howe.
ZONES = ["UTC", "Europe/Berlin", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
FIRST_DAYS = [FIRST_DAY.date() + timedelta(days=number) for number in range(14)]
LAST_DAYS = [START.date() + timedelta(days=number) for number in range(5)]
days = st.sampled_from(FIRST_DAYS + LAST_DAYS)


class Reading(World):
    def __init__(self):
        super().__init__()
        self.answers = []  # balances once read for a named moment: they must stay true

    @rule(account=picks, at=picks, known_at=picks, shift=st.sampled_from([-1, 0, 1]), over_http=doors)
    def read_the_past(self, account, at, known_at, shift, over_http):
        rows = list(self.ledger.rows.values())
        at = self.pick(at, [row.effective_at for row in rows] + [None]) if at % 3 else FIRST_DAY
        known_at = self.pick(known_at, [row.recorded_at for row in rows] + [None] * len(rows))
        at, known_at = at and at + shift * MICROSECOND, known_at and known_at + shift * MICROSECOND
        account, door = self.pick_account(account), self.choose_door(over_http)
        shown, _ = self.read(lambda: door.read_balance(account.id, at, known_at))
        moments = [self.read_moment(shown[name]) for name in ("at", "known_at")]
        assert Decimal(shown["balance"]) == self.ledger.sum_balance(account.id, *moments)
        assert shown["version"] == self.ledger.count_versions(account.id, moments[1])
        if at or known_at:
            assert shown["held"] is shown["available"] is None
        else:
            expected = self.ledger.describe_account(account.id, moments[1])
            assert {
                name: shown[name] for name in ("balance", "held", "available")
            }.items() <= expected.items()
        if at and known_at:
            self.answers.append((account.id, shown))

    @precondition(lambda self: self.answers)
    @rule(number=picks, over_http=doors)
    def ask_again(self, number, over_http):
        """An answer for named moments stays true, whatever was posted since."""
        account, before = self.pick(number, self.answers)
        moments = [self.read_moment(before[name]) for name in ("at", "known_at")]
        assert self.choose_door(over_http).read_balance(account, *moments) == before

    @rule(account=picks, day=days, other_day=days, zone=st.sampled_from(ZONES), over_http=doors)
    def read_statement(self, account, day, other_day, zone, over_http):
        zone = ZoneInfo(zone) if zone != "UTC" else UTC
        asked = self.pick_account(account).id, min(day, other_day), max(day, other_day), zone
        assert self.choose_door(over_http).read_statement(*asked) == self.ledger.make_statement(*asked)

    @rule(number=picks, over_http=doors)
    def read_transaction(self, number, over_http):
        id = self.pick(number, self.ledger.rows)
        assert self.choose_door(over_http).read_transaction(id) == self.ledger.describe(id)

    @precondition(lambda self: self.ledger.holds)
    @rule(account=picks, status=st.sampled_from(["OPEN", "EXPIRED", "CAPTURED", "RELEASED", "DECLINED"]))
    def list_holds(self, account, status):
        """One that is due is shown as expired, and found as such."""
        id = self.pick_account(account).id
        shown, moment = self.read(lambda: self.http.list_holds(id, status))
        holds = [hold for hold in self.ledger.holds.values() if hold.command.account == id]
        assert shown == {
            hold.command.id: self.ledger.describe_hold(hold.command.id, moment)
            for hold in holds
            if self.ledger.find_hold_state(hold, moment)[0] == status
        }
