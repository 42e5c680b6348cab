"""What the verdict sees of claims and thresholds, in a run of the hammer with one thing that is damaged."""

from copy import deepcopy
from decimal import Decimal
from uuid import UUID

import pytest

from tests.crossings.oracle import FELL, ROSE
from tests.faults.charges import CROSSINGS, DOUBLED, DRIFT, GHOSTS, LOST, OWED, WRONG
from tests.faults.operations import Operation
from tests.faults.replies import EITHER, Reply

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(300)]


def find_claim(ledger, *, collected=True, reverses=None):
    claims = [claim for claim in ledger.claims if claim["status"] != "DECLINED"]
    claims = [claim for claim in claims if reverses is None or (claim["reverses"] is not None) == reverses]
    return next(claim for claim in claims if claim["collected"] or not collected)


def find_collection(ledger, type="WITHDRAW"):
    rows = [row for row in ledger.transactions if row["claim"] and row["type"] == type]
    return next(row for row in rows if row["transfer"] or type == "WITHDRAW")


def owe_more(replies, ledger):
    ledger.accounts[0]["owed"] += 1


def forget_what_was_claimed(replies, ledger):
    find_claim(ledger)["amount"] -= Decimal("0.01")


def owe_in_spite_of_money(replies, ledger):
    claim = find_claim(ledger)
    account = next(each for each in ledger.accounts if each["id"] == claim["account_id"])
    ledger.claims[:] = [{**claim, "status": "OPEN", "destination": None}]
    account.update(owed=Decimal(1), balance=account["held"] + 1)


def collect_twice(replies, ledger):
    row = find_collection(ledger)
    ledger.transactions.append({**row, "id": UUID(int=1), "transfer": None})


def collect_of_another(replies, ledger):
    find_collection(ledger)["account_id"] = UUID(int=1)


def pay_another(replies, ledger):
    find_collection(ledger, "DEPOSIT")["account_id"] = UUID(int=1)


def pay_nobody(replies, ledger):
    ledger.transactions.remove(find_collection(ledger, "DEPOSIT"))


def leave_a_claim_open(replies, ledger):
    claim = next(claim for claim in ledger.claims if claim["status"] == "COLLECTED")
    claim["status"] = "OPEN"


def forget_a_claim(replies, ledger):
    ledger.claims.remove(find_claim(ledger, collected=False))


def claim_what_nobody_asked_for(replies, ledger):
    claim = find_claim(ledger)
    replies[:] = [reply for reply in replies if reply.id != str(claim["id"])]


def claim_beyond_what_there_was(replies, ledger):
    claim = find_claim(ledger, collected=False, reverses=True)
    claim["amount"] += 10**9


def claim_another_amount(replies, ledger):
    find_claim(ledger, reverses=False)["amount_asked"] = Decimal("123.45")


def tell_of_a_collection_twice(replies, ledger):
    place = next(n for n, event in enumerate(ledger.events) if event["type"] == "claim.collected")
    ledger.events.insert(place + 1, dict(ledger.events[place]))


def tell_another_sum(replies, ledger):
    claim = str(find_claim(ledger)["id"])
    told = [event for event in ledger.events if event["type"].startswith("claim.")]
    [event for event in told if event["data"]["id"] == claim][-1]["data"]["collected"] = "123.45"


def tell_of_a_waiver(replies, ledger):
    claim = str(find_claim(ledger)["id"])
    name = f"waiver of {claim}"
    waiver = Operation("waiver", f"/api/v1/claims/{claim}/waive", {"reason": ""}, {name: {"claim": claim}})
    replies.append(Reply(waiver, name, EITHER, 200, {"status": "DECLINED"}))
    return claim


def waive_what_is_not_there(replies, ledger):
    claim = tell_of_a_waiver(replies, ledger)
    ledger.claims[:] = [each for each in ledger.claims if str(each["id"]) != claim]


def find_crossing(ledger):
    return next(n for n, event in enumerate(ledger.events) if event["type"] in (FELL, ROSE))


def keep_a_crossing_to_oneself(replies, ledger):
    del ledger.events[find_crossing(ledger)]


def tell_of_a_crossing_twice(replies, ledger):
    place = find_crossing(ledger)
    ledger.events.insert(place + 1, deepcopy(ledger.events[place]))


def tell_of_the_other_side(replies, ledger):
    event = ledger.events[find_crossing(ledger)]
    event["type"] = ROSE if event["type"] == FELL else FELL


def keep_a_threshold_on_its_side(replies, ledger):
    threshold = ledger.thresholds[0]
    threshold["below"] = not threshold["below"]


def forget_a_threshold(replies, ledger):
    del ledger.thresholds[0]


@pytest.mark.parametrize(
    ("damage", "charge", "words"),
    [
        (owe_more, OWED, "owes"),
        (forget_what_was_claimed, OWED, "owes"),
        (owe_in_spite_of_money, OWED, "could be taken"),
        (collect_twice, OWED, "has the collections"),
        (collect_of_another, OWED, "is paid otherwise"),
        (pay_another, OWED, "is paid otherwise"),
        (pay_nobody, OWED, "is paid to nobody"),
        (leave_a_claim_open, OWED, "does not fit"),
        (forget_a_claim, LOST, "was told"),
        (claim_what_nobody_asked_for, GHOSTS, "nobody sent"),
        (claim_beyond_what_there_was, DOUBLED, "beyond what there was"),
        (claim_another_amount, WRONG, "differs in ['amount_asked']"),
        (tell_of_a_collection_twice, DRIFT, "has the events"),
        (tell_another_sum, DRIFT, "the last event"),
        (tell_of_a_waiver, WRONG, "was told otherwise"),
        (waive_what_is_not_there, LOST, "a claim that is not there"),
        (keep_a_crossing_to_oneself, CROSSINGS, "should tell"),
        (tell_of_a_crossing_twice, CROSSINGS, "should tell"),
        (tell_of_the_other_side, CROSSINGS, "should tell"),
        (keep_a_threshold_on_its_side, CROSSINGS, "has the thresholds"),
        (forget_a_threshold, LOST, "a threshold that is not there"),
    ],
)
def test_the_verdict_sees(accuse, damage, charge, words):
    assert any(name == charge and words in what for name, what in accuse(damage))
