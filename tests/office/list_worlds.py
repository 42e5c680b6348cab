"""Rows of many kinds for the lists of the back office, and what its filters mean in plain Python."""

import random
from datetime import timedelta
from decimal import Decimal
from itertools import chain, combinations
from urllib.parse import parse_qsl

from django.contrib import admin
from django.test import RequestFactory

from accounts import operations
from accounts.models import Account, Claim, Hold, User
from ledger.callers import ActorKind, Caller
from ledger.values import format_time
from tests import asking, claims
from tests.asking import release_hold
from tests.cast import (
    CALLER,
    AccountFactory,
    OrderFactory,
    UserFactory,
    deposit,
    hold,
    hold_that_expires,
    new_id,
    transfer,
)
from transactions.models import Correction, Transaction
from transactions.posting.commands import Reversal

TRANSACTIONS, HOLDS = "/admin/transactions/transaction/", "/admin/accounts/hold/"
ACCOUNTS, CLAIMS = "/admin/accounts/account/", "/admin/accounts/claim/"
CORRECTIONS, USERS = "/admin/transactions/correction/", "/admin/accounts/user/"
REFERENCES = ("Rent 50%", "card_4455", "", "=1+1", "счёт РЕНТ")


def show(address, user, /, **query):
    """The list, as its page has it."""
    model = address.removeprefix("/admin/").strip("/").replace("/", ".")
    [page] = [page for kind, page in admin.site._registry.items() if kind._meta.label_lower == model]
    request = RequestFactory().get(address, query)
    request.user = user
    return page.get_changelist_instance(request)


def list_all(address, user, /, **query):
    """The keys of all rows that a list shows, page by page."""
    found = []
    while True:
        shown = show(address, user, **query)
        assert not shown.form.errors, (query, shown.form.errors)
        found += [row.pk for row in shown.result_list]
        if not shown.older:
            return found
        query = dict(parse_qsl(shown.older.removeprefix("?")))


def list_pairs(filters):
    """One filter at a time, then all pairs of two: as queries, each with what it means."""
    single = [(name, value, fits) for name, (values, fits) in filters.items() for value in values]
    for some in chain(combinations(single, 1), combinations(single, 2)):
        query = {name: value for name, value, _fits in some}
        if len(query) == len(some):
            yield query, lambda row, some=some: all(fits(row, value) for _name, value, fits in some)


def yes(read):
    return ["yes", "no"], lambda row, value: bool(read(row)) == (value == "yes")


def make_transactions():
    """Of every kind; the rows, with what is known of them."""
    chance = random.Random(7)
    service, member = UserFactory(name="service"), UserFactory(name="member")
    accounts = [AccountFactory(currency=currency) for currency in ("USD", "EUR", "USD", "JPY")]
    for number in range(40):
        account = accounts[number % 4]
        caller = Caller(
            service.id if number % 3 else member.id, ActorKind.SERVICE if number % 3 else ActorKind.HOLDER
        )
        amount = str(chance.randint(1, 60))
        late = {"effective_at": operations.read_clock() - timedelta(days=number)} if number % 7 == 0 else {}
        type = "DEPOSIT" if number < 8 or chance.random() < 0.5 else "WITHDRAW"
        order = OrderFactory(
            account=account,
            type=type,
            amount=Decimal(amount),
            reference=chance.choice(REFERENCES),
            **late,
        )
        asking.post([order], caller=caller)
    transfer(accounts[0], accounts[2], "1")
    taken = deposit(accounts[0], "40")
    asking.ask(Reversal(id=new_id(), rows=[taken], reason="a mistake"))
    claims.claim(accounts[1], "9999")
    deposit(accounts[1], "3")
    return list(Transaction.objects.select_related("account").order_by("recorded_at", "id"))


def filters_of_transactions(rows):
    account, middle, late = rows[3].account_id, rows[20], operations.read_clock() - timedelta(days=9)
    return {
        "status": (["POSTED", "DECLINED"], lambda row, value: row.status == value),
        "type": (["DEPOSIT", "WITHDRAW"], lambda row, value: row.type == value),
        "currency": (["usd", "JPY", "XXX"], lambda row, value: row.account.currency == value.upper()),
        "amount_min": (["30", "1,000.5"], lambda row, value: row.amount >= Decimal(value.replace(",", ""))),
        "amount_max": (["20.00"], lambda row, value: row.amount <= Decimal(value)),
        "reference": (["50%", "_", "рент"], lambda row, value: value.lower() in row.reference.lower()),
        "decline_reason": (["insufficient_funds"], lambda row, value: row.decline_reason == value),
        "actor": ([str(middle.actor)], lambda row, value: str(row.actor) == value),
        "actor_kind": (["service", "holder", "staff"], lambda row, value: row.actor_kind == value),
        "account": ([str(account)], lambda row, value: str(row.account_id) == value),
        "since": (
            [format_time(middle.recorded_at)],
            lambda row, value: format_time(row.recorded_at) >= value,
        ),
        "until": (
            [format_time(middle.recorded_at)],
            lambda row, value: format_time(row.recorded_at) <= value,
        ),
        "late": yes(lambda row: row.late),
        "reversal": yes(lambda row: row.reverses),
        "transfer": yes(lambda row: row.transfer),
        "claim": yes(lambda row: row.claim),
        "q": ([str(middle.id)], lambda row, value: str(row.id) == value),
    }, late


