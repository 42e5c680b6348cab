"""Operations of a row or two: transactions, transfers, reversals, holds and what becomes of them."""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from tests.faults.draws import Draw, Item
from tests.faults.operations import Operation, Row, refuse
from tests.reference_commands import derive_id

TRANSACTIONS, TRANSFERS, HOLDS = "/api/v1/transactions", "/api/v1/transfers", "/api/v1/holds"
SECONDS_A_STEP = 0.025  # about: so that a hold expires soon after it was placed
REVERSED_APART = 15  # so that some are reversed more than once
OPPOSITE = {"DEPOSIT": "WITHDRAW", "WITHDRAW": "DEPOSIT"}


# Single transactions, alone or in a list


def make_item(draw: Draw, type: str, *, late: bool = False, **fields: Any) -> Item:
    id = draw.make_id()
    item = {"id": id, "reference": id, "account": draw.choose_account(), "type": type}
    item |= {"amount": draw.choose_amount(), **fields}
    if late:
        item["effective_at"] = draw.choose_past()
    if draw.toss(0.3):
        item["metadata"] = {"step": str(draw.step)}
    return item


def withdraw_too_much(draw: Draw) -> Item:
    return make_item(draw, "WITHDRAW", amount=f"{draw.chance.randint(10**6, 10**9)}.00")


def use_an_unknown_account(draw: Draw) -> Item:
    return make_item(draw, "DEPOSIT", account=draw.make_id())


deposit = partial(make_item, type="DEPOSIT")
withdraw = partial(make_item, type="WITHDRAW")
use_a_wrong_scale = partial(deposit, amount="0.001")
come_from_the_future = partial(deposit, effective_at="2999-01-01T00:00:00Z")
ALWAYS_DECIDED = [deposit, withdraw, partial(deposit, late=True), partial(withdraw, late=True)]


def as_row(item: Item, account: str, type: str, **belongs: Any) -> Row:
    """What the columns of a row must be."""
    return {
        "account_id": account,
        "type": type,
        "amount": item.get("amount"),
        "reference": item.get("reference", ""),
        "metadata": item.get("metadata", {}),
        "effective_at_asked": item.get("effective_at"),
        "transfer": None,
        "reverses": None,
        "hold": None,
        "final": None,
        "batch": None,
        **belongs,
    }


def make_single(make: Callable[[Draw], Item], refusal: str | None, draw: Draw) -> Operation:
    item = make(draw)
    asked = {item["id"]: as_row(item, item["account"], item["type"])}
    del asked[item["id"]]["batch"]  # a list may send it too
    return Operation(draw.kind, TRANSACTIONS, item, asked, refuse(asked, refusal) if refusal else {})


# Transfers and reversals


def derive_destination_id(id: str) -> str:
    return str(derive_id(f"{id}\0destination"))


def make_transfer_body(draw: Draw, *, late: bool = False, is_exchange: bool = False) -> Item:
    id = draw.make_id()
    source, destination = draw.choose_two()
    body: Item = {"id": id, "reference": id, "amount": draw.choose_amount(3000)}
    if is_exchange and draw.plan.euros:
        source, destination = (draw.chance.choice(each) for each in (draw.plan.accounts, draw.plan.euros))
        if draw.toss():
            source, destination = destination, source
        body["destination_amount"] = draw.choose_amount(3000)
    body |= {"source": source, "destination": destination}
    if late:
        body["effective_at"] = draw.choose_past()
    return body


def as_legs(body: Item, id: str, **belongs: str) -> dict[str, Row]:
    received = body.get("destination_amount", body["amount"])
    return {
        id: as_row(body, body["source"], "WITHDRAW", transfer=id, **belongs),
        derive_destination_id(id): as_row(
            {**body, "amount": received}, body["destination"], "DEPOSIT", transfer=id, **belongs
        ),
    }


def make_transfer(
    draw: Draw, *, late: bool = False, to_nobody: bool = False, is_exchange: bool = False
) -> Operation:
    body = make_transfer_body(draw, late=late, is_exchange=is_exchange)
    if to_nobody:
        body["destination"] = draw.make_id()
    asked = as_legs(body, body["id"])
    refusals = refuse(asked, "not_found") if to_nobody else {}
    return Operation(draw.kind, TRANSFERS, body, asked, refusals)


def make_reversal(draw: Draw, *, kinds: frozenset[str]) -> Operation:
    """Of something that perhaps is not there yet, was declined, or is reversed already."""
    id, reason = draw.make_id(), f"step {draw.step}"
    old = draw.find_old(kinds, apart=REVERSED_APART)
    rows = {each: row for each, row in old.asked.items() if "type" in row} if old else {}
    wanted = draw.chance.choice(list(rows)) if rows else draw.make_id()
    body = {"id": id, "reason": reason}
    if draw.toss(0.6):
        body["amount"] = choose_part(draw, rows.get(wanted))
    if draw.toss(0.1):
        body["effective_at"] = draw.choose_past()
    asked = take_back(wanted, rows, body) or {id: {}}
    refusals = refuse(asked, "not_found", "not_reversible", "effective_at_too_early")
    return Operation(draw.kind, f"{TRANSACTIONS}/{wanted}/reverse", body, asked, refusals)


def choose_part(draw: Draw, row: Row | None) -> str:
    """Of the amount of the row, if it is known."""
    cents = int(Decimal((row or {}).get("amount") or 10) * 100)
    return draw.choose_amount(max(1, cents))


