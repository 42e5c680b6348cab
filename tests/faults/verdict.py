"""Whether a ledger is what its clients were told it is. Every complaint belongs to one of `CHARGES`."""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tests.faults.ledger import Ledger, Row
from tests.faults.replies import CLASSES, DEFINITIVE, OK, UNEXPECTED, Reply

LOST, DOUBLED, WRONG, GHOSTS = "lost", "doubled", "wrong", "ghosts"
NEGATIVE, DRIFT, UNRESOLVED = "negative moments", "drift", "unresolved"
CHARGES = (LOST, DOUBLED, WRONG, GHOSTS, NEGATIVE, DRIFT, UNRESOLVED, UNEXPECTED)

Charge = tuple[str, str]


@dataclass
class Verdict:
    """What the replies were, and what is wrong."""

    replies: Counter[str] = field(default_factory=Counter)
    charges: list[Charge] = field(default_factory=list)

    def count(self, charge: str) -> int:
        return sum(name == charge for name, _ in self.charges)


def judge(replies: Iterable[Reply], ledger: Ledger, shown: dict[str, Decimal]) -> Verdict:
    """`shown` are the balances by account as the API shows them."""
    by_id: dict[str, list[Reply]] = defaultdict(list)
    for reply in replies:
        by_id[reply.body["id"]].append(reply)
    counted = Counter(dict.fromkeys(CLASSES, 0))
    counted.update(reply.meaning for of_id in by_id.values() for reply in of_id)
    return Verdict(
        counted,
        [
            *judge_ids(by_id, {str(row["id"]): row for row in ledger.transactions}),
            *judge_rows(by_id, ledger),
            *(charge for account in ledger.accounts for charge in judge_account(account, ledger)),
            *judge_shown(shown, ledger),
        ],
    )


def judge_ids(by_id: dict[str, list[Reply]], rows: dict[str, Row]) -> Iterator[Charge]:
    """What was told to clients, against the rows."""
    for id, replies in by_id.items():
        row = rows.get(id)
        decided = [reply for reply in replies if reply.is_decided]
        for reply in replies:
            if reply.meaning == UNEXPECTED:
                yield UNEXPECTED, f"{reply.kind} {id} got {reply.status} {reply.answer}"
        if sum(reply.meaning == OK for reply in replies) > 1:
            yield DOUBLED, f"{id} was decided anew {[reply.answer for reply in decided]}"
        if row is None:
            if decided:
                yield LOST, f"{id} was told {decided[0].answer}"
            elif not any(reply.is_final for reply in replies):
                yield UNRESOLVED, f"{id} has no answer"
            continue
        if {reply.meaning for reply in replies} == {DEFINITIVE}:
            yield GHOSTS, f"{id} was refused and is there"
        elif not decided:
            yield UNRESOLVED, f"{id} is there and nobody was told"
        for reply in decided:
            if differs := [*find_differences(reply.body, row), *find_untruths(reply.answer, row)]:
                yield WRONG, f"{id} differs in {differs}: {reply} against {row}"


def find_differences(asked: dict[str, Any], row: Row) -> Iterator[str]:
    """The parts of a row that are not as they were asked for."""
    wanted = {
        "account_id": asked["account"],
        "type": asked["type"],
        "amount": Decimal(asked["amount"]),
        "reference": asked["reference"],
        "metadata": asked.get("metadata", {}),
        "effective_at_asked": parse_time(asked.get("effective_at")),
    }
    for name, value in wanted.items():
        found = str(row[name]) if name == "account_id" else row[name]
        if found != value:
            yield name


def find_untruths(answer: dict[str, Any], row: Row) -> Iterator[str]:
    """The parts of a row that are not as its client was told."""
    if code := answer.get("code"):
        told = {"id": answer["id"], "status": "DECLINED", "decline_reason": code}
        told["decline_details"] = {name: answer.get(name) for name in row["decline_details"] or ()}
    else:
        same = ("id", "status", "version", "late")
        told = {name: answer[name] for name in same}
        told |= {name: parse_time(answer[name]) for name in ("recorded_at", "effective_at")}
        told["balance_after"] = Decimal(answer["balance_after"])
    for name, value in told.items():
        if (str(row[name]) if name == "id" else row[name]) != value:
            yield name


def parse_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def judge_rows(by_id: dict[str, list[Reply]], ledger: Ledger) -> Iterator[Charge]:
    """Rows that nobody asked for, and commands that moved more than once: the reference of each is its id."""
    for row in ledger.transactions:
        if str(row["id"]) not in by_id:
            yield GHOSTS, f"nobody sent {row['id']}"
    for reference, times in Counter(row["reference"] for row in ledger.transactions).items():
        if times > 1:
            yield DOUBLED, f"the command {reference} has {times} rows"
    told = Counter(event["data"]["id"] for event in ledger.events if event["type"].startswith("transaction."))
    for row in ledger.transactions:
        if told[str(row["id"])] != 1:
            yield DRIFT, f"{row['id']} has {told[str(row['id'])]} events"


def judge_account(account: Row, ledger: Ledger) -> Iterator[Charge]:
    id = account["id"]
    rows = [row for row in ledger.transactions if row["account_id"] == id]
    posted = sorted((row for row in rows if row["status"] == "POSTED"), key=lambda row: row["version"])
    events = [event for event in ledger.events if event["account_id"] == id]
    total = Decimal(0)
    for version, row in enumerate(posted, start=1):
        total += get_change(row)
        if row["version"] != version or row["balance_after"] != total:
            yield DRIFT, f"{id}: version {version} with {total} is {row}"
        if total < 0:
            yield NEGATIVE, f"{id}: {total} at version {version}"
    if (account["balance"], account["version"]) != (total, len(posted)):
        yield DRIFT, f"{id} has {account['balance']}, its {len(posted)} rows add up to {total}"
    if [event["account_sequence"] for event in events] != list(range(1, account["event_sequence"] + 1)):
        yield DRIFT, f"{id}: the sequence of its events has gaps"
    if [event["data"]["id"] for event in events[1:]] != [str(row["id"]) for row in rows]:
        yield DRIFT, f"{id}: its events are not those of its rows, in their order"
    moments = [row["recorded_at"] for row in rows]
    if any(later <= earlier for earlier, later in pairwise(moments)):
        yield DRIFT, f"{id}: recorded_at does not rise"
    if [row["version"] for row in rows if row["version"]] != [row["version"] for row in posted]:
        yield DRIFT, f"{id}: versions and recorded_at are in different orders"
    yield from judge_past(posted)


def judge_shown(shown: dict[str, Decimal], ledger: Ledger) -> Iterator[Charge]:
    for account in ledger.accounts:
        if (balance := shown.get(str(account["id"]))) != account["balance"]:
            yield DRIFT, f"{account['id']} is shown with {balance}, has {account['balance']}"


def judge_past(posted: list[Row]) -> Iterator[Charge]:
    """The balance at the end of every effective instant, as it was known after every withdrawal."""
    known: list[tuple[datetime, Decimal]] = []
    for row in posted:
        insort(known, (row["effective_at"], get_change(row)))
        if row["type"] == "DEPOSIT":
            continue
        balance = Decimal(0)
        for place, (instant, change) in enumerate(known, start=1):
            balance += change
            ends = place == len(known) or known[place][0] > instant
            if ends and balance < 0:
                yield NEGATIVE, f"{row['account_id']}: {balance} at {instant}, known from {row['version']}"
                break


def get_change(row: Row) -> Decimal:
    amount: Decimal = row["amount"]
    return amount if row["type"] == "DEPOSIT" else -amount
