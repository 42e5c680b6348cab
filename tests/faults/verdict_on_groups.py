"""The verdict on what belongs together: transfers, atomic batches, and reversals with what they take back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from tests.faults.charges import DOUBLED, TORN, WRONG, Charge
from tests.faults.ledger import Ledger, Row
from tests.faults.makers import OPPOSITE, derive_destination_id
from tests.faults.replies import BATCH_DECLINED, DEFINITIVE, TRANSFER_DECLINED, Reply

ALREADY_REVERSED, NOT_REVERSIBLE = "already_reversed", "not_reversible"


def group(rows: Iterable[Row], column: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        if row[column] is not None:
            groups[row[column]].append(row)
    return groups


def judge_transfers(ledger: Ledger) -> Iterator[Charge]:
    """Both legs or neither: of the same amount, at the same moments, from one account to another."""
    for transfer, rows in group(ledger.transactions, "transfer").items():
        legs = {row["type"]: row for row in rows}
        if len(rows) != 2 or len(legs) != 2:
            yield TORN, f"the transfer {transfer} has the legs {rows}"
            continue
        ids = (str(legs["WITHDRAW"]["id"]), str(legs["DEPOSIT"]["id"]))
        if ids != (str(transfer), derive_destination_id(str(transfer))):
            yield WRONG, f"the legs of the transfer {transfer} are {ids}"
        differing = ("amount", "recorded_at", "effective_at")
        if any(rows[0][name] != rows[1][name] for name in differing):
            yield TORN, f"the legs of the transfer {transfer} differ: {rows}"
        if rows[0]["account_id"] == rows[1]["account_id"]:
            yield WRONG, f"the transfer {transfer} stays in its account"
        yield from judge_group(rows, TRANSFER_DECLINED)


def judge_batches(replies: Iterable[Reply], rows: dict[str, Row]) -> Iterator[Charge]:
    atomic = {tuple(reply.operation.asked) for reply in replies if reply.operation.is_atomic}
    for ids in atomic:
        there = [rows[id] for id in ids if id in rows]
        if there and len(there) != len(ids):
            yield TORN, f"{len(there)} of the batch {ids} are there"
        elif there:
            yield from judge_group(there, BATCH_DECLINED)


def judge_group(rows: list[Row], because_of_another: str) -> Iterator[Charge]:
    """All posted; or all declined, one for a reason of its own, and the others because of that one."""
    if len({row["status"] for row in rows}) > 1:
        yield TORN, f"posted in part: {rows}"
    elif rows[0]["status"] == "DECLINED":
        culprits = [row for row in rows if row["decline_reason"] != because_of_another]
        others = [row for row in rows if row not in culprits]
        named = {row["decline_details"].get("culprit") for row in others}
        if named != {str(row["id"]) for row in culprits} or len(culprits) != 1:
            yield WRONG, f"declined because of each other: {rows}"


def judge_reversals(replies: Iterable[Reply], rows: dict[str, Row]) -> Iterator[Charge]:
    """Once, in full, on the same account; of a transfer both legs."""
    asked = [row for row in rows.values() if row.get("reverses")]
    posted = group((row for row in asked if row["status"] == "POSTED"), "reverses")
    for reversed_id, reversals in posted.items():
        if len(reversals) > 1:
            yield DOUBLED, f"{reversed_id} was reversed by {[str(row['id']) for row in reversals]}"
    for row in asked:
        before = rows.get(str(row["reverses"]))
        if before is None or not is_opposite(row, before) or not is_reversible(before):
            yield WRONG, f"{row} reverses {before}"
        elif (before["transfer"] is None) != (row["transfer"] is None):
            yield TORN, f"{row} takes back a part of the transfer {before['transfer']}"
        if row["decline_reason"] == ALREADY_REVERSED:
            by = [str(other["id"]) for other in posted[row["reverses"]]]
            if by != [row["decline_details"]["reversed_by"]]:
                yield WRONG, f"{row['id']} was told of another reversal than {by}"
    for reply in replies:
        if reply.meaning == DEFINITIVE and reply.answer.get("code") == NOT_REVERSIBLE:
            before = rows.get(str(reply.asked.get("reverses")))
            if before is None or is_reversible(before):
                yield WRONG, f"{reply} was refused, but it is {before}"


def is_opposite(row: Row, before: Row) -> bool:
    same = ("account_id", "amount")
    return all(row[name] == before[name] for name in same) and row["type"] == OPPOSITE[before["type"]]


def is_reversible(row: Row) -> bool:
    return row["status"] == "POSTED" and row["reverses"] is None
