"""Whether a subscriber was told everything, in order, with no more repeats than kills can explain."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

BATCH = 100  # events.relay's: a test looks

LOST, INVENTED, DISORDER = "lost", "invented", "out of order"
REPEATED, BACKWARDS = "repeated beyond a batch", "cursor moved backwards"
DOUBLE, MISSING, WRONG = "double effects", "missing effects", "wrong effects"
DEADLOCKS = "deadlocks"
CHARGES = (LOST, INVENTED, DISORDER, REPEATED, BACKWARDS, DOUBLE, MISSING, WRONG, DEADLOCKS)

Charge = tuple[str, str]


class Arrival(NamedTuple):
    position: int
    id: str
    epoch: str
    stream: str
    sequence: int


class Effect(NamedTuple):
    """What an event did at the consumer."""

    id: str
    stream: str
    amount: str


@dataclass
class Trial:
    """What is left of a trial of one subscription. `events` are those after its first cursor, in order."""

    name: str
    events: list[Arrival]
    amounts: dict[str, str]  # by event, signed
    arrivals: list[Arrival]
    effects: list[Effect]
    totals: dict[str, str]  # by stream, as the consumer keeps them
    moves: list[tuple[int, int, str]]  # of the cursor: from, to, whose lease
    deadlocks: int
    ends: int  # kills, or stops beyond a lease
    is_alone: bool  # never two relays at once
    quiet: int = 0  # of the arrivals, how many came before the first end

    def count_repeats(self) -> int:
        return len(self.arrivals) - len(set(self.arrivals))

    def count_relays(self) -> int:
        return len({lease for _, _, lease in self.moves})


def keep_trials(trials: list[Trial], folder: Path) -> None:
    (folder / "trials.json").write_text(json.dumps([asdict(trial) for trial in trials]))


def read_trials(folder: Path) -> dict[str, Trial]:
    """By name."""
    trials = [Trial(**fields) for fields in json.loads((folder / "trials.json").read_text())]
    for trial in trials:
        trial.events = [Arrival(*event) for event in trial.events]
        trial.arrivals = [Arrival(*arrival) for arrival in trial.arrivals]
        trial.effects = [Effect(*effect) for effect in trial.effects]
    return {trial.name: trial for trial in trials}


def judge(trial: Trial) -> list[Charge]:
    charges = [*judge_arrivals(trial), *judge_repeats(trial), *judge_cursor(trial), *judge_effects(trial)]
    return [(charge, f"{trial.name}: {what}") for charge, what in charges]


def judge_arrivals(trial: Trial) -> Iterator[Charge]:
    """The first time that each event was told, repeats apart: every one, in the order of the feed."""
    expected = set(trial.events)
    for event in sorted(expected - set(trial.arrivals)):
        yield LOST, f"position {event.position} was never told"
    for arrival in set(trial.arrivals) - expected:
        yield INVENTED, f"{arrival} is not in the feed"
    first = list(dict.fromkeys(trial.arrivals))
    for told, event in zip(first, trial.events, strict=False):
        if told != event:
            yield DISORDER, f"{told.position} was told when {event.position} was due"
            break


def judge_repeats(trial: Trial) -> Iterator[Charge]:
    """Whoever goes on after a kill begins at the cursor, and from there in order."""
    seen: set[Arrival] = set()
    repeats, previous, rewinds = Counter[int](), None, 0
    for number, arrival in enumerate(trial.arrivals):
        if previous is not None and arrival.position <= previous:
            rewinds += 1
        elif previous is not None and trial.is_alone and arrival.position != previous + 1:
            yield DISORDER, f"{arrival.position} was told after {previous}"
        if arrival in seen:
            repeats[rewinds] += 1
            if number < trial.quiet:
                yield REPEATED, f"{arrival.position} was told again before anything was killed"
        previous = arrival.position
        seen.add(arrival)
    if repeats.total() > trial.ends * BATCH:
        yield REPEATED, f"{repeats.total()} were told again after {trial.ends} kills"
    if trial.is_alone and repeats and max(repeats.values()) > BATCH:
        yield REPEATED, f"{max(repeats.values())} were told again after one kill"
    if trial.is_alone and rewinds > trial.ends:
        yield REPEATED, f"the relay went back {rewinds} times after {trial.ends} kills"


def judge_cursor(trial: Trial) -> Iterator[Charge]:
    for before, after, lease in trial.moves:
        if after < before:
            yield BACKWARDS, f"from {before} to {after} by {lease}"
    if trial.events and (not trial.moves or trial.moves[-1][1] != trial.events[-1].position):
        yield LOST, "the cursor did not come to the end of the feed"
    if trial.deadlocks:
        yield DEADLOCKS, f"the database has ended {trial.deadlocks}"


def judge_effects(trial: Trial) -> Iterator[Charge]:
    """Of a consumer that keeps (epoch, stream, sequence) in the transaction of its effect."""
    times = Counter(effect.id for effect in trial.effects)
    for id, count in times.items():
        if count > 1:
            yield DOUBLE, f"event {id} had its effect {count} times"
    for event in trial.events:
        if event.id not in times:
            yield MISSING, f"event {event.id} had no effect"
    totals: dict[str, Decimal] = {}
    for event in trial.events:
        totals[event.stream] = totals.get(event.stream, Decimal(0)) + Decimal(trial.amounts[event.id])
    for stream in totals.keys() | trial.totals.keys():
        kept = Decimal(trial.totals.get(stream, "0"))
        if totals.get(stream, Decimal(0)) != kept:
            yield WRONG, f"{stream} comes to {kept}, not to {totals.get(stream, Decimal(0))}"
