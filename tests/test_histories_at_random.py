"""Histories at random: whatever is asked, engine and HTTP answer as the reference ledger does.

`LEDGER_EXAMPLES` makes more of them (`make soak` does).
"""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_at_random

from accounts.models import Account
from events.errors import LedgerError
from events.models import Event
from tests.cast import AccountFactory, day, new_id
from tests.conftest import make_client
from tests.reference_ledger import DECIMALS, Command, ReferenceLedger, format_time
from transactions import chain, posting, queries
from transactions.models import Transaction
from transactions.orders import Order

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "30"))
STEPS = 40
FIRST_DAY = day("2023-01-01")
MICROSECOND = timedelta(microseconds=1)
URL = "/api/v1/transactions"

amounts = st.sampled_from(["1", "10", "30", "99.99", "100", "0.001", "1000000000000"]).map(Decimal) | (
    st.decimals(min_value="0.001", max_value=200, places=3)
)
# Few days, so that moments meet; near and far ahead of the clock; none at all, most of the time.
moments = (
    st.none()
    | st.integers(0, 12).map(lambda number: FIRST_DAY + timedelta(days=number))
    | (
        st.sampled_from(
            [timedelta(minutes=4), timedelta(minutes=9), timedelta(days=400), -timedelta(seconds=1)]
        )
    )
)
picks = st.integers(0, 10**6)


def read_clock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


