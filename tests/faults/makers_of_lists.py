"""Lists of commands of all kinds, some of whose items name others, and what takes a list back."""

from collections.abc import Callable
from functools import partial

from tests.faults.draws import LISTS, Draw, Item
from tests.faults.makers_of_claims import as_claim, claim_back, make_claim_body
from tests.faults.makers_of_rows import (
    ALWAYS_DECIDED,
    as_capture,
    as_hold,
    as_legs,
    as_release,
    as_row,
    deposit,
    make_capture_body,
    make_hold_body,
    make_reversal,
    make_transfer_body,
    send_into,
    take_back,
    use_a_wrong_scale,
    withdraw_too_much,
)
from tests.faults.operations import BATCHES, Operation, Row, refuse
from tests.reference_commands import derive_id, derive_item_id

TAKEN_BACK_APART = 5  # so that some are taken back more than once
TAKEN_BACK_ALONE = frozenset({"deposit", "transfer", "exchange"})


class Draft:
    """A list that is being made. `rows` of an item are by their ids."""

    def __init__(self, draw: Draw) -> None:
        self.draw, self.id = draw, draw.make_id()
        self.items: list[Item] = []
        self.rows: list[dict[str, Row]] = []
        self.refusals: list[list[str]] = []

    def add(self, command: str, item: Item, rows: dict[str, Row], *refusals: str) -> None:
        self.items.append({"command": command, **item})
        self.rows.append(rows)
        self.refusals.append(list(refusals))

    def name(self, item: Item) -> str:
        """The id of the item: perhaps it is left out, and derived from the list's."""
        if self.draw.toss(0.6):
            return str(item["id"])
        del item["id"]
        return str(derive_item_id(self.id, len(self.items)))

    def add_transaction(self, item: Item, *refusals: str) -> None:
        row = as_row(item, item["account"], item["type"], batch=self.id)
        self.add("transaction", item, {self.name(item): row}, *refusals)

    def add_simple(self) -> None:
        self.add_transaction(self.draw.chance.choice(ALWAYS_DECIDED)(self.draw))

    def add_single(self, single: Operation) -> None:
        """One that is also sent alone."""
        self.add("transaction", single.body or {}, single.asked)

    def add_transfer(self, *, is_exchange: bool = False) -> None:
        body = make_transfer_body(self.draw, late=self.draw.toss(0.2), is_exchange=is_exchange)
        self.add("transfer", body, as_legs(body, self.name(body), batch=self.id))

    def add_hold(self) -> None:
        body = make_hold_body(self.draw)
        self.add("hold", body, {self.name(body): as_hold(body, self.id)})

    def add_capture(self) -> None:
        """Of a hold of the list, or of another one, which perhaps is not there."""
        named, hold, account, *refusals = self.choose_hold()
        item = make_capture_body(self.draw, final=self.draw.toss())
        if self.draw.toss(0.4):
            send_into(self.draw, item, account, several=self.draw.toss())
            refusals = [*refusals, "currency_mismatch", "same_account"]
        rows = as_capture(item, hold, account, batch=self.id)
        self.add("capture", {**item, "hold": named}, rows, *refusals)

    def add_release(self) -> None:
        if any(item["command"] == "release" for item in self.items):
            return
        named, hold, _, *refusals = self.choose_hold()
        rows = as_release(hold)
        self.add("release", {"hold": named, "reason": "over"}, rows, "hold_not_open", *refusals)

    def choose_hold(self) -> tuple[str, ...]:
        """What a command calls it, its id and account, and why it may be refused."""
        placed = [place for place, item in enumerate(self.items) if item["command"] == "hold"]
        if placed and self.draw.toss(0.8):
            place = self.draw.chance.choice(placed)
            return f"#{place}", next(iter(self.rows[place])), self.items[place]["account"]
        hold, row = self.draw.choose_hold()
        return hold, hold, row["account_id"], "not_found"

    def add_reversal(self) -> None:
        if any(item["command"] == "reversal" for item in self.items):
            return
        alone = make_reversal(self.draw, kinds=TAKEN_BACK_ALONE)
        rows = {id: {**row, "batch": self.id} if row else row for id, row in alone.asked.items()}
        target = alone.path.split("/")[-2]
        self.add(
            "reversal",
            {**(alone.body or {}), "transaction": target},
            rows,
            *("not_found", "not_reversible", "effective_at_too_early"),
        )

    def add_claim(self) -> None:
        body = make_claim_body(self.draw)
        self.add("claim", body, {self.name(body): as_claim(body, self.id)})

    def add_claimed_reversal(self) -> None:
        if any(item["command"] == "reversal" for item in self.items):
            return
        alone = claim_back(self.draw, kinds=TAKEN_BACK_ALONE)
        rows = {id: {**row, "batch": self.id} if row else row for id, row in alone.asked.items()}
        body = {**(alone.body or {}), "transaction": alone.path.split("/")[-2]}
        self.add("reversal", body, rows, *("not_found", "not_reversible", "not_claimable"))

    def finish(self, *, atomic: bool) -> Operation:
        asked = {id: row for rows in self.rows for id, row in rows.items()}
        refusals = {
            id: codes for rows, codes in zip(self.rows, self.refusals, strict=True) for id in rows if codes
        }
        if atomic and refusals:
            refusals = refuse(asked, *dict.fromkeys(code for codes in self.refusals for code in codes))
        body = {"id": self.id, "atomic": atomic, "commands": self.items}
        items = [list(rows) for rows in self.rows]
        return Operation(self.draw.kind, BATCHES, body, asked, refusals, items)


