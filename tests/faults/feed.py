"""Writers that commit late, readers and sequencers at once, kills in between, and a verdict on the feed.

`python -m tests.faults.feed --events 100000 --kills 50` ends with 0 if every reader was told everything.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger_project.database.embedded import EmbeddedPostgres
from tests.faults import own_ledger
from tests.faults.feed_verdict import CHARGES, Charge, Run, judge, measure_lags, read_run
from tests.faults.hammer import COMPLAINTS_SHOWN_MAX, format_table, new_folder
from tests.faults.ledger import connect

WRITERS = 12
READERS = 3
VICTIMS = ("reader", "reader", "sequencer", "relay", "writer")  # how often each is chosen
STEP_SECONDS_MAX = 60
POLL_SECONDS = 0.1


class Troupe:
    """The processes, by name. One that was killed is started again for its next life."""

    def __init__(self, folder: Path, roles: dict[str, Callable[..., object]], seed: int) -> None:
        self.folder, self.roles, self.seed = folder, roles, seed
        self.chance = random.Random(f"{seed} victims")
        self.running: dict[str, int] = {}
        self.lives: Counter[str] = Counter()
        self.killed: Counter[str] = Counter()

    def start(self, name: str) -> None:
        role = self.roles[name.partition("-")[0]]
        self.running[name] = own_ledger.fork(role, self.folder, name, self.lives[name], self.seed)
        self.lives[name] += 1

    def strike(self) -> None:
        role = self.chance.choice(VICTIMS)
        name = self.chance.choice([name for name in self.running if name.startswith(role)])
        time.sleep(self.chance.uniform(0, 0.05))
        own_ledger.kill(self.running.pop(name))
        self.killed[role] += 1
        self.start(name)

    def finish(self, role: str) -> None:
        for name in [name for name in self.running if name.startswith(role)]:
            own_ledger.finish(self.running.pop(name), STEP_SECONDS_MAX)

    def end(self) -> None:
        while self.running:
            own_ledger.kill(self.running.popitem()[1])

    def require_alive(self) -> None:
        for name, pid in self.running.items():
            own_ledger.require_alive(pid, name)


@dataclass
class Report:
    events: int
    seconds: float
    killed: Counter[str]
    run: Run
    charges: list[Charge]

    def __str__(self) -> str:
        run, lags = self.run, measure_lags(self.run)
        counts = Counter(charge for charge, _ in self.charges)
        told = {
            f"{name} ({len(lives)} lives)": sum(len(life) for life in lives)
            for name, lives in sorted(run.readers.items())
        }
        quantiles = [f"p{share}: {lags[len(lags) * share // 100] * 1000:.1f} ms" for share in (50, 99)]
        lines = [
            f"{len(run.events)} events in {self.seconds:.0f} s ({len(run.events) / self.seconds:.0f}/s),"
            f" {len(run.committed)} transactions committed, {len(run.rolled_back)} rolled back",
            f"from commit to the first reader: {', '.join(quantiles)}, most: {lags[-1] * 1000:.1f} ms",
            *format_table("events told", told),
            *format_table(f"kills: {self.killed.total()}", self.killed),
            *format_table("verdict", {charge: counts[charge] for charge in CHARGES}),
        ]
        complaints = [f"! {name}: {what}" for name, what in self.charges]
        return "\n".join([*lines, "", *complaints[:COMPLAINTS_SHOWN_MAX]])


def try_feed(*, events: int, kills: int, seed: int, folder: Path, careless: bool = False) -> Report:
    """One run in a new folder, which keeps all of it. Raises if it cannot come to an end."""
    postgres = own_ledger.begin(folder)
    try:
        from tests.faults import feed_actors

        own_ledger.finish(
            own_ledger.fork(feed_actors.make_accounts, folder, feed_actors.ACCOUNTS), STEP_SECONDS_MAX
        )
        troupe = Troupe(folder, feed_actors.ROLES, seed)
        try:
            began = time.monotonic()
            perform(troupe, postgres, events=events, kills=kills, careless=careless)
            seconds = time.monotonic() - began
        finally:
            troupe.end()
        (folder / "ledger.json").write_text(json.dumps(read_truth(postgres)))
    finally:
        postgres.stop()
    run = read_run(folder)
    return Report(events, seconds, troupe.killed, run, judge(run))


def perform(troupe: Troupe, postgres: EmbeddedPostgres, *, events: int, kills: int, careless: bool) -> None:
    names = [f"writer-{number}" for number in range(WRITERS)]
    names += [f"reader-{number}" for number in range(READERS)]
    names += ["sequencer-0"] + ["relay-0"] * bool(kills) + ["careless-0"] * careless
    for name in names:
        troupe.start(name)
    for number in range(kills):
        wait_for_events(troupe, postgres, int(events * (number + 0.5) / kills))
        troupe.strike()
    wait_for_events(troupe, postgres, events)
    (troupe.folder / "stop").touch()
    troupe.finish("writer")
    [[written]] = query(postgres, "SELECT count(*) FROM events_event")
    wait_for(lambda: count_told(troupe.folder) >= written, troupe)
    if careless:
        time.sleep(1)  # it keeps no cursor, and is given the time


def wait_for_events(troupe: Troupe, postgres: EmbeddedPostgres, wanted: int) -> None:
    seen = -1
    while seen < wanted:
        [[now]] = query(postgres, "SELECT last_position FROM events_feed_state")
        if now != seen:
            seen, deadline = now, time.monotonic() + STEP_SECONDS_MAX
        assert time.monotonic() < deadline, f"Nothing goes on after {seen} events."
        troupe.require_alive()
        time.sleep(POLL_SECONDS)


def wait_for(condition: Callable[[], bool], troupe: Troupe) -> None:
    deadline = time.monotonic() + STEP_SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "The readers do not come to the end."
        troupe.require_alive()
        time.sleep(POLL_SECONDS)


def count_told(folder: Path) -> int:
    """How far the slowest reader has kept its cursor."""
    from events.models import parse_cursor

    kept = [folder / f"cursor-reader-{number}" for number in range(READERS)]
    cursors = [parse_cursor(path.read_text()) if path.exists() else None for path in kept]
    return min(cursor.position if cursor else 0 for cursor in cursors)


def query(postgres: EmbeddedPostgres, statement: str) -> list[list[Any]]:
    with connect(postgres) as connection:
        return [list(row.values()) for row in connection.execute(statement).fetchall()]


def read_truth(postgres: EmbeddedPostgres) -> dict[str, Any]:
    """Past the code that is tried: the tables themselves."""
    events = query(
        postgres,
        "SELECT concat(stream, '.', sequence) AS id, stream::text, sequence, row.id::text AS about"
        " FROM events_event LEFT JOIN transactions_transaction AS row"
        " ON row.account_id = stream AND row.seq = about ORDER BY events_event.recorded_at, stream, sequence",
    )
    places = query(
        postgres,
        "SELECT position, concat(stream, '.', sequence) AS id FROM events_placement ORDER BY position",
    )
    [[last_position]] = query(postgres, "SELECT last_position FROM events_feed_state")
    [[pending]] = query(postgres, "SELECT count(*) FROM events_pending")
    return {"events": events, "places": places, "last_position": last_position, "pending": pending}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--folder", type=Path, help="a new one, which is kept (default: a temporary one)")
    parser.add_argument("--careless", action="store_true", help="with a reader by time, which loses events")
    asked = parser.parse_args()
    with new_folder("feed-", asked.folder) as folder:
        sys.stdout.write(f"seed {asked.seed}, in {folder}\n")
        report = try_feed(
            events=asked.events, kills=asked.kills, seed=asked.seed, folder=folder, careless=asked.careless
        )
        sys.stdout.write(f"{report}\n")
        if report.charges:
            sys.exit(1)


if __name__ == "__main__":
    main()