def take_back(wanted: str, rows: dict[str, Row], body: Item, **belongs: str) -> dict[str, Row]:
    """The rows that take back one of `rows`, or the transfer that it is of: however much that is."""
    id = body["id"]
    if wanted not in rows:
        return {}
    transfer = rows[wanted]["transfer"]
    legs = [each for each in rows if each == wanted or (transfer and rows[each].get("transfer") == transfer)]
    asked = {}
    for reversed_id in legs:
        row = rows[reversed_id]
        is_second = len(legs) > 1 and row["type"] == "WITHDRAW"
        asked[derive_destination_id(id) if is_second else id] = as_row(
            {"metadata": {"reason": body["reason"]}, "effective_at": body.get("effective_at")},
            row["account_id"],
            OPPOSITE[row["type"]],
            amount_asked=body.get("amount") if reversed_id == wanted else None,
            transfer=id if len(legs) > 1 else None,
            reverses=reversed_id,
            **belongs,
        )
    return asked


# Holds


def make_hold_body(draw: Draw) -> Item:
    id = draw.make_id()
    body = {"id": id, "reference": id, "account": draw.choose_account(), "amount": draw.choose_amount(2000)}
    if draw.toss(0.3):
        body["metadata"] = {"step": str(draw.step)}
    return body


def as_hold(body: Item, batch: str | None = None) -> Row:
    return {
        "account_id": body["account"],
        "amount_asked": body["amount"],
        "reference": body["reference"],
        "metadata": body.get("metadata", {}),
        "expires_at_asked": body.get("expires_at"),
        "batch": batch,
    }


def place_hold(draw: Draw, *, expires: bool = False) -> Operation:
    body, refusals = make_hold_body(draw), {}
    if expires:
        soon = draw.step * SECONDS_A_STEP + draw.chance.uniform(1, 6)
        body["expires_at"] = draw.tell_time(seconds=soon)
        refusals = refuse([body["id"]], "expires_at_invalid")
    return Operation(draw.kind, HOLDS, body, {body["id"]: as_hold(body)}, refusals)


def make_capture_body(draw: Draw, *, final: bool) -> Item:
    """All of it, a part, or more than there is."""
    body: Item = {"id": draw.make_id()}
    if not final or draw.toss():
        body["amount"] = draw.choose_amount(900)
    if not final:
        body["final"] = False
    return body


def send_into(draw: Draw, body: Item, account: str | None, *, several: bool) -> None:
    """Let the capture go into accounts, mostly in the hold's currency: one, or as many as three."""
    alike = draw.plan.euros if account in draw.plan.euros and len(draw.plan.euros) > 1 else draw.plan.accounts
    others = [each for each in alike if each != account]
    if not several:
        body["destination"] = draw.chance.choice(others)
        return
    body.pop("amount", None)
    body["destinations"] = [
        {"destination": draw.chance.choice(others), "amount": draw.choose_amount(500)}
        for _ in range(draw.chance.randint(1, 3))
    ]


def as_capture(body: Item, hold: str, account: str, **belongs: str) -> dict[str, Row]:
    """Its rows: with destinations two for each of them."""
    own = {"hold": hold, "final": body.get("final", True), **belongs}
    if "destinations" not in body and "destination" not in body:
        return {body["id"]: as_row(body, account, "WITHDRAW", **own) | {"amount_asked": body.get("amount")}}
    parts = body.get("destinations") or [{**body, "amount": body.get("amount")}]
    amounts = [part["amount"] for part in parts]
    asked = amounts[0] if None in amounts else str(sum(map(Decimal, amounts)))
    rows = {}
    for number, part in enumerate(parts):
        id = derive_part_id(body["id"], number)
        wanted = {"amount": part["amount"]}
        rows[id] = as_row(wanted, account, "WITHDRAW", transfer=id, **own) | {"amount_asked": asked}
        rows[derive_destination_id(id)] = as_row(
            wanted, part["destination"], "DEPOSIT", transfer=id, **belongs
        )
    return rows


def derive_part_id(id: str, number: int) -> str:
    return str(derive_id(f"{id}\0part\0{number}")) if number else id


def capture_hold(draw: Draw, *, final: bool, into: str = "") -> Operation:
    """Of a hold that perhaps is not there yet, or not any more; `into` one account, or several."""
    hold, row = draw.choose_hold()
    body = make_capture_body(draw, final=final)
    if into:
        send_into(draw, body, row["account_id"], several=into == "several")
    asked = as_capture(body, hold, row["account_id"])
    refusals = refuse(asked, "not_found", "currency_mismatch", "same_account")
    return Operation(draw.kind, f"{HOLDS}/{hold}/capture", body, asked, refusals)


def change_hold(draw: Draw) -> Operation:
    """To another amount, another end, or both: totals, so that there is no id."""
    hold, _ = draw.choose_hold()
    body: Item = {}
    if draw.toss(0.7):
        body["amount"] = draw.choose_amount(3000 if draw.toss(0.6) else 10**8)
    if not body or draw.toss(0.3):
        soon = draw.step * SECONDS_A_STEP + draw.chance.uniform(1, 9)
        body["expires_at"] = draw.tell_time(seconds=soon) if draw.toss(0.7) else None
    asked = {f"change of {hold} {json.dumps(body)}": {"hold": hold, "changes": body}}
    refusals = refuse(asked, "not_found", "expires_at_invalid", "amount_captured")
    return Operation(draw.kind, f"{HOLDS}/{hold}", body, asked, refusals, method="PATCH")


def as_release(hold: str) -> dict[str, Row]:
    return {f"release of {hold}": {"hold": hold}}


def release_hold(draw: Draw) -> Operation:
    hold, _ = draw.choose_hold()
    asked = as_release(hold)
    return Operation(draw.kind, f"{HOLDS}/{hold}/release", None, asked, refuse(asked, "not_found"))
