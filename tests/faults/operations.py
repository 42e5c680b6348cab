"""What the hammer's clients ask for. An operation is a pure function of the run's seed and its step.

So every client can send every other one's operation again, also while that is still in flight, and shares
nothing. To hammer a new command, add its maker to `MAKERS`.
"""

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

TRANSACTIONS = "/api/v1/transactions"
LATE_DAYS_MAX = 30
RECENT_STEPS = 30  # old operations are taken from these half of the time: they may be in flight


@dataclass(frozen=True)
class Operation:
    """One request. `refusal` is the code of the only final refusal it may get; None: it must be decided."""

    kind: str
    body: dict[str, Any]
    refusal: str | None = None
    path: str = TRANSACTIONS

    @property
    def id(self) -> str:
        return str(self.body["id"])

    def change(self) -> "Operation":
        """The same id for another command: to be refused once the first one is decided."""
        body = {**self.body, "amount": "777.77"}
        return Operation("changed " + self.kind, body, "idempotency_key_reused", self.path)


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
    accounts: list[str] = field(default_factory=list)

    as_dict = asdict


def deposit(chance: random.Random) -> dict[str, Any]:
    return {"type": "DEPOSIT", "amount": f"{chance.randint(1, 9999) / 100:.2f}"}


def withdraw(chance: random.Random) -> dict[str, Any]:
    return {"type": "WITHDRAW", "amount": f"{chance.randint(1, 9999) / 100:.2f}"}


def withdraw_too_much(chance: random.Random) -> dict[str, Any]:
    return {"type": "WITHDRAW", "amount": f"{chance.randint(10**6, 10**9)}.00"}


def use_a_wrong_scale(chance: random.Random) -> dict[str, Any]:
    return {"type": "DEPOSIT", "amount": "0.001"}


def use_an_unknown_account(chance: random.Random) -> dict[str, Any]:
    return {**deposit(chance), "account": make_id(chance)}


def come_from_the_future(chance: random.Random) -> dict[str, Any]:
    return {**deposit(chance), "effective_at": "2999-01-01T00:00:00Z"}


Maker = Callable[[random.Random], dict[str, Any]]

# name: (how often, maker, whether it is effective in the past, refusal)
MAKERS: dict[str, tuple[int, Maker, bool, str | None]] = {
    "deposit": (30, deposit, False, None),
    "withdrawal": (30, withdraw, False, None),
    "late deposit": (12, deposit, True, None),
    "late withdrawal": (15, withdraw, True, None),
    "withdrawal of too much": (5, withdraw_too_much, False, None),
    "wrong scale": (3, use_a_wrong_scale, False, "amount_scale"),
    "unknown account": (3, use_an_unknown_account, False, "not_found"),
    "from the future": (2, come_from_the_future, False, "effective_at_in_future"),
}


def make_id(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def make_operation(plan: Plan, step: int) -> Operation:
    chance = random.Random(f"{plan.seed} operation {step}")
    [kind] = chance.choices(list(MAKERS), [often for often, *_ in MAKERS.values()])
    _, maker, late, refusal = MAKERS[kind]
    id = make_id(chance)
    body = {"id": id, "reference": id, "account": chance.choice(plan.accounts), **maker(chance)}
    if late:
        ago = timedelta(seconds=chance.randint(1, LATE_DAYS_MAX * 86400))
        body["effective_at"] = (datetime.fromisoformat(plan.began_at) - ago).isoformat()
    if chance.random() < 0.3:
        body["metadata"] = {"step": str(step)}
    return Operation(kind, body, refusal)


def is_new(plan: Plan, step: int) -> bool:
    """Half of the steps bring an operation of their own, the others an old one."""
    return step == 0 or random.Random(f"{plan.seed} step {step}").random() < 0.5


def choose_old_step(plan: Plan, step: int, chance: random.Random) -> int:
    old = chance.randrange(max(0, step - RECENT_STEPS), step) if chance.random() < 0.5 else None
    old = chance.randrange(step) if old is None else old
    while not is_new(plan, old):
        old -= 1
    return old
