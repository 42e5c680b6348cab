"""The kinds of operations: to hammer a new command, add its maker to `MAKERS`."""

import random
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from accounts.idempotency import make_uuid8
from tests.faults.operations import Operation, Plan, Row, choose_old_step, is_new, refuse

TRANSACTIONS, TRANSFERS, HOLDS = "/api/v1/transactions", "/api/v1/transfers", "/api/v1/holds"
BATCHES = "/api/v1/batches"
LATE_DAYS_MAX = 30
SECONDS_A_STEP = 0.025  # about: so that a hold expires soon after it was placed
REVERSED_APART = 15  # so that some are reversed more than once
NOT_FINAL = {"final": "false"}
OPPOSITE = {"DEPOSIT": "WITHDRAW", "WITHDRAW": "DEPOSIT"}

Item = dict[str, Any]


class Draw:
    """The choices of one step: the same ones in every process."""

    def __init__(self, plan: Plan, step: int) -> None:
        self.plan, self.step = plan, step
        self.chance = random.Random(f"{plan.seed} operation {step}")
        [self.kind] = self.chance.choices(list(MAKERS), [often for often, _ in MAKERS.values()])

    def make_id(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def choose_amount(self, cents_max: int = 9999) -> str:
        return f"{self.chance.randint(1, cents_max) / 100:.2f}"

    def choose_account(self) -> str:
        return self.chance.choice(self.plan.accounts)

    def tell_time(self, **after_began: float) -> str:
        return (datetime.fromisoformat(self.plan.began_at) + timedelta(**after_began)).isoformat()

    def choose_past(self) -> str:
        return self.tell_time(seconds=-self.chance.randint(1, LATE_DAYS_MAX * 86400))

    def toss(self, share: float = 0.5) -> bool:
        return self.chance.random() < share

    def find_old(self, kinds: Collection[str], apart: int = 1) -> Operation | None:
        """One of these kinds, from some old step on backwards; the further apart, the more find the same."""
        if self.step == 0:
            return None
        start = choose_old_step(self.plan, self.step, self.chance)
        for old in range(start - start % apart, -1, -1):
            if is_new(self.plan, old) and Draw(self.plan, old).kind in kinds:
                return make_operation(self.plan, old)
        return None


# Single transactions, alone or in a batch


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


def as_row(item: Item, account: str, type: str, **belongs: str | None) -> Row:
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
        **belongs,
    }


def make_single(make: Callable[[Draw], Item], refusal: str | None, draw: Draw) -> Operation:
    item = make(draw)
    asked = {item["id"]: as_row(item, item["account"], item["type"])}
    return Operation(draw.kind, TRANSACTIONS, item, asked, refuse(asked, refusal) if refusal else {})


def make_batch(draw: Draw, *, atomic: bool) -> Operation:
    """A few transactions, some without an id; in some lists one that is refused, or one that is also sent
    alone.
    """
    items = [draw.chance.choice(ALWAYS_DECIDED)(draw) for _ in range(draw.chance.randint(2, 4))]
    refusals: dict[str, list[str]] = {}
    single = None
    if atomic and draw.toss(0.3):
        items.append(withdraw_too_much(draw))
    if draw.toss(0.2):
        items.append(use_a_wrong_scale(draw))
        refused = items if atomic else items[-1:]
        refusals = refuse([item["id"] for item in refused], "amount_scale")
    if not atomic and draw.toss(0.3) and (single := draw.find_old(["deposit", "withdrawal"])):
        items.append(single.body)
    id, asked, commands, derived = draw.make_id(), {}, [], {}
    for place, item in enumerate(items):
        commands.append({"command": "transaction", **item})
        row_id = item["id"]
        if draw.toss(0.3) and (single is None or item is not single.body):  # then it has one all the same
            del commands[-1]["id"]
            derived[item["id"]] = row_id = str(make_uuid8(f"{id}\x00item\x00{place}".encode()))
        asked[row_id] = as_row(item, item["account"], item["type"])
    refusals = {derived.get(refused, refused): codes for refused, codes in refusals.items()}
    body = {"id": id, "atomic": atomic, "commands": commands}
    return Operation(draw.kind, BATCHES, body, asked, refusals)


# Transfers and reversals


def derive_destination_id(id: str) -> str:
    return str(make_uuid8(f"{id}\x00destination".encode()))


def make_transfer(draw: Draw, *, late: bool = False, to_nobody: bool = False) -> Operation:
    id = draw.make_id()
    source, destination = draw.chance.sample(draw.plan.accounts, 2)
    if to_nobody:
        destination = draw.make_id()
    body = {"id": id, "reference": id, "source": source, "destination": destination}
    body |= {"amount": draw.choose_amount(3000)}
    if late:
        body["effective_at"] = draw.choose_past()
    asked = {
        id: as_row(body, source, "WITHDRAW", transfer=id),
        derive_destination_id(id): as_row(body, destination, "DEPOSIT", transfer=id),
    }
    refusals = refuse(asked, "not_found") if to_nobody else {}
    return Operation(draw.kind, TRANSFERS, body, asked, refusals)


