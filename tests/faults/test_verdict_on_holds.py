"""What the verdict sees of holds: a run of the hammer with one thing that is not as it was."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from tests.faults.charges import DRIFT, HELD, LOST, NEGATIVE, TORN, WRONG
from tests.faults.conftest import find_row
from tests.faults.makers_of_rows import derive_part_id
from tests.faults.operations import Operation
from tests.faults.replies import EITHER, Reply

pytestmark = [pytest.mark.serve, pytest.mark.timeout(300)]

OTHER_ID = UUID(int=1)


def find_hold(ledger, *, captured=False):
    holds = [hold for hold in ledger.holds if hold["status"] != "DECLINED"]
    return next(hold for hold in holds if hold["captured"] or not captured)


def find_capture(ledger):
    return find_row(ledger, hold=find_hold(ledger, captured=True)["id"])


def change_what_is_held(replies, ledger):
    ledger.accounts[0]["held"] += 1


def change_what_is_captured(replies, ledger):
    find_hold(ledger)["captured"] += Decimal("0.01")


def capture_for_another_account(replies, ledger):
    find_capture(ledger)["account_id"] = OTHER_ID


def capture_after_the_end(replies, ledger):
    find_hold(ledger, captured=True)["expires_at"] = find_capture(ledger)["recorded_at"] - timedelta(
        seconds=1
    )


def ignore_that_a_capture_was_final(replies, ledger):
    find_capture(ledger)["final"] = True
    find_hold(ledger, captured=True).update(status="OPEN", closed_at=None)


def keep_a_hold_open_that_was_captured_whole(replies, ledger):
    hold = find_hold(ledger, captured=True)
    hold.update(status="RELEASED", captured=hold["amount"])
    for row in ledger.transactions:
        if row["hold"] == hold["id"]:
            row["final"] = False


def let_holds_grow(replies, ledger):
    for event in ledger.events:
        if event["type"] == "hold.placed":
            event["data"]["remaining"] = "1000000.00"


def hold_more_than_there_is(replies, ledger):
    ledger.accounts[0]["held"] = ledger.accounts[0]["balance"] + 1


def tell_of_a_release_instead(replies, ledger):
    event = find_event(ledger)
    event["type"] = "hold.expired" if event["type"] == "hold.released" else "hold.released"


def tell_another_state(replies, ledger):
    find_event(ledger)["data"]["captured"] = "123.45"


def find_event(ledger):
    """The last one of a hold."""
    id = str(find_hold(ledger)["id"])
    of_holds = [event for event in ledger.events if event["type"].startswith("hold.")]
    return [event for event in of_holds if event["data"]["id"] == id][-1]


def tell_of_a_change_twice(replies, ledger):
    place = next(n for n, event in enumerate(ledger.events) if event["type"] == "hold.changed")
    ledger.events.insert(place + 1, dict(ledger.events[place]))


def change_without_telling(replies, ledger):
    find_hold(ledger)["amount"] += 1


def pay_one_part_only(replies, ledger):
    rows = [row for row in ledger.transactions if row["hold"] and row["transfer"] and row["version"]]
    by_id = {row["id"]: row for row in ledger.transactions}
    for row in rows:
        part = UUID(derive_part_id(str(row["id"]), 1))
        if part in by_id:
            for leg in [leg for leg in ledger.transactions if leg["transfer"] == part]:
                leg.update(status="DECLINED", decline_reason="limit_exceeded", decline_details={})
            return
    raise AssertionError("no capture into several accounts")


def answer_another_amount(replies, ledger):
    changed = [reply for reply in replies if "changes" in reply.asked and reply.status == 200]
    reply = next(reply for reply in changed if "amount" in reply.asked["changes"])
    reply.answer["amount"] = "123.45"


def tell_of_a_release(replies, ledger):
    """Of a hold that somebody is told he released; whether that happened in the run is left to chance."""
    hold = find_hold(ledger)
    name = f"release of {hold['id']}"
    release = Operation(
        "release", f"/api/v1/holds/{hold['id']}/release", None, {name: {"hold": str(hold["id"])}}
    )
    replies.append(Reply(release, name, EITHER, 200, {"status": "RELEASED"}))
    return hold


def forget_a_released_hold(replies, ledger):
    ledger.holds.remove(tell_of_a_release(replies, ledger))


def expire_what_was_released(replies, ledger):
    tell_of_a_release(replies, ledger)["status"] = "EXPIRED"


@pytest.mark.parametrize(
    ("damage", "charge", "words"),
    [
        (change_what_is_held, HELD, "its open holds have"),
        (change_what_is_captured, HELD, "has the captures"),
        (capture_for_another_account, HELD, "captured elsewhere"),
        (capture_after_the_end, HELD, "after its end"),
        (ignore_that_a_capture_was_final, HELD, "does not fit"),
        (keep_a_hold_open_that_was_captured_whole, HELD, "does not fit"),
        (let_holds_grow, NEGATIVE, "at event"),
        (hold_more_than_there_is, NEGATIVE, "has only"),
        (tell_of_a_release_instead, DRIFT, "has the events"),
        (tell_another_state, DRIFT, "the last event"),
        (tell_of_a_change_twice, DRIFT, "changed otherwise"),
        (change_without_telling, DRIFT, "the last event"),
        (pay_one_part_only, TORN, "posted in part"),
        (answer_another_amount, WRONG, "another amount"),
        (forget_a_released_hold, LOST, "a hold that is not there"),
        (expire_what_was_released, WRONG, "was told RELEASED"),
    ],
)
def test_the_verdict_sees(accuse, damage, charge, words):
    assert any(name == charge and words in what for name, what in accuse(damage))
