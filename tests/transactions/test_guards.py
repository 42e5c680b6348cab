"""A balance changes only together with the transactions that explain it, and they only with their account.

Attacked in plain SQL, as an ordinary session and as a replica.
"""

from decimal import Decimal

import pytest
from django.db import DataError, IntegrityError
from django.db.transaction import atomic

from accounts.models import Account
from tests import asking, cast
from tests.cast import AccountFactory
from tests.test_guards import (
    AFTER_DECLINED,
    AFTER_FIRST,
    AFTER_SECOND,
    DECLINED,
    FIRST,
    SECOND,
    execute,
    move,
    post,
    refused_by,
    session,  # noqa: F401, a fixture
    write,
)
from transactions import posting
from transactions.models import Transaction
from transactions.posting.commands import SetMetadata

pytestmark = pytest.mark.django_db

ALONE = "a transaction was written without its account"
UNEXPLAINED = "is not explained by its transactions"
UNTOLD = "is changes only with the event that tells it"
WITHDRAWAL = SECOND | {"type": "'WITHDRAW'", "amount": "2", "balance_after": "3"}
AFTER_WITHDRAWAL = AFTER_SECOND | {"balance": "3"}


def shadow(table):
    """A copy as a temporary table, which is found before the real one when no schema is named."""
    execute(f"CREATE TEMPORARY TABLE {table} AS SELECT * FROM public.{table}")


def test_a_posting_in_one_statement_passes(account):
    execute(post(account, AFTER_FIRST, FIRST))
    execute(post(account, AFTER_WITHDRAWAL, WITHDRAWAL))
    account.refresh_from_db()
    assert (account.balance, account.version) == (Decimal(3), 2)


def test_a_batch_in_one_statement_passes(account):
    execute(post(account, AFTER_SECOND, FIRST, SECOND))
    account.refresh_from_db()
    assert (account.balance, account.version) == (Decimal(10), 2)


def test_a_declined_transaction_with_its_account_passes(account):
    execute(post(account, AFTER_DECLINED, DECLINED))
    assert Transaction.objects.get().status == Transaction.Status.DECLINED


def test_the_ledgers_own_posting_passes(account):
    cast.deposit(account, "5")
    assert cast.withdraw(account, "7").status == Transaction.Status.DECLINED
    assert cast.withdraw(account, "2").balance_after == Decimal(3)


@pytest.mark.parametrize(
    "change",
    [
        {"balance": "6"},
        {"balance": "4"},
        {"version": "0"},
        {"seq": "2"},
        {"seq": "2", "version": "2"},
        {"balance": "0", "version": "0"},
    ],
    ids=lambda change: ", ".join(change),
)
def test_a_balance_or_a_version_alone_is_refused(account, change):
    execute(post(account, AFTER_FIRST, FIRST))
    with refused_by(UNEXPLAINED):
        execute(move(account, change))


@pytest.mark.parametrize("row", [FIRST, DECLINED], ids=["posted", "declined"])
def test_a_transaction_alone_is_refused(account, row):
    with refused_by(ALONE):
        execute(write(account, row))


@pytest.mark.parametrize("row", [FIRST, DECLINED], ids=["posted", "declined"])
def test_a_transaction_of_an_unknown_account_is_refused(row):
    unknown = Account(id=cast.new_id())
    with refused_by(ALONE):
        execute(post(unknown, AFTER_FIRST, row))


def test_a_transaction_with_the_account_of_another_is_refused(account):
    other = cast.AccountFactory()
    with refused_by(ALONE):
        execute(f"WITH moved AS ({move(other, AFTER_DECLINED)}) {write(account, FIRST)}")


def test_a_transaction_before_its_account_is_refused(account):
    with refused_by(ALONE):
        execute(write(account, FIRST))
        execute(move(account, AFTER_FIRST))


def test_an_account_before_its_transaction_is_refused(account):
    with refused_by(UNEXPLAINED):
        execute(move(account, AFTER_FIRST))
        execute(write(account, FIRST))


def test_a_declined_transaction_in_a_statement_after_its_account_is_refused(account):
    with pytest.raises(IntegrityError), atomic():
        execute(move(account, AFTER_DECLINED))
        execute(write(account, DECLINED))


@pytest.mark.parametrize(
    ("after", "rows"),
    [
        (AFTER_FIRST, [FIRST | {"balance_after": "6"}]),
        (AFTER_FIRST | {"balance": "6"}, [FIRST]),
        (AFTER_FIRST | {"balance": "6"}, [FIRST | {"balance_after": "6"}]),
        (AFTER_FIRST | {"balance": "5"}, [FIRST | {"type": "'WITHDRAW'"}]),
        (AFTER_SECOND, [FIRST, SECOND | {"amount": "6"}]),
        (AFTER_SECOND, [FIRST, SECOND | {"balance_after": "11"}]),
        (AFTER_SECOND | {"balance": "11"}, [FIRST, SECOND | {"balance_after": "11"}]),
        (AFTER_SECOND | {"balance": "5"}, [SECOND | {"balance_after": "5"}]),
    ],
    ids=[
        "wrong balance_after",
        "wrong balance",
        "wrong sum",
        "wrong direction",
        "wrong sum of a batch",
        "wrong balance_after of a batch",
        "wrong balance of a batch",
        "version skipped",
    ],
)
def test_a_posting_that_does_not_add_up_is_refused(account, after, rows):
    with refused_by(UNEXPLAINED):
        execute(post(account, after, *rows))


