"""What must be so after every step, and what is looked through at the end."""

from decimal import Decimal

from hypothesis.stateful import invariant

from accounts.models import Account, Claim, Hold
from tests.histories.world import World
from tests.transactions.told import read_events
from transactions.models import Transaction, chain


class Verdict(World):
    @invariant()
    def all_is_as_the_model_says(self):
        (accounts, holds, claims), moment = self.read(self.read_all)
        assert claims == {id: self.ledger.describe_claim(id) for id in self.ledger.claims}
        assert holds == {id: self.ledger.describe_hold(id, moment) for id in self.ledger.holds}
        balances = {}
        for id, account in accounts.items():
            assert account == self.ledger.describe_account(id, moment)
            balance, held = Decimal(account["balance"]), Decimal(account["held"])
            assert 0 <= held <= balance + Decimal(account["credit_limit"])
            balances.setdefault(account["currency"], []).append(balance)
        for currency in balances:  # transfers cancel out
            assert sum(balances[currency]) == self.ledger.sum_outside(currency)

    def read_all(self):
        accounts = Account.objects.with_held_due().filter(id__in=self.ledger.accounts)
        holds = Hold.objects.with_clock().filter(account__in=self.ledger.accounts)
        claims = Claim.objects.select_related("account").filter(account__in=self.ledger.accounts)
        return [{row.id: row.to_dict() for row in rows} for rows in (accounts, holds, claims)]

    def teardown(self):
        """At the end: no row but the model's, in order, each with its event and its place in the chain."""
        for account in Account.objects.filter(id__in=self.ledger.accounts):
            rows = list(Transaction.objects.filter(account=account).order_by("recorded_at"))
            assert [row.id for row in rows] == [row.command.id for row in self.ledger.find_rows(account.id)]
            self.require_chain(account, rows)
            self.require_events(account, rows)
            self.require_no_negative_moment(account, rows)
            self.require_captures(account, rows)

    def require_chain(self, account, rows):
        link = b""
        for row in rows:
            link = chain.compute_hash(link, row)
            assert link == bytes(row.chain_hash)
        assert link == bytes(account.chain_head)

    def require_events(self, account, rows):
        events = read_events(stream=account.id)
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert account.event_sequence == len(events)
        told = [(event.type, strip(event.type, event.data)) for event in events]
        assert told == self.ledger.events[account.id]
        moments = [event.recorded_at for event in events[1:]]  # the account was opened by another clock
        assert moments == sorted(moments)
        told = [(event.about, event.recorded_at) for event in events if event.about is not None]
        assert told == [(row.seq, row.recorded_at) for row in rows]
        assert account.last_recorded_at == events[-1].recorded_at

    def require_no_negative_moment(self, account, rows):
        """Nor was there ever one, whenever one looks: what was declined then cannot be seen now."""
        posted = [row for row in rows if row.version]
        for instant in {row.effective_at for row in posted}:
            balance = sum(row.change for row in posted if row.effective_at <= instant)
            assert balance >= -account.credit_limit_max
        limits = [self.ledger.accounts[account.id].credit_limit_max, account.credit_limit_max]
        assert limits[0] == limits[1] >= account.credit_limit

    def require_captures(self, account, rows):
        for hold in Hold.objects.filter(account=account):
            assert hold.captured == sum(row.amount for row in rows if row.hold == hold.id and row.version)


def strip(type, data):
    """Of thresholds no model knows the times: the audit compares them with the events'."""
    if not type.startswith("threshold."):
        return data
    return {name: value for name, value in data.items() if name not in ("since", "created_at")}
