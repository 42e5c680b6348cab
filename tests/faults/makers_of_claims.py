"""Operations about what accounts owe, and about the amounts at which somebody wants to be told."""

from collections.abc import Collection

from tests.faults.draws import Draw, Item
from tests.faults.makers_of_rows import REVERSED_APART, TRANSACTIONS, choose_part
from tests.faults.operations import Operation, Row, refuse

ACCOUNTS, CLAIMS = "/api/v1/accounts", "/api/v1/claims"
CLAIMED = {"claim", "claimed reversal"}
# Of thresholds, of which an account has up to 20.
LEVELS = ["5.00", "50.00", "100.00", "200.00", "300.00", "500.00", "800.00", "1300.00", "2100.00"]


def make_claim_body(draw: Draw) -> Item:
    """To be paid to another account in the same currency, or to nobody in the ledger."""
    id = draw.make_id()
    account, other = draw.choose_two()
    body = {"id": id, "reference": id, "account": account, "reason": f"step {draw.step}"}
    body["amount"] = draw.choose_amount(60000 if draw.toss(0.1) else 4000)
    if draw.toss():
        body["destination"] = other
    return body


def as_claim(body: Item, batch: str | None = None) -> Row:
    return {
        "account_id": body["account"],
        "amount_asked": body["amount"],
        "reason": body["reason"],
        "reference": body["reference"],
        "destination": body.get("destination"),
        "reverses": None,
        "batch": batch,
    }


def open_claim(draw: Draw) -> Operation:
    body = make_claim_body(draw)
    asked = {body["id"]: as_claim(body)}
    account = body.pop("account")
    return Operation(draw.kind, f"{ACCOUNTS}/{account}/claims", body, asked)


def claim_back(draw: Draw, *, kinds: Collection[str]) -> Operation:
    """A reversal that is a claim: of money that came in, or of what perhaps is none."""
    id, reason = draw.make_id(), f"step {draw.step}"
    old = draw.find_old(kinds, apart=REVERSED_APART)
    rows = {each: row for each, row in old.asked.items() if "type" in row} if old else {}
    wanted = draw.chance.choice(list(rows)) if rows else draw.make_id()
    body = {"id": id, "reason": reason, "claim": True}
    if draw.toss(0.4):
        body["amount"] = choose_part(draw, rows.get(wanted))
    asked = as_claimed(wanted, rows, body) or {id: {}}
    refusals = refuse(asked, "not_found", "not_reversible", "not_claimable")
    return Operation(draw.kind, f"{TRANSACTIONS}/{wanted}/reverse", body, asked, refusals)


def as_claimed(wanted: str, rows: dict[str, Row], body: Item, batch: str | None = None) -> dict[str, Row]:
    """The claim that takes back one of `rows`, or the transfer that it is of, in favour of its source."""
    if wanted not in rows:
        return {}
    transfer = rows[wanted]["transfer"]
    legs = {id: row for id, row in rows.items() if id == wanted or (transfer and row["transfer"] == transfer)}
    received = next((id for id, row in legs.items() if row["type"] == "DEPOSIT"), None)
    if received is None:
        return {}
    claim: Row = {
        "account_id": legs[received]["account_id"],
        "amount_asked": body.get("amount"),
        "reason": body["reason"],
        "reference": "",
        "destination": next((row["account_id"] for id, row in legs.items() if id != received), None),
        "reverses": transfer or received,
        "batch": batch,
    }
    return {body["id"]: claim}


def waive_claim(draw: Draw) -> Operation:
    """What is left of a claim that perhaps is not there yet, or not open any more."""
    old = draw.find_old(CLAIMED)
    claim = next(iter(old.asked)) if old else draw.make_id()
    asked = {f"waiver of {claim}": {"claim": claim}}
    body = {"reason": f"step {draw.step}"}
    return Operation(draw.kind, f"{CLAIMS}/{claim}/waive", body, asked, refuse(asked, "not_found"))


def set_threshold(draw: Draw) -> Operation:
    """The same one more than once: it is known by what is compared with what."""
    account = draw.choose_account()
    body = {"of": draw.chance.choice(["balance", "available"]), "amount": draw.chance.choice(LEVELS)}
    asked = {f"threshold {body} of {account}": {"threshold": {"account": account, **body}}}
    return Operation(draw.kind, f"{ACCOUNTS}/{account}/thresholds", body, asked)
