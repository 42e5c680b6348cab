"""What the verdict sees of transfers, batches and reversals: a run with one thing that is not as it was."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from tests.faults.charges import DOUBLED, LEAKED, TORN, WRONG
from tests.faults.conftest import find_row
from tests.faults.replies import DEFINITIVE

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(300)]

OTHER_ID = UUID(int=1)


def find_group(replies, ledger, status):
    """The rows of an atomic batch."""
    rows = {str(row["id"]): row for row in ledger.transactions}
    batches = [
        [rows.get(id) for id in reply.operation.asked] for reply in replies if reply.kind == "atomic batch"
    ]
    return next(batch for batch in batches if None not in batch and batch[0]["status"] == status)


def lose_a_leg(replies, ledger):
    ledger.transactions.remove(find_row(ledger, transfer=True))


def change_the_amount_of_a_leg(replies, ledger):
    """Within a currency, where both legs have one."""
    currencies = {account["id"]: account["currency"] for account in ledger.accounts}
    rows = {row["id"]: row for row in ledger.transactions if row["transfer"]}
    for row in rows.values():
        source = rows.get(row["transfer"])
        same = source and currencies.get(source["account_id"]) == currencies.get(row["account_id"])
        if same and row["type"] == "DEPOSIT":
            row["amount"] += 1
            return


def record_a_leg_later(replies, ledger):
    find_row(ledger, transfer=True)["recorded_at"] += timedelta(microseconds=1)


def decline_a_leg(replies, ledger):
    find_row(ledger, transfer=True)["status"] = "DECLINED"


def give_a_leg_another_id(replies, ledger):
    find_row(ledger, transfer=True, type="DEPOSIT")["id"] = OTHER_ID


def blame_another_for_a_declined_leg(replies, ledger):
    row = find_row(ledger, "DECLINED", decline_reason="transfer_declined")
    row["decline_details"] = {"culprit": str(OTHER_ID)}


def lose_half_a_batch(replies, ledger):
    ledger.transactions.remove(find_group(replies, ledger, "POSTED")[0])


def decline_half_a_batch(replies, ledger):
    find_group(replies, ledger, "POSTED")[0]["status"] = "DECLINED"


def post_half_a_batch(replies, ledger):
    find_group(replies, ledger, "DECLINED")[-1].update(status="POSTED", version=1)


def blame_nobody_for_a_batch(replies, ledger):
    for row in find_group(replies, ledger, "DECLINED"):
        row["decline_reason"] = "batch_declined"


def let_money_come_from_a_transfer(replies, ledger):
    find_row(ledger, transfer=True, type="DEPOSIT")["transfer"] = None


def reverse_twice(replies, ledger):
    row = find_row(ledger, reverses=True, transfer=None)
    before = next(each for each in ledger.transactions if each["id"] == row["reverses"])
    late = {"recorded_at": row["recorded_at"] + timedelta(days=1)}
    ledger.transactions.append({**row, "id": OTHER_ID, "amount": before["amount"], **late})


def reverse_another_part(replies, ledger):
    find_row(ledger, reverses=True, transfer=None)["amount"] -= Decimal("0.01")


def leave_something_of_one_leg(replies, ledger):
    rows = {row["id"]: row for row in ledger.transactions}
    whole = (
        row
        for row in rows.values()
        if row["transfer"]
        and row["reverses"]
        and row["version"]
        and row["amount"] == rows[row["reverses"]]["amount"]
    )
    ledger.transactions.remove(next(whole))


def reverse_a_reversal(replies, ledger):
    row = find_row(ledger, reverses=True, transfer=None)
    ledger.transactions.append({**row, "id": OTHER_ID, "reverses": row["id"]})


def reverse_one_leg(replies, ledger):
    leg = find_row(ledger, transfer=True, reverses=None)
    row = find_row(ledger, reverses=True, transfer=None)
    row["reverses"], row["account_id"], row["amount"] = leg["id"], leg["account_id"], leg["amount"]
    row["type"] = "DEPOSIT" if leg["type"] == "WITHDRAW" else "WITHDRAW"


def name_another_reversal(replies, ledger):
    reversal = find_row(ledger, reverses=True, amount_asked=None, transfer=None)
    told = {"decline_reason": "already_reversed", "decline_details": {"reversed_by": str(OTHER_ID)}}
    told["recorded_at"] = reversal["recorded_at"] + timedelta(days=1)
    ledger.transactions.append({**reversal, "id": OTHER_ID, "status": "DECLINED", **told})


def refuse_a_reversal(replies, ledger):
    reversal = find_row(ledger, reverses=True, batch=None)
    told = next(reply for reply in replies if reply.id == str(reversal["id"]))
    replies.append(replace(told, meaning=DEFINITIVE, status=422, answer={"code": "not_reversible"}))


@pytest.mark.parametrize(
    ("damage", "charge", "words"),
    [
        (lose_a_leg, TORN, "has the legs"),
        (change_the_amount_of_a_leg, TORN, "differ"),
        (record_a_leg_later, TORN, "differ"),
        (decline_a_leg, TORN, "posted in part"),
        (give_a_leg_another_id, WRONG, "the legs of the transfer"),
        (blame_another_for_a_declined_leg, WRONG, "because of each other"),
        (let_money_come_from_a_transfer, LEAKED, "came from outside"),
        (lose_half_a_batch, TORN, "of the batch"),
        (decline_half_a_batch, TORN, "posted in part"),
        (post_half_a_batch, TORN, "posted in part"),
        (blame_nobody_for_a_batch, WRONG, "because of each other"),
        (reverse_twice, DOUBLED, "was reversed beyond"),
        (reverse_another_part, WRONG, "reverses another part"),
        (leave_something_of_one_leg, TORN, "taken back whole"),
        (reverse_a_reversal, WRONG, "reverses"),
        (reverse_one_leg, TORN, "a part of the transfer"),
        (name_another_reversal, WRONG, "another reversal"),
        (refuse_a_reversal, WRONG, "was refused"),
    ],
)
def test_the_verdict_sees(accuse, damage, charge, words):
    assert any(name == charge and words in what for name, what in accuse(damage))
