"""The verdict on crossings, from the events alone: each is told once, at the end of its unit."""

from collections.abc import Iterator

from tests.crossings.oracle import Oracle, Units
from tests.faults.charges import CROSSINGS, LOST, Charge
from tests.faults.ledger import Ledger, Row
from tests.faults.replies import Reply


def judge_crossings(ledger: Ledger) -> Iterator[Charge]:
    rows = {row["id"]: row for row in ledger.transactions}
    events: dict[object, list[Row]] = {account["id"]: [] for account in ledger.accounts}
    for event in ledger.events:
        if event["told"] is None or event["told"] in rows:
            events.setdefault(event["stream"], []).append(as_envelope(event, rows))
    units = Units(events)
    for account in events:
        oracle = Oracle()
        yield from ((CROSSINGS, f"{account}: {what}") for what in oracle.judge(units.split(account)))
        now = {str(row["id"]): row["below"] for row in ledger.thresholds if row["account_id"] == account}
        if now != {id: threshold.below for id, threshold in oracle.thresholds.items()}:
            yield CROSSINGS, f"{account} has the thresholds {now}, and told of {oracle.thresholds}"


def as_envelope(event: Row, rows: dict[object, Row]) -> Row:
    """As the feed shows it, as far as the oracle looks at it."""
    shown: Row = {"id": (event["stream"], event["sequence"]), "type": event["type"]}
    if event["told"] is None:
        return {**shown, "request_id": event["request_id"], "data": event["data"]}
    row = rows[event["told"]]
    data = {name: row[name] and str(row[name]) for name in ("type", "claim", "transfer")}
    data["balance_after"] = str(row["balance_after"])
    return {**shown, "request_id": row["request_id"], "data": data}


def judge_thresholds(replies: list[Reply], ledger: Ledger) -> Iterator[Charge]:
    """Who was answered finds it there; removed are none."""
    there = {str(row["id"]) for row in ledger.thresholds}
    for reply in replies:
        if reply.asked.keys() == {"threshold"} and reply.is_decided and reply.answer["id"] not in there:
            yield LOST, f"{reply} was told of a threshold that is not there"