def make_reversal(draw: Draw) -> Operation:
    """Of something that perhaps is not there yet, was declined, or is reversed already."""
    id, reason = draw.make_id(), f"step {draw.step}"
    old = draw.find_old(REVERSED, apart=REVERSED_APART)
    wanted = draw.chance.choice(list(old.asked)) if old else draw.make_id()
    rows = old.asked if old else {}
    if wanted in rows and rows[wanted]["transfer"] is None:
        rows = {wanted: rows[wanted]}
    asked = {}
    for reversed_id, row in rows.items():
        is_second = len(rows) > 1 and row["type"] == "WITHDRAW"
        asked[derive_destination_id(id) if is_second else id] = as_row(
            {"amount": row["amount"], "metadata": {"reason": reason}},
            row["account_id"],
            OPPOSITE[row["type"]],
            transfer=id if len(rows) > 1 else None,
            reverses=reversed_id,
        )
    asked = asked or {id: {}}
    refusals = refuse(asked, "not_found", "not_reversible")
    path = f"{TRANSACTIONS}/{wanted}/reverse"
    return Operation(draw.kind, path, {"id": id, "reason": reason}, asked, refusals)


# Holds


def place_hold(draw: Draw, *, expires: bool = False) -> Operation:
    id, refusals = draw.make_id(), {}
    body = {"id": id, "reference": id, "account": draw.choose_account(), "amount": draw.choose_amount(5000)}
    if expires:
        soon = draw.step * SECONDS_A_STEP + draw.chance.uniform(1, 6)
        body["expires_at"] = draw.tell_time(seconds=soon)
        refusals = refuse([id], "expires_at_invalid")
    if draw.toss(0.3):
        body["metadata"] = {"step": str(draw.step)}
    asked = {
        "account_id": body["account"],
        "amount": body["amount"],
        "reference": id,
        "metadata": body.get("metadata", {}),
        "expires_at": body.get("expires_at"),
    }
    return Operation(draw.kind, HOLDS, body, {id: asked}, refusals)


def capture_hold(draw: Draw, *, final: bool) -> Operation:
    """All of it, a part, or more than there is; of a hold that perhaps is not there yet, or not any more."""
    body: Item = {"id": draw.make_id()}
    if not final or draw.toss():
        body["amount"] = draw.choose_amount(2000)
    if not final:
        body["final"] = False
    old = draw.find_old(HELD)
    [(hold, row)] = old.asked.items() if old else [(draw.make_id(), {"account_id": None})]
    wanted = {**body, "metadata": {} if final else NOT_FINAL}
    asked = {body["id"]: as_row(wanted, row["account_id"], "WITHDRAW", hold=hold)}
    return Operation(draw.kind, f"{HOLDS}/{hold}/capture", body, asked, refuse(asked, "not_found"))


def release_hold(draw: Draw) -> Operation:
    old = draw.find_old(HELD)
    [hold] = old.asked if old else [draw.make_id()]
    asked = {f"release of {hold}": {"hold": hold}}
    return Operation(draw.kind, f"{HOLDS}/{hold}/release", None, asked, refuse(asked, "not_found"))


Maker = Callable[[Draw], Operation]

# name: (how often, maker)
MAKERS: dict[str, tuple[int, Maker]] = {
    "deposit": (26, partial(make_single, deposit, None)),
    "withdrawal": (14, partial(make_single, withdraw, None)),
    "late deposit": (9, partial(make_single, ALWAYS_DECIDED[2], None)),
    "late withdrawal": (9, partial(make_single, ALWAYS_DECIDED[3], None)),
    "withdrawal of too much": (3, partial(make_single, withdraw_too_much, None)),
    "wrong scale": (2, partial(make_single, use_a_wrong_scale, "amount_scale")),
    "unknown account": (2, partial(make_single, use_an_unknown_account, "not_found")),
    "from the future": (2, partial(make_single, come_from_the_future, "effective_at_in_future")),
    "batch": (6, partial(make_batch, atomic=False)),
    "atomic batch": (7, partial(make_batch, atomic=True)),
    "transfer": (10, make_transfer),
    "late transfer": (4, partial(make_transfer, late=True)),
    "transfer to nobody": (2, partial(make_transfer, to_nobody=True)),
    "reversal": (10, make_reversal),
    "hold": (7, place_hold),
    "hold that expires": (6, partial(place_hold, expires=True)),
    "capture": (8, partial(capture_hold, final=True)),
    "capture that is not final": (9, partial(capture_hold, final=False)),
    "release": (5, release_hold),
}
HELD = {"hold", "hold that expires"}
REVERSED = MAKERS.keys() - HELD - {"release"}


def make_operation(plan: Plan, step: int) -> Operation:
    draw = Draw(plan, step)
    _, make = MAKERS[draw.kind]
    return make(draw)
