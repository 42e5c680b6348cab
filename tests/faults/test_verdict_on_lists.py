"""What the verdict sees of lists and exchanges: a run of the hammer with one thing that is not as it was."""

from decimal import Decimal
from uuid import UUID

import pytest

from tests.faults.charges import GHOSTS, LEAKED, LOST, TORN, WRONG
from tests.faults.conftest import find_row

pytestmark = [pytest.mark.serve, pytest.mark.timeout(300)]

OTHER_ID = UUID(int=1)
DERIVED = 8


def find_list(replies, ledger, kind):
    """The row of a list of this kind that has made something, with what it has made."""
    kinds = {reply.operation.key: reply.kind for reply in replies if reply.operation.is_list}
    for batch in ledger.batches:
        rows = [row for row in [*ledger.transactions, *ledger.holds] if row["batch"] == batch["id"]]
        rows = [row for row in rows if not row.get("claim")]
        if kinds.get(str(batch["id"])) == kind and rows:
            return batch, rows
    raise AssertionError(f"The run has no {kind}.")


def lose_a_list(replies, ledger):
    ledger.batches.remove(find_list(replies, ledger, "sale")[0])


def forget_who_sent_a_list(replies, ledger):
    batch, _ = find_list(replies, ledger, "list taken back")
    replies[:] = [reply for reply in replies if reply.operation.key != str(batch["id"])]


def put_a_row_into_another_list(replies, ledger):
    _, [row, *_] = find_list(replies, ledger, "atomic list")
    other, _ = find_list(replies, ledger, "sale")
    row["batch"] = other["id"]


def turn_a_list_into_another_kind(replies, ledger):
    batch, _ = find_list(replies, ledger, "list")
    batch["atomic"] = True


def find_declined(replies, ledger):
    """The hold of an atomic list that was declined."""
    atomic = {batch["id"] for batch in ledger.batches if batch["atomic"]}
    return next(hold for hold in ledger.holds if hold["batch"] in atomic and hold["status"] == "DECLINED")


def keep_the_hold_of_a_declined_list(replies, ledger):
    find_declined(replies, ledger).update(status="OPEN", decline_reason=None)


def lose_the_hold_of_a_declined_list(replies, ledger):
    ledger.holds.remove(find_declined(replies, ledger))


def derive_another_id(replies, ledger):
    find_derived(ledger)["id"] = OTHER_ID


def find_derived(ledger):
    rows = [row for row in ledger.transactions if row["id"].version == DERIVED and not row["claim"]]
    return next(row for row in rows if row["batch"] and row["version"])


def put_a_row_of_a_list_into_none(replies, ledger):
    find_derived(ledger)["batch"] = None


def find_exchange(ledger):
    """A leg in euros of an exchange."""
    euros = {account["id"] for account in ledger.accounts if account["currency"] == "EUR"}
    dollars = {row["transfer"] for row in ledger.transactions if row["account_id"] not in euros}
    posted = [row for row in ledger.transactions if row["version"] and row["account_id"] in euros]
    return next(row for row in posted if row["transfer"] and row["transfer"] in dollars)


def exchange_another_amount(replies, ledger):
    find_exchange(ledger)["amount"] += Decimal("0.01")


def let_an_exchange_come_from_outside(replies, ledger):
    """As the leg of a transfer within its currency it would bring nothing."""
    row = find_exchange(ledger)
    other = next(leg for leg in ledger.transactions if leg["transfer"] == row["transfer"] and leg != row)
    other["account_id"] = row["account_id"]


def take_a_transfer_back_at_another_amount(replies, ledger):
    find_row(ledger, transfer=True, reverses=True, amount_asked=True)["amount"] += Decimal("0.01")


def take_back_what_was_not_of_the_list(replies, ledger):
    _, rows = find_list(replies, ledger, "list taken back")
    row = next(row for row in rows if row.get("reverses"))
    row["reverses"] = find_row(ledger, type=row["type"], reverses=None)["id"]


@pytest.mark.parametrize(
    ("damage", "charge", "words"),
    [
        (lose_a_list, LOST, "was decided and is not there"),
        (lose_a_list, LOST, "there is no list"),
        (forget_who_sent_a_list, GHOSTS, "nobody sent the list"),
        (put_a_row_into_another_list, GHOSTS, "in the list"),
        (put_a_row_into_another_list, TORN, "of the batch"),
        (turn_a_list_into_another_kind, WRONG, "was asked for as"),
        (keep_the_hold_of_a_declined_list, TORN, "posted in part"),
        (lose_the_hold_of_a_declined_list, TORN, "of the batch"),
        (derive_another_id, LOST, "was told"),
        (derive_another_id, GHOSTS, "nobody sent"),
        (put_a_row_of_a_list_into_none, WRONG, "differs in ['batch'"),
        (exchange_another_amount, WRONG, "differs in ['amount'"),
        (exchange_another_amount, LEAKED, "EUR came"),
        (let_an_exchange_come_from_outside, LEAKED, "came from outside"),
        (take_a_transfer_back_at_another_amount, WRONG, "reverses"),
        (take_back_what_was_not_of_the_list, WRONG, "differs in ['reverses'"),
    ],
)
def test_the_verdict_sees(accuse, damage, charge, words):
    assert any(name == charge and words in what for name, what in accuse(damage))
