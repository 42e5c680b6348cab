"""The verdict on what belongs together: transfers, exchanges, and reversals with what they take back."""

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from uuid import UUID

from tests.faults.charges import DOUBLED, TORN, WRONG, Charge
from tests.faults.ledger import Ledger, Row
from tests.faults.makers_of_rows import OPPOSITE, derive_destination_id, derive_part_id
from tests.faults.replies import BATCH_DECLINED, DEFINITIVE, TRANSFER_DECLINED, Reply
from tests.faults.verdict_on_accounts import group

ALREADY_REVERSED, NOT_REVERSIBLE, TOO_LARGE = "already_reversed", "not_reversible", "reversal_too_large"
DERIVED = 8  # the version of ids that are made of other ones


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
            if is_first and rows and reasons != {BATCH_DECLINED}:
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


def judge_reversals(replies: Iterable[Reply], rows: dict[str, Row], ledger: Ledger) -> Iterator[Charge]:
    """Never more than there was, on the same account; of a transfer both legs, whole or neither whole."""
    reversals = [row for row in ledger.transactions if row["reverses"]]
    claimed, beside = as_reversals(ledger)
    asked, order = [*reversals, *claimed], find_order(ledger)
    taken_back = [row for row in [*asked, *beside] if row["status"] == "POSTED"]
    posted = group(sorted(taken_back, key=lambda row: order[str(row["id"])]), "reverses")
    for row in asked:
        before = rows.get(str(row["reverses"]))
        if before is None or not is_opposite(row, before) or not is_reversible(before):
            yield WRONG, f"{row} reverses {before}"
            continue
        if (before["transfer"] is None) != (row["transfer"] is None):
            yield TORN, f"{row} takes back a part of the transfer {before['transfer']}"
        now = order[str(row["id"])]
        taken = [each for each in posted[before["id"]] if order[str(each["id"])] < now]
        yield from judge_part(row, before["amount"] - sum(each["amount"] for each in taken), taken)
    for row in rows.values():
        if row.get("transfer") and str(row["transfer"]) == str(row["id"]):
            legs = [row, rows.get(derive_destination_id(str(row["id"])))]
            are_whole = {
                leg and sum(part["amount"] for part in posted[leg["id"]]) == leg["amount"] for leg in legs
            }
            if len(are_whole) > 1:
                yield TORN, f"one leg of {row['id']} was taken back whole, the other was not"
    for reply in replies:
        if reply.answer.get("code") == NOT_REVERSIBLE and is_refused_itself(reply):
            before = rows.get(str(reply.asked["reverses"]))
            if before is None or is_reversible(before):
                yield WRONG, f"{reply} was refused, but it is {before}"


def is_refused_itself(reply: Reply) -> bool:
    """And not another item of its list, with which all of it is refused."""
    operation = reply.operation
    if reply.meaning != DEFINITIVE or operation.takes_list_back or not reply.asked.get("reverses"):
        return False
    pointers = [error["pointer"] for error in reply.answer.get("errors", ())]
    places = [number for number, ids in enumerate(operation.items) if reply.id in ids]
    return not places or not pointers or pointers == [f"/commands/{place}" for place in places]


def as_reversals(ledger: Ledger) -> tuple[list[Row], list[Row]]:
    """Claims that take something back as what they take of the account that got it; and, of a transfer, what
    that counts for on its other side."""
    claimed, beside = [], []
    for claim in ledger.claims:
        if claim["reverses"] is None:
            continue
        status = "DECLINED" if claim["status"] == "DECLINED" else "POSTED"
        row = {**claim, "status": status, "type": "WITHDRAW", "transfer": None}
        if claim["destination"]:
            beside.append(row)
            received = UUID(derive_destination_id(str(claim["reverses"])))
            row = {**row, "reverses": received, "transfer": claim["reverses"]}
        claimed.append(row)
    return claimed, beside


def find_order(ledger: Ledger) -> defaultdict[str, int]:
    """In which reversals and claims of the same money were decided: by the events of the account that got it.
    Of a transfer back both legs have the place of the one that pays. What nobody was told of comes last.
    """
    opened = ("claim.opened", "claim.declined")
    order: defaultdict[str, int] = defaultdict(lambda: sys.maxsize)
    order |= {event["data"]["id"]: event["sequence"] for event in ledger.events if event["type"] in opened}
    order |= {str(event["told"]): event["sequence"] for event in ledger.events if event["told"]}
    legs = {str(row["id"]): str(row["transfer"]) for row in ledger.transactions if row["transfer"]}
    order.update({id: order[transfer] for id, transfer in legs.items() if transfer in order})
    return order


def judge_part(row: Row, left: Decimal, taken: list[Row]) -> Iterator[Charge]:
    """What a reversal took or did not take, when so much was left by those before it."""
    asked, details = row["amount_asked"], row["decline_details"] or {}
    if row["status"] == "POSTED":
        if row["amount"] > left:
            yield DOUBLED, f"{row['reverses']} was reversed beyond what there was: {[*taken, row]}"
        elif row["amount"] != (asked or left) and (asked or not row["transfer"]):
            yield WRONG, f"{row} reverses another part than was asked for; {left} were left"
    elif row["decline_reason"] == ALREADY_REVERSED:
        by = [str(each["id"]) for each in taken]
        if not any("collected" in each for each in taken):  # claims of the same list may be in another order
            by = by[-1:]
        if left or details["reversed_by"] not in by:
            yield WRONG, f"{row['id']} was told of another reversal than {by}, when {left} were left"
    elif row["decline_reason"] == TOO_LARGE and asked and Decimal(details["left"]) != left:
        yield WRONG, f"{row['id']} was told another rest than {left}"


def is_opposite(row: Row, before: Row) -> bool:
    return row["account_id"] == before["account_id"] and row["type"] == OPPOSITE[before["type"]]


def is_reversible(row: Row) -> bool:
    return row["status"] == "POSTED" and row["reverses"] is None
