"""The verdict on what belongs together: transfers, exchanges, and reversals with what they take back."""

from collections.abc import Collection, Iterable, Iterator
from uuid import UUID

from tests.faults.charges import DOUBLED, TORN, WRONG, Charge
from tests.faults.ledger import Ledger, Row
from tests.faults.makers_of_rows import OPPOSITE, derive_destination_id, derive_part_id
from tests.faults.replies import BATCH_DECLINED, DEFINITIVE, TRANSFER_DECLINED, Reply
from tests.faults.verdict_on_accounts import group

DERIVED = 8  # the version of ids that are made of other ones
ALREADY_REVERSED, NOT_REVERSIBLE = "already_reversed", "not_reversible"


def judge_transfers(ledger: Ledger) -> Iterator[Charge]:
    """Both legs or neither: of the same amount, at the same moments, from one account to another; an exchange
    has two amounts.
    """
    currencies = {account["id"]: account["currency"] for account in ledger.accounts}
    for transfer, rows in group(ledger.transactions, "transfer").items():
        legs = {row["type"]: row for row in rows}
        if len(rows) != 2 or len(legs) != 2:
            yield TORN, f"the transfer {transfer} has the legs {rows}"
            continue
        ids = (str(legs["WITHDRAW"]["id"]), str(legs["DEPOSIT"]["id"]))
        if ids != (str(transfer), derive_destination_id(str(transfer))):
            yield WRONG, f"the legs of the transfer {transfer} are {ids}"
        differing = ["recorded_at", "effective_at"]
        if len({currencies.get(row["account_id"]) for row in rows}) == 1:
            differing.append("amount")
        if any(rows[0][name] != rows[1][name] for name in differing):
            yield TORN, f"the legs of the transfer {transfer} differ: {rows}"
        if rows[0]["account_id"] == rows[1]["account_id"]:
            yield WRONG, f"the transfer {transfer} stays in its account"
        if {row["decline_reason"] for row in rows} not in ({BATCH_DECLINED}, {TRANSFER_DECLINED}):
            yield from judge_group(rows, [TRANSFER_DECLINED])  # else its list or its capture knows why


def judge_parts(ledger: Ledger) -> Iterator[Charge]:
    """Of a capture into accounts all of them are paid, or none."""
    legs = group(ledger.transactions, "transfer")
    known = {str(row["id"]) for row in ledger.transactions}
    for row in ledger.transactions:
        if row["type"] == "WITHDRAW" and row["transfer"]:
            ids = find_parts(str(row["id"]), known) if row["hold"] else [str(row["id"])]
            rows = [leg for id in ids for leg in legs.get(UUID(id), ())]
            is_first = not row["hold"] or row["id"].version != DERIVED or len(ids) > 1
            reasons = {leg["decline_reason"] for leg in rows}
            if is_first and reasons != {BATCH_DECLINED}:
                yield from judge_group(rows, [TRANSFER_DECLINED])


def find_parts(capture: str, known: Collection[str]) -> list[str]:
    """The ids of the parts of a capture that are there, one after the other."""
    ids = [capture]
    while (following := derive_part_id(capture, len(ids))) in known:
        ids.append(following)
    return ids


def judge_group(rows: list[Row], because_of_another: Collection[str]) -> Iterator[Charge]:
    """All posted; or all declined, one for a reason of its own, and the others because of that one."""
    if len({row["status"] == "DECLINED" for row in rows}) > 1:
        yield TORN, f"posted in part: {rows}"
    elif rows[0]["status"] == "DECLINED":
        culprits = [row for row in rows if row["decline_reason"] not in because_of_another]
        others = [row for row in rows if row not in culprits]
        named = {row["decline_details"].get("culprit") for row in others}
        if len(culprits) != 1 or named - {str(culprits[0]["id"])}:  # a list may have made nothing else
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
        is_of_list = reply.operation.takes_list_back or not reply.asked.get("reverses")
        if reply.meaning == DEFINITIVE and reply.answer.get("code") == NOT_REVERSIBLE and not is_of_list:
            before = rows.get(str(reply.asked["reverses"]))
            if before is None or is_reversible(before):
                yield WRONG, f"{reply} was refused, but it is {before}"


def is_opposite(row: Row, before: Row) -> bool:
    same = ("account_id", "amount")
    return all(row[name] == before[name] for name in same) and row["type"] == OPPOSITE[before["type"]]


def is_reversible(row: Row) -> bool:
    return row["status"] == "POSTED" and row["reverses"] is None
