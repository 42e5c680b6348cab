"""What a claim has collected changes only together with the rows that took it: attacked in plain SQL."""

from decimal import Decimal

import pytest

from accounts.models import Account
from tests import asking, cast
from tests.claims import claim, figures, read
from tests.test_claim_guards import CLOSED, LATER, UNCLAIMED, together
from tests.test_guards import (
    execute,
    refused_by,
    session,  # noqa: F401, a fixture
)
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

COLUMNS = [field.column for field in Transaction._meta.concrete_fields if field.column != "change"]


def copy_row(row, account=None, **values):
    """One more row like that one, with the account that counts it."""
    account = Account.objects.get(id=account.id if account else row.account_id)
    sign = "+" if values.get("type", row.type) == "DEPOSIT" else "-"
    values = {
        "id": f"'{cast.new_id()}'",
        "account_id": f"'{account.id}'",
        "seq": str(account.seq + 1),
        "version": str(account.version + 1),
        "recorded_at": LATER,
        "effective_at": LATER,
        "balance_after": f"{account.balance} {sign} {row.amount}",
        **{name: f"'{value}'" if value is not None else "NULL" for name, value in values.items()},
    }
    selected = ", ".join(values.get(name, name) for name in COLUMNS)
    moved = (
        f"UPDATE accounts_account SET balance = {values['balance_after']}, seq = {values['seq']},"
        f" version = {values['version']}, last_recorded_at = {LATER}, event_sequence = event_sequence + 1"
        f" WHERE id = '{account.id}'"
    )
    return (
        f"WITH moved AS ({moved}) INSERT INTO transactions_transaction ({', '.join(COLUMNS)})"
        f" SELECT {selected} FROM transactions_transaction WHERE id = '{row.id}'"
    )


def test_a_row_of_a_claim_is_counted_by_it(rich):
    claim(rich, "10")
    row = Transaction.objects.get(claim__isnull=False)
    with refused_by(UNCLAIMED):
        execute(copy_row(row))


@pytest.mark.parametrize(
    "values",
    [{"claim": str(cast.new_id())}, {"type": "DEPOSIT"}],
    ids=["of no claim", "a deposit"],
)
def test_a_row_that_takes_nothing_of_a_claim_is_refused(rich, values):
    claim(rich, "10")
    row = Transaction.objects.get(claim__isnull=False)
    with refused_by(UNCLAIMED):
        execute(copy_row(row, **values))


def test_a_row_of_another_account_is_refused(rich):
    claim(rich, "10")
    row = Transaction.objects.get(claim__isnull=False)
    with refused_by(UNCLAIMED):
        execute(copy_row(row, cast.AccountFactory(funds="50")))


@pytest.mark.parametrize("is_paid_to", ["the world", "somebody"])
def test_what_is_taken_for_somebody_reaches_them(account, is_paid_to):
    """A withdrawal alone is all of a collection that leaves the ledger, and half of one that does not."""
    asking.set_limits(id=account.id, limits={"credit_limit": Decimal(9)}, request_id="")
    payee = None if is_paid_to == "the world" else cast.AccountFactory()
    owed = claim(account, "5", reason="x", destination=payee)
    row = cast.withdraw(cast.AccountFactory(funds="5"), "5")
    id = str(cast.new_id())
    moved, _, written = copy_row(row, account, id=id, claim=str(owed.id), transfer=payee and id).partition(
        " INSERT "
    )
    moved = moved.replace(
        "event_sequence = event_sequence + 1", "owed = 0, event_sequence = event_sequence + 1"
    )
    change = "UPDATE accounts_claim SET collected = 5, collections = 1, status = 'COLLECTED'" + CLOSED
    closed = {"status": "COLLECTED", "closed_at": "2026-01-02T00:00:00Z", "collected": "5.00"}
    told = together(account, 0, change, of=owed.id, **closed, destination=payee and str(payee.id))
    told, _, change = told.partition(", owed AS (")
    change = change.partition(") UPDATE ")[2]
    attack = f"{moved}, {told.removeprefix('WITH ')}, taken AS (UPDATE {change}) INSERT {written}"
    if payee is None:
        execute(attack)
        assert (read(owed).status, figures(account)) == ("COLLECTED", (-5, 0, 0))
    else:
        with refused_by(UNCLAIMED):
            execute(attack)
