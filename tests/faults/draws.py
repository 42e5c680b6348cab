"""The choices of one step of the hammer: the same ones in every process."""

import random
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from tests.faults.operations import Operation, Plan, Row, choose_old_step, is_new

LATE_DAYS_MAX = 30
HELD = {"hold", "hold that expires"}
LISTS = {"batch", "atomic batch", "list", "atomic list", "sale"}

Item = dict[str, Any]
Maker = Callable[["Draw"], Operation]
Makers = Mapping[str, tuple[int, Maker]]  # by kind: how often, and what makes it


@cache
def shuffle_kinds(seed: int, number: int, weights: tuple[tuple[str, int], ...]) -> list[str]:
    """A deck of kinds, each as often as it says: so every run has all of them, and about as often."""
    kinds = [kind for kind, often in weights for _ in range(often)]
    random.Random(f"{seed} deck {number}").shuffle(kinds)
    return kinds


class Draw:
    def __init__(self, plan: Plan, step: int, makers: Makers) -> None:
        self.plan, self.step, self.makers = plan, step, makers
        self.chance = random.Random(f"{plan.seed} operation {step}")
        weights = tuple((kind, often) for kind, (often, _) in makers.items())
        deck = shuffle_kinds(plan.seed, step // sum(often for _, often in weights), weights)
        self.kind = deck[step % len(deck)]

    def make(self) -> Operation:
        _, make = self.makers[self.kind]
        return make(self)

    def make_id(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def choose_amount(self, cents_max: int = 9999) -> str:
        return f"{self.chance.randint(1, cents_max) / 100:.2f}"

    def choose_account(self) -> str:
        return self.chance.choice([*self.plan.accounts, *self.plan.euros])

    def choose_two(self) -> list[str]:
        """Two accounts in one currency."""
        return self.chance.sample(self.chance.choice([self.plan.accounts, self.plan.euros]), 2)

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
            if is_new(self.plan, old) and (draw := Draw(self.plan, old, self.makers)).kind in kinds:
                return draw.make()
        return None

    def choose_hold(self) -> tuple[str, Row]:
        """One that was asked for, alone or in a list, or that nobody knows."""
        old = self.find_old([*HELD, *HELD, *LISTS] if self.toss(0.3) else HELD)
        holds = [(id, row) for id, row in old.asked.items() if "expires_at_asked" in row] if old else []
        return self.chance.choice(holds) if holds else (self.make_id(), {"account_id": None})