@pytest.mark.parametrize(
    ("after", "rule"),
    [(AFTER_DECLINED, UNEXPLAINED), (AFTER_FIRST | {"seq": "2", "version": "2"}, ALONE)],
    ids=["behind", "ahead"],
)
def test_a_transaction_with_its_account_at_another_version_is_refused(account, after, rule):
    with refused_by(rule):
        execute(post(account, after, FIRST))


def test_a_transaction_with_a_later_moment_than_its_account_is_refused(account):
    with refused_by(UNEXPLAINED):
        execute(post(account, AFTER_FIRST, FIRST | {"recorded_at": "'2999-01-03'"}))


@pytest.mark.parametrize("amount", ["'Infinity'", "'-Infinity'"])
def test_infinite_money_does_not_fit(account, amount):
    for statement in (
        post(account, AFTER_FIRST, FIRST | {"amount": amount}),
        post(account, AFTER_FIRST, FIRST | {"balance_after": amount}),
        *(
            move(account, {column: amount})
            for column in ("balance", "held", "credit_limit", "credit_limit_max")
        ),
    ):
        with pytest.raises(DataError, match="numeric field overflow"), atomic():
            execute(statement)


def test_a_temporary_table_of_accounts_does_not_fool_the_guard(account):
    shadow("accounts_account")
    execute(move(account, AFTER_FIRST).replace("public.", "pg_temp."))
    with refused_by(ALONE):
        execute(write(account, FIRST))


def test_a_temporary_table_of_transactions_does_not_fool_the_guard(account):
    shadow("transactions_transaction")
    execute(write(account, FIRST).replace("public.", "pg_temp."))
    with refused_by(UNEXPLAINED):
        execute(move(account, AFTER_FIRST))


def test_a_temporary_table_named_like_the_new_rows_does_not_fool_the_guard(account):
    execute("CREATE TEMPORARY TABLE new_rows (LIKE public.transactions_transaction)")
    with refused_by(ALONE):
        execute(write(account, FIRST))


# What is so of an account beside its money.
RULES = [
    {"name": "'other'"},
    {"status": "'FROZEN'"},
    {"status_reason": "'x'"},
    {"credit_limit": "2", "credit_limit_max": "2"},
    {"credit_limit_max": "2"},
    {"withdraw_max": "2"},
    {"withdraw_day_max": "2"},
    {"metadata": '\'{"a": "b"}\''},
]
COUNTED = [
    {"event_sequence": "event_sequence + 1"},
    {"last_recorded_at": "last_recorded_at + interval '1 second'"},
]


def refused_untold(account):
    return refused_by(f"what account {account.id} {UNTOLD}")


@pytest.mark.parametrize("rules", [*RULES, *COUNTED], ids=lambda rules: ", ".join(rules))
def test_a_rule_or_the_count_of_events_alone_is_refused(account, rules):
    cast.deposit(account, "5")
    with refused_untold(account):
        execute(move(account, rules))


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: ", ".join(rules))
def test_a_rule_is_not_changed_beside_a_posting(account, rules):
    with refused_untold(account):
        execute(post(account, AFTER_FIRST | rules, FIRST))


def test_the_time_of_the_last_event_never_falls_not_in_a_posting_either(account):
    assert cast.withdraw(account, "5").status == Transaction.Status.DECLINED
    earlier = {"last_recorded_at": "last_recorded_at - interval '1 microsecond'"}
    with refused_untold(account):
        execute(move(account, earlier))
    row = FIRST | {"seq": "2", "recorded_at": "'2020-01-01'", "effective_at": "'2020-01-01'"}
    with refused_untold(account):
        execute(post(account, AFTER_FIRST | {"seq": "2", "last_recorded_at": "'2020-01-01'"}, row))


def test_the_ledgers_own_changes_of_rules_pass(account):
    cast.hold_that_expires(AccountFactory(funds="5"), "1")
    asking.set_limits(id=account.id, limits={"credit_limit": Decimal(5)}, request_id="")
    asking.ask(SetMetadata(account_id=account.id, metadata={"a": "b"}))
    asking.freeze(id=account.id, reason="look", request_id="")
    posting.expire_some()
    account.refresh_from_db()
    assert (account.credit_limit, account.metadata, account.status) == (5, {"a": "b"}, "FROZEN")