class Histories(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.ledger = ReferenceLedger()
        self.client = make_client("api-post")
        self.answers = []  # balances once read for a named moment: they must stay true

    def pick(self, number, items):
        items = list(items)
        return items[number % len(items)]

    @initialize(currencies=st.lists(st.sampled_from(sorted(DECIMALS)), min_size=1, max_size=3))
    def open_first_accounts(self, currencies):
        for currency in currencies:
            self.open_account(currency)

    @rule(currency=st.sampled_from(sorted(DECIMALS)))
    def open_account(self, currency):
        account = AccountFactory(currency=currency)
        self.ledger.open_account(account.id, account.user_id, currency)

    def make_command(self, account, type, amount, moment, reference="", wrong=None):
        account = self.ledger.accounts[self.pick(account, self.ledger.accounts)]
        if isinstance(moment, timedelta):
            moment = read_clock() + moment
        currency = version = None
        if wrong == "currency":
            currency = self.pick(len(reference), DECIMALS)
        if wrong == "version":
            version = max(0, self.ledger.count_versions(account.id) - len(reference))
        if wrong != "scale":
            amount = max(round(amount, DECIMALS[account.currency]), Decimal(1))
        return Command(
            id=new_id(),
            account=account.id,
            type=type,
            amount=amount,
            effective_at=moment,
            reference=reference,
            metadata={"note": reference} if reference else {},
            currency=currency,
            expected_version=version,
        )

    commands = {
        "account": picks,
        "type": st.sampled_from(["DEPOSIT", "WITHDRAW"]),
        "amount": amounts,
        "moment": moments,
        "reference": st.sampled_from(["", "", "a", "order 7 ☃"]),
        "wrong": st.sampled_from([None, None, None, "currency", "version", "scale"]),
    }

    @rule(over_http=st.booleans(), **commands)
    def move(self, over_http, **asked):
        command = self.make_command(**asked)
        if over_http:
            self.post_over_http(command)
        else:
            self.post([command])

    @rule(asked=st.lists(st.fixed_dictionaries(commands), min_size=2, max_size=6), old=picks)
    def move_in_one_commit(self, asked, old):
        commands = [self.make_command(**fields) for fields in asked]
        if self.ledger.rows and old % 2:
            commands.insert(old % len(commands), self.pick(old, self.ledger.rows.values()).command)
        self.post(commands)

    @precondition(lambda self: self.ledger.rows)
    @rule(old=picks, over_http=st.booleans(), change=st.none() | st.sampled_from(
        ["account", "type", "amount", "effective_at", "reference", "metadata"]
    ), account=picks)  # fmt: skip
    def repeat(self, old, over_http, change, account):
        """Any old id again, with the same command or with one part of it changed."""
        command = self.pick(old, self.ledger.rows.values()).command
        others = {
            "account": self.pick(account, self.ledger.accounts),
            "type": "DEPOSIT" if command.type == "WITHDRAW" else "WITHDRAW",
            "amount": Decimal(8 if command.amount == 7 else 7),
            "effective_at": FIRST_DAY - timedelta(days=1),
            "reference": command.reference + "!",
            "metadata": {**command.metadata, "k": "v"},
        }
        if change:
            command = replace(command, **{change: others[change]})
        if over_http:
            self.post_over_http(command)
        else:
            self.post([command])

    def post(self, commands):
        """In one commit: all that the model expects, or nothing and the model's refusal."""
        orders = [
            Order(
                id=command.id,
                account_id=command.account,
                type=Transaction.Type(command.type),
                amount=command.amount,
                effective_at=command.effective_at,
                reference=command.reference,
                metadata=command.metadata,
                currency=command.currency,
                expected_version=command.expected_version,
            )
            for command in commands
        ]
        started_at = read_clock()
        refusals = [self.ledger.find_refusal(command, started_at) for command in commands]
        if first := next(filter(None, refusals), None):
            with pytest.raises(LedgerError) as raised:
                posting.post(orders, actor=new_id())
            assert raised.value.code == first.code
            assert raised.value.particulars.get("differs") == first.differs
            return
        answers = posting.post(orders, actor=new_id(), request_id="r")
        for command, answer in zip(commands, answers, strict=True):
            assert answer.replayed == (command.id in self.ledger.rows)
            if not answer.replayed:
                self.require_time(command.account, answer.transaction.recorded_at, started_at)
                self.ledger.decide(command, answer.transaction.recorded_at)
            shown = answer.transaction.as_resource()
            assert shown == self.ledger.describe(command.id, shown["request_id"])

    def post_over_http(self, command):
        body = {
            "id": str(command.id),
            "account": str(command.account),
            "type": command.type,
            "amount": str(command.amount),
            "effective_at": command.effective_at and command.effective_at.isoformat(),
            "reference": command.reference,
            "metadata": command.metadata,
            "currency": command.currency,
            "expected_version": command.expected_version,
        }
        started_at = read_clock()
        answer = self.client.post(URL, body)
        if refusal := self.ledger.find_refusal(command, started_at):
            assert (answer.status_code // 100, answer.json()["code"]) == (4, refusal.code)
            assert answer.json().get("differs") == refusal.differs
            return
        replayed = command.id in self.ledger.rows
        shown = self.client.get(f"{URL}/{command.id}").json()
        if not replayed:
            recorded_at = datetime.fromisoformat(shown["recorded_at"])
            self.require_time(command.account, recorded_at, started_at)
            self.ledger.decide(command, recorded_at)
        assert shown == self.ledger.describe(command.id, shown["request_id"])
        assert answer.headers.get("Idempotency-Replayed") == ("true" if replayed else None)
        if shown["status"] == "POSTED":
            assert (answer.status_code, answer.json()) == (201, shown)
        else:
            problem = answer.json()
            assert problem["code"] == shown["decline_reason"]
            assert problem.items() >= {"id": shown["id"], **shown["decline_details"]}.items()

    def require_time(self, account, recorded_at, started_at):
        """Read under the lock: after the account's last one, and while the command ran."""
        before = [row.recorded_at for row in self.ledger.find_rows(account)]
        assert recorded_at > max(before, default=started_at - MICROSECOND)
        assert started_at <= recorded_at <= max(read_clock(), max(before, default=started_at) + MICROSECOND)

    @precondition(lambda self: self.ledger.rows)
    @rule(account=picks, at=picks, known_at=picks, shift=st.sampled_from([-1, 0, 1]), over_http=st.booleans())
    def read_the_past(self, account, at, known_at, shift, over_http):
        rows = list(self.ledger.rows.values())
        at = self.pick(at, [row.effective_at for row in rows] + [None]) if at % 3 else FIRST_DAY
        known_at = self.pick(known_at, [row.recorded_at for row in rows] + [None] * len(rows))
        at, known_at = at and at + shift * MICROSECOND, known_at and known_at + shift * MICROSECOND
        account = self.pick(account, self.ledger.accounts)
        shown = self.read_balance(account, at, known_at, over_http)
        self.require_balance(account, shown)
        if at and known_at:
            self.answers.append((account, shown))

    @precondition(lambda self: self.answers)
    @rule(number=picks)
    def ask_again(self, number):
        """An answer for named moments stays true, whatever was posted since."""
        account, before = self.pick(number, self.answers)
        at, known_at = (datetime.fromisoformat(before[name]) for name in ("at", "known_at"))
        now = self.read_balance(account, at, known_at, over_http=False)
        assert {**now, "held": None, "available": None} == {**before, "held": None, "available": None}

    def read_balance(self, account, at, known_at, over_http):
        if not over_http:
            accounts = Account.objects.filter(id=account)
            return queries.read_balance(accounts, at=at, known_at=known_at).as_resource()
        asked = {"at": at, "known_at": known_at}
        query = {name: format_time(moment) for name, moment in asked.items() if moment}
        return self.client.get(f"/api/v1/accounts/{account}/balance", query).json()

    def require_balance(self, account, shown):
        at, known_at = (datetime.fromisoformat(shown[name]) for name in ("at", "known_at"))
        expected = self.ledger.sum_balance(account, at, known_at)
        assert Decimal(shown["balance"]) == expected
        assert shown["version"] == self.ledger.count_versions(account, known_at)

    @invariant()
    def accounts_are_as_the_model_says(self):
        for account in Account.objects.filter(id__in=self.ledger.accounts):
            assert account.balance == self.ledger.sum_balance(account.id)
            assert account.version == self.ledger.count_versions(account.id)

    def teardown(self):
        """At the end: no row but the model's, in order, each with its event and its place in the chain."""
        for id in self.ledger.accounts:
            expected = self.ledger.find_rows(id)
            rows = list(Transaction.objects.filter(account=id).order_by("recorded_at"))
            assert [row.id for row in rows] == [row.command.id for row in expected]
            account, link = Account.objects.get(id=id), b""
            for row in rows:
                link = chain.compute_hash(link, row)
                assert link == bytes(row.chain_hash)
            assert link == bytes(account.chain_head)
            events = list(Event.objects.filter(account_id=id).order_by("account_sequence"))
            assert [event.account_sequence for event in events] == list(range(1, len(rows) + 2))
            assert account.event_sequence == len(events)
            assert [event.data for event in events[1:]] == [
                self.ledger.describe(row.id, row.request_id) for row in rows
            ]
            for instant in {row.effective_at for row in expected}:
                assert self.ledger.sum_balance(id, at=instant) >= 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(0)
def test_engine_and_api_answer_as_the_reference_ledger_does():
    run_at_random(
        Histories,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
