"""The verdict on what is set aside: holds, their captures, and what their accounts and events say of them."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from tests.faults.charges import DRIFT, HELD, LOST, NEGATIVE, WRONG, Charge
from tests.faults.ledger import Ledger, Row
from tests.faults.replies import BATCH_DECLINED, Reply
from tests.faults.verdict_on_groups import find_parts

ENDS = {"RELEASED": ["hold.released"], "EXPIRED": ["hold.expired"]}  # the last capture tells of CAPTURED


def judge_holds_of_account(account: Row, ledger: Ledger) -> Iterator[Charge]:
    """What the account holds is what its open holds have left, and was covered after every event."""
    id = account["id"]
    of_account = [hold for hold in ledger.holds if hold["account_id"] == id and hold["status"] == "OPEN"]
    left = sum((hold["amount"] - hold["captured"] for hold in of_account), Decimal(0))
    if account["held"] != left:
        yield HELD, f"{id} holds {account['held']}, its open holds have {left} left"
    if account["balance"] + account["credit_limit"] < account["held"]:
        yield NEGATIVE, f"{id} holds {account['held']}, has only {account['balance']}"
    balance, held = Decimal(0), dict[str, Decimal]()
    rows = {row["seq"]: row for row in ledger.transactions if row["account_id"] == id}
    for event in ledger.events:
        if event["stream"] != id:
            continue
        if event["about"] in rows:
            row = rows[event["about"]]
            balance = row["balance_after"]
            if row["hold"] and row["status"] == "POSTED":  # its own event follows
                continue
        elif event["type"].startswith("hold."):
            held[event["data"]["id"]] = Decimal(event["data"]["remaining"])
        if balance + account["credit_limit_max"] < sum(held.values()):
            yield NEGATIVE, f"{id}: {balance} for {held} at event {event['sequence']}"


def judge_hold(hold: Row, ledger: Ledger) -> Iterator[Charge]:
    captures = [row for row in ledger.transactions if row["hold"] == hold["id"] and row["status"] == "POSTED"]
    if sum((row["amount"] for row in captures), Decimal(0)) != hold["captured"]:
        yield HELD, f"{hold} has the captures {captures}"
    wanted = {(hold["account_id"], "WITHDRAW")} if captures else set()
    if {(row["account_id"], row["type"]) for row in captures} != wanted:
        yield HELD, f"{hold} is captured elsewhere by {captures}"
    if not fits_its_captures(hold, captures):
        yield HELD, f"{hold} does not fit its captures {captures}"
    ends = [moment for moment in (hold["expires_at"], hold["closed_at"]) if moment]
    if captures and ends and captures[-1]["recorded_at"] > min(ends):
        yield HELD, f"{hold} was captured after its end by {captures[-1]}"
    yield from judge_events(hold, len(captures), ledger)


def fits_its_captures(hold: Row, captures: list[Row]) -> bool:
    """The last capture takes all or is final, and no other one; then the hold is CAPTURED."""
    whole = hold["captured"] == hold["amount"]
    final = [group[-1]["final"] for group in group_parts(captures)]
    if any(final[:-1]) or (hold["status"] != "OPEN") != (hold["closed_at"] is not None):
        return False
    is_captured: bool = hold["status"] == "CAPTURED"
    return is_captured == (bool(captures) and (final[-1] or whole))


def group_parts(captures: list[Row]) -> list[list[Row]]:
    """Those of one capture together: only with its last part it gives the rest back."""
    left = {str(row["id"]): row for row in captures}
    return [
        [left.pop(id) for id in find_parts(str(row["id"]), left.keys())]
        for row in captures
        if str(row["id"]) in left
    ]


def judge_events(hold: Row, captures: int, ledger: Ledger) -> Iterator[Charge]:
    events = [
        event
        for event in ledger.events
        if event["type"].startswith("hold.") and event["data"]["id"] == str(hold["id"])
    ]
    expected = ["hold.placed", *["hold.captured"] * captures, *ENDS.get(hold["status"], [])]
    if hold["status"] == "DECLINED":
        expected = ["hold.declined"]
    events = [event for event in events if event["type"] != "hold.change_declined"]  # which changes nothing
    if [event["type"] for event in events if event["type"] != "hold.changed"] != expected:
        yield DRIFT, f"{hold} has the events {events}"
    else:
        last = events[-1]["data"]
        now = (hold["status"], hold["captured"], hold["amount"])
        if (last["status"], Decimal(last["captured"]), Decimal(last["amount"])) != now:
            yield DRIFT, f"the last event of {hold} is {last}"
    terms = [(event["data"]["amount"], event["data"]["expires_at"]) for event in events]
    for event, before, after in zip(events[1:], terms, terms[1:], strict=False):
        if (event["type"] == "hold.changed") != (before != after):
            yield DRIFT, f"{hold} was changed otherwise than it was told: {events}"


def judge_changes(replies: Iterable[Reply], rows: dict[str, Row]) -> Iterator[Charge]:
    """Whose change was answered 200 was shown a hold that is what they asked for."""
    for reply in replies:
        if "changes" not in reply.asked or not (reply.is_decided and reply.status == 200):
            continue
        shown, asked = reply.answer, reply.asked["changes"]
        if reply.asked["hold"] not in rows:
            yield LOST, f"{reply} was told of a hold that is not there"
        if "amount" in asked and Decimal(shown["amount"]) != Decimal(asked["amount"]):
            yield WRONG, f"{reply} asked for another amount"
        if shown["status"] != "OPEN" or (shown["expires_at"] is None) != (
            asked.get("expires_at", shown["expires_at"]) is None
        ):
            yield WRONG, f"{reply} asked for another end, or the hold is not open"


def judge_releases(replies: Iterable[Reply], rows: dict[str, Row]) -> Iterator[Charge]:
    """A release is told what became of the hold; the end of a due one is perhaps not written yet."""
    for reply in replies:
        if not (reply.is_release and reply.is_decided) or reply.answer.get("code") == BATCH_DECLINED:
            continue
        hold = rows.get(reply.asked["hold"])
        if hold is None:
            yield LOST, f"{reply} was told of a hold that is not there"
            continue
        told = reply.answer.get("status" if reply.status == 200 else "hold_status")
        due = hold["status"] == "OPEN" and hold["expires_at"] is not None
        if told != ("EXPIRED" if due else hold["status"]):
            yield WRONG, f"{reply} was told {told} of {hold}"
