"""Whether a ledger is what its clients were told it is. Every complaint belongs to one of `CHARGES`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.faults.charges import DOUBLED, DRIFT, GHOSTS, LOST, UNRESOLVED, WRONG, Charge
from tests.faults.ledger import Ledger, Row
from tests.faults.replies import CLASSES, DEFINITIVE, OK, UNEXPECTED, Reply
from tests.faults.verdict_on_accounts import judge_account, judge_money
from tests.faults.verdict_on_claims import judge_claim, judge_claims_of_account, judge_waivers
from tests.faults.verdict_on_groups import judge_parts, judge_reversals, judge_transfers
from tests.faults.verdict_on_holds import judge_changes, judge_hold, judge_holds_of_account, judge_releases
from tests.faults.verdict_on_lists import judge_lists
from tests.faults.verdict_on_thresholds import judge_crossings, judge_thresholds

MOMENTS = {"effective_at_asked", "expires_at_asked"}


@dataclass
class Verdict:
    """What the replies were, and what is wrong."""

    replies: Counter[str] = field(default_factory=Counter)
    charges: list[Charge] = field(default_factory=list)

    def count(self, charge: str) -> int:
        return sum(name == charge for name, _ in self.charges)


def judge(replies: Iterable[Reply], ledger: Ledger, shown: dict[str, Decimal]) -> Verdict:
    """`shown` are the balances by account as the API shows them."""
    replies = list(replies)
    by_id: dict[str, list[Reply]] = defaultdict(list)
    for reply in replies:
        if not reply.is_apart:
            by_id[reply.id].append(reply)
    rows = {str(row["id"]): row for row in [*ledger.transactions, *ledger.holds, *ledger.claims]}
    collections = {str(row["id"]) for row in ledger.transactions if row["claim"]}  # of which claims tell
    counted = Counter(dict.fromkeys(CLASSES, 0))
    counted.update(reply.meaning for reply in replies)
    return Verdict(
        counted,
        [
            *((UNEXPECTED, str(reply)) for reply in replies if reply.meaning == UNEXPECTED),
            *judge_ids(by_id, rows),
            *judge_rows(rows.keys() - by_id.keys() - collections, ledger),
            *(charge for account in ledger.accounts for charge in judge_account(account, ledger)),
            *judge_shown(shown, ledger),
            *judge_money(ledger),
            *judge_transfers(ledger),
            *judge_parts(ledger),
            *judge_lists(replies, ledger),
            *judge_reversals(replies, rows, ledger),
            *(charge for account in ledger.accounts for charge in judge_holds_of_account(account, ledger)),
            *(charge for hold in ledger.holds for charge in judge_hold(hold, ledger)),
            *judge_releases(replies, rows),
            *judge_changes(replies, rows),
            *(charge for account in ledger.accounts for charge in judge_claims_of_account(account, ledger)),
            *(charge for claim in ledger.claims for charge in judge_claim(claim, ledger)),
            *judge_waivers(replies, rows),
            *judge_crossings(ledger),
            *judge_thresholds(replies, ledger),
        ],
    )


def judge_ids(by_id: dict[str, list[Reply]], rows: dict[str, Row]) -> Iterator[Charge]:
    """What was told to clients, against the rows."""
    for id, replies in by_id.items():
        row = rows.get(id)
        decided = [reply for reply in replies if reply.is_decided]
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
            if differs := [*find_differences(reply.asked, row), *find_untruths(reply.answer, row)]:
                yield WRONG, f"{id} differs in {differs}: {reply} against {row}"


def find_differences(asked: dict[str, Any], row: Row) -> Iterator[str]:
    """The parts of a row that are not as they were asked for; without an amount, all that a hold had left."""
    for name, value in asked.items():
        found = row[name]
        if name in MOMENTS:
            value = value and datetime.fromisoformat(value)
        elif name == "amount":
            value = found if value is None else Decimal(value)
        elif name == "amount_asked" or isinstance(found, bool):
            value = value if value is None or isinstance(found, bool) else Decimal(value)
        elif found is not None and not isinstance(found, dict):
            found = str(found)
        if found != value:
            yield name


def find_untruths(answer: dict[str, Any], row: Row) -> Iterator[str]:
    """The parts of a row that are not as its client was told; a hold or claim may have changed since."""
    told: dict[str, Any]
    if code := answer.get("code"):
        told = {"id": answer["id"], "status": "DECLINED", "decline_reason": code}
        told["decline_details"] = {name: answer.get(name) for name in row["decline_details"] or ()}
    elif "remaining" in answer:
        told = {"id": answer["id"], "decline_reason": None}
        told["created_at"] = datetime.fromisoformat(answer["created_at"])
    else:
        same = ("id", "status", "version", "late")
        told = {name: answer[name] for name in same}
        told |= {name: datetime.fromisoformat(answer[name]) for name in ("recorded_at", "effective_at")}
        told["balance_after"] = Decimal(answer["balance_after"])
    for name, value in told.items():
        if (str(row[name]) if name == "id" else row[name]) != value:
            yield name


def judge_rows(unasked: Iterable[str], ledger: Ledger) -> Iterator[Charge]:
    """Rows that nobody asked for, and commands that moved more than once: their reference is their id."""
    for id in unasked:
        yield GHOSTS, f"nobody sent {id}"
    rows = [*ledger.transactions, *ledger.holds, *ledger.claims]
    rows = [row for row in rows if row["reference"] and not row.get("claim")]
    commands = Counter((row["reference"], row.get("type")) for row in rows)
    for command, times in commands.items():
        if times > 1:
            yield DOUBLED, f"the command {command} has {times} rows"
    told = Counter(event["told"] for event in ledger.events if event["type"].startswith("transaction."))
    for row in ledger.transactions:
        if told[row["id"]] != 1:
            yield DRIFT, f"{row['id']} has {told[row['id']]} events"


def judge_shown(shown: dict[str, Decimal], ledger: Ledger) -> Iterator[Charge]:
    for account in ledger.accounts:
        if (balance := shown.get(str(account["id"]))) != account["balance"]:
            yield DRIFT, f"{account['id']} is shown with {balance}, has {account['balance']}"
