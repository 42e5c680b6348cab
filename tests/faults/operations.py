"""What the hammer's clients ask for. An operation is a pure function of the run's seed and its step.

So every client can send every other one's operation again, also while that is still in flight, and shares
nothing. What each kind of operation is, `makers` says.
"""

import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

RECENT_STEPS = 30  # old operations are taken from these half of the time: they may be in flight
BATCHES = "/api/v1/batches"
ANOTHER_AMOUNT, ANOTHER_REASON = "777.77", "another reason"

Row = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One request, and the rows that it asks for, by id: what their columns must be, as text.

    `refusals` are the codes of the only final refusals a row may get; without any it must be decided.
    A list has several rows, a transfer two; `items` are the ids of each item of a list. What has no id is
    judged by what it is about: a release, a change of a hold, a waiver, a threshold. What takes a list back
    asks for all that it may make.
    """

    kind: str
    path: str
    body: dict[str, Any] | None
    asked: dict[str, Row]
    refusals: dict[str, list[str]] = field(default_factory=dict)
    items: list[list[str]] = field(default_factory=list)
    method: str = "POST"

    @property
    def has_id(self) -> bool:
        """A release has none, and a change of a hold."""
        return self.body is not None and "id" in self.body

    @property
    def is_list(self) -> bool:
        return self.path.startswith(BATCHES)

    @property
    def takes_list_back(self) -> bool:
        return self.is_list and self.path.endswith("/reverse")

    @property
    def is_atomic(self) -> bool:
        """All of its rows are posted, or none."""
        return self.takes_list_back or (self.body is not None and self.body.get("atomic", False))

    @property
    def key(self) -> str:
        """By what a repetition is known."""
        body = self.body or {}
        return str(body["id"]) if self.has_id else f"{self.path} {self.body}"

    @property
    def is_mixed(self) -> bool:
        """Its answer does not say which of its rows are new."""
        return not self.has_id or ("commands" in (self.body or {}) and not self.is_atomic)

    def change(self) -> "Operation":
        """The same ids for another command: to be refused once the first one is decided."""
        body, changed = dict(self.body or {}), list(self.asked)
        row: Row = {"amount": ANOTHER_AMOUNT}
        if "commands" in body:
            first, *others = body["commands"]
            body["commands"], changed = [{**first, **row}, *others], changed[:1]
        elif "reason" in body:
            body["reason"] = ANOTHER_REASON
            row = {"metadata": {"reason": ANOTHER_REASON}}
            changed = [id for id in changed if "metadata" in self.asked[id]]
            if any("reason" in asked for asked in self.asked.values()):  # of a claim
                row, changed = {"reason": ANOTHER_REASON}, list(self.asked)
        elif "destinations" in body:
            first, *others = body["destinations"]
            body["destinations"] = [{**first, **row}, *others]
        else:
            body |= row
        refused = list(self.asked) if self.is_list else changed
        return replace(
            self,
            kind="changed " + self.kind,
            body=body,
            asked=self.asked | {id: {**self.asked[id], **row} for id in changed},
            refusals=self.refusals | refuse(refused, "idempotency_key_reused"),
        )


@dataclass(frozen=True)
class Plan:
    """A run of the hammer, as each of its processes knows it."""

    operations: int
    faults: int
    seed: int
    clients: int
    began_at: str
    var: str
    port: int
    accounts: list[str] = field(default_factory=list)  # in dollars
    euros: list[str] = field(default_factory=list)  # accounts in them

    as_dict = asdict


def refuse(ids: Iterable[str], *codes: str) -> dict[str, list[str]]:
    """The `refusals` of an operation that has the same ones for all these rows."""
    return {id: list(codes) for id in ids}


def is_new(plan: Plan, step: int) -> bool:
    """Half of the steps bring an operation of their own, the others an old one."""
    return step == 0 or random.Random(f"{plan.seed} step {step}").random() < 0.5


def choose_old_step(plan: Plan, step: int, chance: random.Random) -> int:
    old = chance.randrange(max(0, step - RECENT_STEPS), step) if chance.random() < 0.5 else None
    old = chance.randrange(step) if old is None else old
    while not is_new(plan, old):
        old -= 1
    return old
