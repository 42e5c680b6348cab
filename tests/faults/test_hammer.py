"""A short run of the hammer, and that its verdict would have seen what must not be."""

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.faults.hammer import hammer
from tests.faults.nemesis import KINDS
from tests.faults.operations import MAKERS
from tests.faults.replies import AMBIGUOUS, DEFINITIVE, OK, REPLAY
from tests.faults.verdict import (
    DOUBLED,
    DRIFT,
    GHOSTS,
    LOST,
    NEGATIVE,
    UNEXPECTED,
    UNRESOLVED,
    WRONG,
    judge,
)

pytestmark = [pytest.mark.serve, pytest.mark.timeout(300)]

SEED = 1


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return hammer(operations=600, faults=len(KINDS), seed=SEED, folder=tmp_path_factory.mktemp("hammer"))


def test_under_every_kind_of_fault_nothing_is_lost_doubled_wrong_or_negative(report):
    assert report.verdict.charges == [], str(report)
    assert report.faults == dict.fromkeys(KINDS, 1)
    assert report.harmed.total() > 0
    assert set(MAKERS) <= set(report.kinds)
    for meaning in (OK, REPLAY, DEFINITIVE, AMBIGUOUS):
        assert report.verdict.replies[meaning] > 0, str(report)
    assert {row["status"] for row in report.ledger.transactions} == {"POSTED", "DECLINED"}


# What the verdict sees: the same run, with one thing that is not as it was


def find_posted(replies, ledger):
    """A transaction in the middle of an account's history, and the replies that told of it."""
    decided = {reply.body["id"] for reply in replies if reply.meaning == OK}
    posted = [row for row in ledger.transactions if row["version"] and row["version"] > 3]
    row = next(row for row in posted if row["type"] == "DEPOSIT" and str(row["id"]) in decided)
    return row, [reply for reply in replies if reply.body["id"] == str(row["id"])]


def forget_a_row(replies, ledger):
    ledger.transactions.remove(find_posted(replies, ledger)[0])


def forget_who_asked(replies, ledger):
    for reply in find_posted(replies, ledger)[1]:
        replies.remove(reply)


def decide_twice(replies, ledger):
    _, told = find_posted(replies, ledger)
    replies.append(next(reply for reply in told if reply.meaning == OK))


def repeat_a_command_under_another_id(replies, ledger):
    row, _ = find_posted(replies, ledger)
    other = next(other for other in ledger.transactions if other["id"] != row["id"])
    other["reference"] = row["reference"]


def change_an_amount(replies, ledger):
    find_posted(replies, ledger)[0]["amount"] += 1


def change_an_outcome(replies, ledger):
    row = next(row for row in ledger.transactions if row["status"] == "DECLINED")
    row["decline_details"] = {"available": "1.23", "required": "4.56"}


def move_the_deposits_behind_the_withdrawals(replies, ledger):
    for row in ledger.transactions:
        if row["type"] == "DEPOSIT":
            row["effective_at"] += timedelta(days=1000)


def lose_an_event(replies, ledger):
    ledger.events.pop()


def turn_an_early_deposit_into_a_withdrawal(replies, ledger):
    row = next(row for row in ledger.transactions if row["version"] == 1)
    row["type"] = "WITHDRAW"


def change_a_balance(replies, ledger):
    ledger.accounts[0]["balance"] += Decimal("0.01")


def swap_two_moments(replies, ledger):
    first, second = [row for row in ledger.transactions if row["account_id"] == ledger.accounts[0]["id"]][:2]
    first["recorded_at"], second["recorded_at"] = second["recorded_at"], first["recorded_at"]


def refuse_what_is_there(replies, ledger):
    _, told = find_posted(replies, ledger)
    for reply in told:
        replies[replies.index(reply)] = type(reply)(reply.kind, reply.body, DEFINITIVE, 400, {})


def tell_nobody(replies, ledger):
    _, told = find_posted(replies, ledger)
    for reply in told:
        replies[replies.index(reply)] = type(reply)(reply.kind, reply.body, AMBIGUOUS, 0, {})


def answer_with_nonsense(replies, ledger):
    reply = replies.pop()
    replies.append(type(reply)(reply.kind, reply.body, UNEXPECTED, 502, {}))


@pytest.mark.parametrize(
    ("damage", "charge"),
    [
        (forget_a_row, LOST),
        (forget_who_asked, GHOSTS),
        (refuse_what_is_there, GHOSTS),
        (decide_twice, DOUBLED),
        (repeat_a_command_under_another_id, DOUBLED),
        (change_an_amount, WRONG),
        (change_an_outcome, WRONG),
        (change_an_amount, DRIFT),
        (lose_an_event, DRIFT),
        (change_a_balance, DRIFT),
        (swap_two_moments, DRIFT),
        (turn_an_early_deposit_into_a_withdrawal, NEGATIVE),
        (move_the_deposits_behind_the_withdrawals, NEGATIVE),
        (tell_nobody, UNRESOLVED),
        (answer_with_nonsense, UNEXPECTED),
    ],
)
def test_the_verdict_sees(report, damage, charge):
    replies, ledger = deepcopy(report.replies), deepcopy(report.ledger)
    shown = {str(account["id"]): account["balance"] for account in ledger.accounts}
    damage(replies, ledger)
    assert judge(replies, ledger, shown).count(charge) > 0
