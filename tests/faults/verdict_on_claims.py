"""The verdict on what is owed: claims, what was collected of them, and what their accounts say of them."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from tests.faults.charges import DRIFT, LOST, OWED, WRONG, Charge
from tests.faults.ledger import Ledger, Row
from tests.faults.replies import Reply
from tests.reference_commands import derive_collection_id

ENDS = {"WAIVED": ["claim.waived"]}  # the last collection tells of COLLECTED


def judge_claims_of_account(account: Row, ledger: Ledger) -> Iterator[Charge]:
    """It owes what was claimed, less what was collected and what was waived; and has nothing free then."""
    id = account["id"]
    claims = [claim for claim in ledger.claims if claim["account_id"] == id and claim["status"] != "DECLINED"]
    claimed = sum((claim["amount"] for claim in claims), Decimal(0))
    waived = sum((left(claim) for claim in claims if claim["status"] == "WAIVED"), Decimal(0))
    rows = [row for row in ledger.transactions if row["account_id"] == id and is_collection(row)]
    collected = sum((row["amount"] for row in rows), Decimal(0))
    if account["owed"] != claimed - collected - waived or account["owed"] < 0:
        yield OWED, f"{id} owes {account['owed']}, not {claimed} - {collected} - {waived}"
    is_free = account["balance"] > account["held"]
    if account["owed"] and is_free and not goes_round(id, ledger):
        yield OWED, f"{account} owes and has what could be taken"


def goes_round(account: object, ledger: Ledger) -> bool:
    """Whether what is taken of the account comes back to it, as often as one unit takes it."""
    pays: dict[object, set[object]] = {}
    for claim in ledger.claims:
        if claim["status"] == "OPEN" and claim["destination"]:
            pays.setdefault(claim["account_id"], set()).add(claim["destination"])
    seen, waiting = set(), list(pays.get(account, ()))
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += pays.get(each, ())
    return account in seen


def judge_claim(claim: Row, ledger: Ledger) -> Iterator[Charge]:
    rows = {str(row["id"]): row for row in ledger.transactions if row["claim"] == claim["id"]}
    taken = [derive_collection_id(claim["id"], number) for number in range(claim["collections"])]
    collections = [rows.get(str(id)) for id in taken]
    if None in collections or sum(map(is_collection, rows.values())) != len(taken):
        yield OWED, f"{claim} has the collections {rows}"
        return
    if sum((row["amount"] for row in collections if row), Decimal(0)) != claim["collected"]:
        yield OWED, f"{claim} was collected by {collections}"
    if claim["destination"] and len(rows) != 2 * len(taken):
        yield OWED, f"{claim} is paid to nobody by some of {rows}"
    for row in rows.values():
        account = claim["account_id"] if row["type"] == "WITHDRAW" else claim["destination"]
        is_paid = (row["transfer"] is None) == (claim["destination"] is None)
        if row["account_id"] != account or row["status"] != "POSTED" or not is_paid:
            yield OWED, f"{claim} is paid otherwise by {row}"
    if claim["status"] != "WAIVED" and (claim["status"] == "COLLECTED") != (left(claim) == 0):
        yield OWED, f"{claim} does not fit what was collected"
    yield from judge_events(claim, ledger)


def judge_events(claim: Row, ledger: Ledger) -> Iterator[Charge]:
    events = [
        event
        for event in ledger.events
        if event["type"].startswith("claim.") and event["data"]["id"] == str(claim["id"])
    ]
    expected = ["claim.opened", *["claim.collected"] * claim["collections"], *ENDS.get(claim["status"], [])]
    if claim["status"] == "DECLINED":
        expected = ["claim.declined"]
    if [event["type"] for event in events] != expected:
        yield DRIFT, f"{claim} has the events {events}"
    elif (last := events[-1]["data"])["status"] != claim["status"] or (
        Decimal(last["collected"]) != claim["collected"]
    ):
        yield DRIFT, f"the last event of {claim} is {last}"


def judge_waivers(replies: Iterable[Reply], rows: dict[str, Row]) -> Iterator[Charge]:
    """Whose waiver was answered was told what became of the claim."""
    for reply in replies:
        if reply.asked.keys() != {"claim"} or not reply.is_decided:
            continue
        claim = rows.get(reply.asked["claim"])
        if claim is None:
            yield LOST, f"{reply} was told of a claim that is not there"
        elif reply.answer["status" if reply.status == 200 else "claim_status"] != claim["status"]:
            yield WRONG, f"{reply} was told otherwise of {claim}"


def is_collection(row: Row) -> bool:
    """And not what its destination gets."""
    return row["claim"] is not None and row["type"] == "WITHDRAW"


def left(claim: Row) -> Decimal:
    rest: Decimal = claim["amount"] - claim["collected"]
    return rest
