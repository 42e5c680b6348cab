"""What the verdict of the hammer sees of accounts: the same run, with one thing that is not as it was."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.faults.charges import DOUBLED, DRIFT, GHOSTS, LOST, NEGATIVE, UNRESOLVED, WRONG
from tests.faults.replies import AMBIGUOUS, DEFINITIVE, OK, UNEXPECTED

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(300)]


def find_posted(replies, ledger):
    """A transaction in the middle of an account's history, and the replies that told of it."""
    decided = {reply.id for reply in replies if reply.meaning == OK}
    posted = [row for row in ledger.transactions if row["version"] and row["version"] > 3]
    plain = [row for row in posted if row["reference"] and not row["transfer"]]
    row = next(row for row in plain if row["type"] == "DEPOSIT" and str(row["id"]) in decided)
    return row, [reply for reply in replies if reply.id == str(row["id"])]


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
    other = next(
        other for other in ledger.transactions if other["type"] == row["type"] and other["id"] != row["id"]
    )
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


def count_a_withdrawal_twice(replies, ledger):
    ledger.accounts[0]["withdrawn"] *= 2


def count_for_another_day(replies, ledger):
    ledger.accounts[0]["withdrawn_on"] -= timedelta(days=1)


def refuse_what_is_there(replies, ledger):
    change_replies(replies, find_posted(replies, ledger)[1], meaning=DEFINITIVE, status=400, answer={})


def tell_nobody(replies, ledger):
    change_replies(replies, find_posted(replies, ledger)[1], meaning=AMBIGUOUS, status=0, answer={})


def answer_with_nonsense(replies, ledger):
    change_replies(replies, replies[-1:], meaning=UNEXPECTED, status=502, answer={})


def change_replies(replies, told, **changes):
    for reply in told:
        replies[replies.index(reply)] = replace(reply, **changes)


@pytest.mark.parametrize(
    ("damage", "charge", "words"),
    [
        (forget_a_row, LOST, "was told"),
        (forget_who_asked, GHOSTS, "nobody sent"),
        (refuse_what_is_there, GHOSTS, "was refused"),
        (decide_twice, DOUBLED, "decided anew"),
        (repeat_a_command_under_another_id, DOUBLED, "the command"),
        (change_an_amount, WRONG, "differs in ['amount'"),
        (change_an_outcome, WRONG, "differs in ['decline_details'"),
        (change_an_amount, DRIFT, "add up to"),
        (lose_an_event, DRIFT, "has gaps"),
        (change_a_balance, DRIFT, "add up to"),
        (swap_two_moments, DRIFT, "recorded_at does not rise"),
        (count_a_withdrawal_twice, DRIFT, "has withdrawn"),
        (count_for_another_day, DRIFT, "has withdrawn"),
        (turn_an_early_deposit_into_a_withdrawal, NEGATIVE, "at version 1"),
        (move_the_deposits_behind_the_withdrawals, NEGATIVE, "known from"),
        (tell_nobody, UNRESOLVED, "nobody was told"),
        (answer_with_nonsense, UNEXPECTED, "502"),
    ],
)
def test_the_verdict_sees(accuse, damage, charge, words):
    assert any(name == charge and words in what for name, what in accuse(damage))