def make_batch(draw: Draw, *, atomic: bool) -> Operation:
    """A few transactions; in some lists one that is refused, or one that is also sent alone."""
    draft = Draft(draw)
    for _ in range(draw.chance.randint(2, 4)):
        draft.add_simple()
    if atomic and draw.toss(0.3):
        draft.add_transaction(withdraw_too_much(draw))
    if draw.toss(0.2):
        draft.add_transaction(use_a_wrong_scale(draw), "amount_scale")
    if not atomic and draw.toss(0.3) and (single := draw.find_old(["deposit", "withdrawal"])):
        draft.add_single(single)
    return draft.finish(atomic=atomic)


ADDERS: list[Callable[[Draft], None]] = [
    Draft.add_simple,
    Draft.add_transfer,
    partial(Draft.add_transfer, is_exchange=True),
    Draft.add_hold,
    Draft.add_capture,
    Draft.add_capture,
    Draft.add_release,
    Draft.add_reversal,
    Draft.add_claim,
    Draft.add_claimed_reversal,
]


def make_list(draw: Draw, *, atomic: bool) -> Operation:
    """Commands of every kind, after a hold or a deposit."""
    draft = Draft(draw)
    if draw.toss(0.7):
        draft.add_hold()
    else:
        draft.add_transaction(deposit(draw))
    for _ in range(draw.chance.randint(1, 4)):
        draw.chance.choice(ADDERS)(draft)
    if atomic and draw.toss(0.2):
        draft.add_transaction(withdraw_too_much(draw))
    return draft.finish(atomic=atomic)


def make_sale(draw: Draw) -> Operation:
    """What a hold of the list has set aside is captured and paid to another, in part in another currency."""
    draft = Draft(draw)
    draft.add_hold()
    draft.add_capture()
    draft.add_transfer()
    draft.add_transfer(is_exchange=True)
    return draft.finish(atomic=True)


def take_list_back(draw: Draw) -> Operation:
    """All that is left of a list that perhaps is not there. What was not posted, nobody takes back."""
    id, reason = draw.make_id(), f"step {draw.step}"
    old = draw.find_old(LISTS, apart=TAKEN_BACK_APART)
    rows = old.asked if old else {}
    asked: dict[str, Row] = {}
    for row_id, row in rows.items():
        if "expires_at_asked" in row:
            asked |= as_release(row_id)
        elif "type" in row and not row["reverses"]:
            reversal = str(derive_id(f"{id}\0reversal\0{row['transfer'] or row_id}"))
            asked |= take_back(row_id, rows, {"id": reversal, "reason": reason}, batch=id)
    batch = old.body["id"] if old and old.body else draw.make_id()
    asked = asked or {id: {}}
    refusals = refuse(asked, "not_found", "not_reversible")
    return Operation(draw.kind, f"{BATCHES}/{batch}/reverse", {"id": id, "reason": reason}, asked, refusals)
