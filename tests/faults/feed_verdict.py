"""Whether readers of the feed were told what is in the ledger: all of it, nothing else, in its order."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

COMMITTED, ROLLED_BACK = "committed", "rolled back"
PAGE = 100  # events that a reader reads at once

LOST, INVENTED, DISORDER, GAPS = "lost", "invented", "out of order", "gaps"
REPEATED, DIFFERENT = "repeated beyond a page", "differs from the feed"
CHARGES = (LOST, INVENTED, DISORDER, GAPS, REPEATED, DIFFERENT)

Charge = tuple[str, str]


class Told(NamedTuple):
    """An event as a reader was told of it."""

    position: int
    id: str
    stream: str
    sequence: int
    at: float


class Event(NamedTuple):
    """An event as it is in the ledger."""

    id: str
    stream: str
    sequence: int
    about: str | None  # the id of the transaction that it tells of


@dataclass
class Run:
    """What is left of a run. Of each reader: what each of its lives was told."""

    events: list[Event]
    places: list[tuple[int, str]]  # position, event
    last_position: int
    pending: int
    committed: dict[str, float]  # transactions, and when their writers knew
    rolled_back: set[str]
    readers: dict[str, list[list[Told]]]


def read_run(folder: Path) -> Run:
    ledger: dict[str, Any] = json.loads((folder / "ledger.json").read_text())
    committed: dict[str, float] = {}
    rolled_back: set[str] = set()
    for path in folder.glob("written-*"):
        for line in _read_whole_lines(path):
            outcome, at, ids = json.loads(line)
            if outcome == COMMITTED:
                committed.update(dict.fromkeys(ids, at))
            else:
                rolled_back.update(ids)
    readers: dict[str, list[list[Told]]] = defaultdict(list)
    for path in sorted(folder.glob("read-*"), key=lambda path: int(path.name.rpartition("-")[2])):
        readers[path.name.removeprefix("read-").rpartition("-")[0]].append(
            [_parse(line) for line in _read_whole_lines(path)]
        )
    return Run(
        events=[Event(*event) for event in ledger["events"]],
        places=[(position, id) for position, id in ledger["places"]],
        last_position=ledger["last_position"],
        pending=ledger["pending"],
        committed=committed,
        rolled_back=rolled_back,
        readers=dict(readers),
    )


def _read_whole_lines(path: Path) -> list[str]:
    """A kill may have torn the last one."""
    return path.read_text().split("\n")[:-1]


def _parse(line: str) -> Told:
    position, id, stream, sequence, at = line.split()
    return Told(int(position), id, stream, int(sequence), float(at))


def judge(run: Run) -> list[Charge]:
    charges = [*judge_ledger(run), *judge_places(run)]
    for name, lives in run.readers.items():
        charges += [(charge, f"{name}: {what}") for charge, what in judge_reader(run, lives)]
    return charges


def judge_ledger(run: Run) -> Iterator[Charge]:
    """What writers were told, against the events that there are."""
    about = {event.about for event in run.events}
    for id in run.committed.keys() - about:
        yield LOST, f"the transaction {id} was committed and has no event"
    for id in run.rolled_back & about:
        yield INVENTED, f"the transaction {id} was rolled back and has an event"
    sequences = defaultdict(set)
    for event in run.events:
        sequences[event.stream].add(event.sequence)
    for stream, found in sequences.items():
        if found != set(range(1, len(found) + 1)):
            yield GAPS, f"the sequence numbers of {stream} are not 1 to {len(found)}"


def judge_places(run: Run) -> Iterator[Charge]:
    if run.pending:
        yield LOST, f"{run.pending} events wait for a place for ever"
    positions = [position for position, _ in run.places]
    if positions != list(range(1, run.last_position + 1)):
        yield GAPS, f"the positions are not 1 to {run.last_position}"
    events = {event.id: event for event in run.events}
    placed = [id for _, id in run.places]
    yield from _compare(placed, events)
    yield from _judge_order((events[id].stream, events[id].sequence) for id in placed if id in events)


def judge_reader(run: Run, lives: list[list[Told]]) -> Iterator[Charge]:
    """A reader that was killed may be told again what it handled without keeping the cursor: a page."""
    events = {event.id: event for event in run.events}
    seen: dict[str, Told] = {}
    for number, life in enumerate(lives):
        again = [told for told in life if told.id in seen]
        if len(again) > (PAGE if number else 0):
            yield REPEATED, f"{len(again)} events were told again in life {number + 1}"
        if len({told.id for told in life}) < len(life):
            yield REPEATED, f"life {number + 1} was told something twice"
        for told in again:
            if told[:4] != seen[told.id][:4]:
                yield DIFFERENT, f"event {told.id} was told in another way the second time"
        for told in life:
            seen.setdefault(told.id, told)
    first = list(seen.values())  # in the order in which they were told
    yield from _compare([told.id for told in first], events)
    yield from _judge_order((told.stream, told.sequence) for told in first)
    for told in first:
        if told.id in events and (told.stream, told.sequence) != events[told.id][1:3]:
            yield DIFFERENT, f"event {told.id} is not that of the ledger"
    for told, (position, id) in zip(first, run.places, strict=False):
        if (told.position, told.id) != (position, id):
            yield DIFFERENT, f"the feed has event {id} at {position}, {told.id} was told"
            break


def _compare(told: list[str], events: dict[str, Event]) -> Iterator[Charge]:
    for id in events.keys() - set(told):
        yield LOST, f"event {id} is missing"
    for id in set(told) - events.keys():
        yield INVENTED, f"there is no event {id}"


def _judge_order(told: Iterable[tuple[str, int]]) -> Iterator[Charge]:
    sequences = defaultdict(list)
    for stream, sequence in told:
        sequences[stream].append(sequence)
    for stream, found in sequences.items():
        breaks = sum(first >= second for first, second in pairwise(found))
        if breaks:
            yield DISORDER, f"the events of {stream} are out of order {breaks} times"


def measure_lags(run: Run) -> list[float]:
    """Seconds from the moment when a writer knew of its commit to the first reader's being told, sorted.

    A reader may be told before the writer knows: that is 0.
    """
    told_at: dict[str, float] = {}
    for name, lives in run.readers.items():
        if not name.startswith("careless"):
            for told in (told for life in lives for told in life):
                told_at[told.id] = min(told.at, told_at.get(told.id, told.at))
    return sorted(
        max(0.0, told_at[event.id] - run.committed[event.about])
        for event in run.events
        if event.about in run.committed and event.id in told_at
    )