def make_holds():
    now = operations.read_clock()
    accounts = [AccountFactory(currency=currency) for currency in ("USD", "EUR")]
    for account in accounts:
        deposit(account, "1000")
    for number in range(12):
        ends = {"expires_at": now + timedelta(days=number)} if number % 3 else {}
        made = hold(accounts[number % 2], str(1 + number), reference=REFERENCES[number % 5], **ends)
        if number % 4 == 0:
            release_hold(id=made.id)
    hold(accounts[1], "999999")
    hold_that_expires(accounts[0], "2")
    return list(Hold.objects.with_clock().order_by("created_at", "id"))


def filters_of_holds(rows):
    soon = format_time(operations.read_clock() + timedelta(days=4, hours=1))
    return {
        "status": (["OPEN", "RELEASED", "EXPIRED", "DECLINED"], lambda row, value: row.status_now == value),
        "decline_reason": (["insufficient_funds"], lambda row, value: row.decline_reason == value),
        "ends_since": ([soon], lambda row, value: row.expires_at and format_time(row.expires_at) >= value),
        "ends_until": ([soon], lambda row, value: row.expires_at and format_time(row.expires_at) <= value),
        "currency": (["EUR"], lambda row, value: row.account.currency == value),
        "amount_min": (["6"], lambda row, value: row.amount >= Decimal(value)),
        "amount_max": (["6"], lambda row, value: row.amount <= Decimal(value)),
        "reference": (["card"], lambda row, value: value in row.reference),
        "account": ([str(rows[1].account_id)], lambda row, value: str(row.account_id) == value),
        "since": ([format_time(rows[5].created_at)], lambda row, v: format_time(row.created_at) >= v),
        "until": ([format_time(rows[5].created_at)], lambda row, v: format_time(row.created_at) <= v),
        "order": (
            ["oldest", "end"],
            lambda row, value: value == "oldest" or (row.status == "OPEN" and row.expires_at),
        ),
    }


def make_accounts():
    user = UserFactory(name="Petya")
    accounts = [AccountFactory(currency=("USD", "EUR")[number % 2]) for number in range(8)]
    named = [{"currency": "USD", "name": f"Savings {number}"} for number in range(3)]
    accounts += [operations.create_account(user_id=user.id, caller=CALLER, **of)[0] for of in named]
    for number, account in enumerate(accounts):
        deposit(account, str(10 * number + 1))
        if number % 3 == 0:
            hold(account, "1")
    asking.freeze(id=accounts[0].id, reason="x", request_id="test")
    asking.freeze(id=accounts[1].id, reason="x", request_id="test")
    asking.set_limits(id=accounts[4].id, limits={"credit_limit": Decimal(50)}, request_id="test")
    claims.claim(accounts[5], "777")
    return list(Account.objects.with_held_due().order_by("created_at", "id")), user


def filters_of_accounts(rows, user):
    middle = format_time(rows[5].created_at)
    return {
        "status": (["ACTIVE", "FROZEN", "CLOSED"], lambda row, value: row.status == value),
        "currency": (["usd", "EUR"], lambda row, value: row.currency == value.upper()),
        "available_below": (["31", "0.5", "-5"], lambda row, value: row.available < Decimal(value)),
        "owed": yes(lambda row: row.owed),
        "credit": yes(lambda row: row.credit_limit),
        "name": (["savings"], lambda row, value: value in row.name.lower()),
        "user": ([str(user.id)], lambda row, value: str(row.user_id) == value),
        "since": ([middle], lambda row, value: format_time(row.created_at) >= value),
        "until": ([middle], lambda row, value: format_time(row.created_at) <= value),
        "order": (["oldest"], lambda row, value: True),
    }


def filters_of_claims():
    middle = Claim.objects.order_by("created_at")[2]
    return {
        "status": (["OPEN", "WAIVED", "COLLECTED", "DECLINED"], lambda row, value: row.status == value),
        "currency": (["EUR"], lambda row, value: row.account.currency == value),
        "amount_min": (["3"], lambda row, value: row.amount >= Decimal(value)),
        "amount_max": (["3"], lambda row, value: row.amount <= Decimal(value)),
        "account": ([str(middle.account_id)], lambda row, value: str(row.account_id) == value),
        "since": ([format_time(middle.created_at)], lambda row, v: format_time(row.created_at) >= v),
        "until": ([format_time(middle.created_at)], lambda row, v: format_time(row.created_at) <= v),
    }


def filters_of_corrections():
    one = Correction.objects.order_by("made_at")[2]
    return {
        "status": (["WAITING", "POSTED", "DECLINED"], lambda row, value: row.status == value),
        "kind": (["ADJUSTMENT", "REVERSAL"], lambda row, value: row.kind == value),
        "maker": ([one.maker.username], lambda row, value: row.maker.username == value),
        "account": ([str(one.account_id)], lambda row, value: str(row.account_id) == value),
        "since": ([format_time(one.made_at)], lambda row, v: format_time(row.made_at) >= v),
        "until": ([format_time(one.made_at)], lambda row, v: format_time(row.made_at) <= v),
        "state": (["all"], lambda row, value: True),
    }


def filters_of_users():
    one = User.objects.order_by("created_at")[2]
    return {
        "kind": (["holder", "service", "staff"], lambda row, value: row.kind == value),
        "name": (["etr", "_"], lambda row, value: value in row.name.lower()),
        "external_id": (["crm"], lambda row, value: value in (row.external_id or "").lower()),
        "since": ([format_time(one.created_at)], lambda row, v: format_time(row.created_at) >= v),
        "until": ([format_time(one.created_at)], lambda row, v: format_time(row.created_at) <= v),
        "order": (["oldest", "name"], lambda row, value: True),
    }
