"""Relays that are killed at every point, two at once, and stopped ones; a verdict on what subscribers got.

`python -m tests.faults.relay_kills --kills 50` ends with 0 if nothing was lost, doubled or out of order.
The broker is that of LEDGER_TEST_BROKER_URL, or with `--own-broker` one that is started for it.
"""

import argparse
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

from ledger_project.database.embedded import EmbeddedPostgres
from tests.broker import start_broker
from tests.faults import own_ledger
from tests.faults.hammer import COMPLAINTS_SHOWN_MAX, format_table, new_folder
from tests.faults.ledger import connect
from tests.faults.own_ledger import finish, fork, kill
from tests.faults.relay_verdict import BATCH, CHARGES, Arrival, Effect, Trial, judge, keep_trials

BROKER_URL = "LEDGER_TEST_BROKER_URL"
ACCOUNTS = 8
TRIALS = WEBHOOK, BROKER, TWO, STOPS = "webhook", "broker", "two", "stops"
LEASE_SECONDS, PAIR_LEASE_SECONDS = 0.3, 2.0  # a full batch of a slow receiver takes longer than either
PAIR_SECONDS = 3.5
BURST = BATCH + 20  # events that wait for the first relay: more than a batch
ORDERS_MAX, FEW_ORDERS_MAX = 9, 3  # of a commit, of which there are some twenty a second
STEP_SECONDS_MAX, LAST_SECONDS_MAX = 60, 10
POLL_SECONDS = 0.02
WATCH_CURSORS = """
CREATE TABLE moves (
    id bigint GENERATED ALWAYS AS IDENTITY, subscription uuid, before bigint, after bigint, lease text
);
CREATE FUNCTION note_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO moves (subscription, before, after, lease)
    VALUES (NEW.id, OLD.position, NEW.position, OLD.lease);
    RETURN NULL;
END $$;
CREATE TRIGGER cursor_is_watched AFTER UPDATE OF position ON events_subscription
    FOR EACH ROW WHEN (OLD.position <> NEW.position) EXECUTE FUNCTION note_move();
"""
# Those after a position, and what each adds to its account's balance.
EVENTS = """
SELECT position, concat(place.stream, '.', place.sequence) AS id, epoch::text, place.stream::text AS stream,
    place.sequence, coalesce(row.change, 0)::text AS change
FROM events_feed_state, events_placement AS place
JOIN events_event AS event ON (event.stream, event.sequence) = (place.stream, place.sequence)
LEFT JOIN transactions_transaction AS row ON row.account_id = event.stream AND row.seq = event.about
WHERE position > %s ORDER BY position
"""


class Stage:
    """The ledger, its receivers, and what the trials have in common."""

    def __init__(self, folder: Path, postgres: EmbeddedPostgres) -> None:
        from tests.faults import feed_actors, relay_actors

        self.actors, self.folder, self.postgres = relay_actors, folder, postgres
        self.helpers: list[int] = []
        finish(fork(feed_actors.make_accounts, folder, ACCOUNTS), STEP_SECONDS_MAX)
        self.query(WATCH_CURSORS)
        hook = relay_actors.open_hook()
        self.helpers.append(fork(relay_actors.serve_hook, hook, folder))
        self.port = hook.server_port
        hook.server_close()
        self.places: dict[str, tuple[str, int]] = {}
        self.poster = 0

    def query(self, statement: str, *values: object) -> list[list[Any]]:
        with connect(self.postgres) as connection:
            cursor = connection.execute(statement, values or None)
            return [list(row.values()) for row in cursor.fetchall()] if cursor.description else []

    def subscribe(self, *names: str, kind: str = WEBHOOK, orders_max: int = ORDERS_MAX) -> None:
        """And begin to post."""
        for name in names:
            url = f"http://127.0.0.1:{self.port}/{name}" if kind == WEBHOOK else None
            finish(fork(self.actors.subscribe, self.folder, name, kind, url), STEP_SECONDS_MAX)
            id, position = (self.folder / f"subscription-{name}").read_text().split()
            self.places[name] = (id, int(position))
        self.poster = fork(self.actors.post, self.folder, names[0], BURST, orders_max)

    def start_relay(self, lease: float = LEASE_SECONDS, point: str = "", number: int = 0) -> int:
        return fork(self.actors.run_relay, lease, point, number)

    def read_cursor(self, name: str) -> int:
        [[position]] = self.query(
            "SELECT position FROM events_subscription WHERE id = %s", self.places[name][0]
        )
        return int(position)

    def count_events(self) -> int:
        [[count]] = self.query("SELECT count(*) FROM events_event")
        return int(count)

    def read_arrivals(self, name: str) -> list[Arrival]:
        path = self.folder / f"arrivals-{name}"
        lines = path.read_text().splitlines() if path.exists() else []
        parts = [line.split() for line in lines]
        return [Arrival(int(at), id, epoch, stream, int(n)) for at, id, epoch, stream, n in parts]

    def drain(self, *names: str, relay: int = 0) -> None:
        """Post no more, and wait until everybody was told everything, by a relay that nobody disturbs."""
        (self.folder / f"stop-{names[0]}").touch()
        poster, self.poster = self.poster, 0
        finish(poster, STEP_SECONDS_MAX)
        relay = relay or self.start_relay()
        end = self.count_events()
        self.wait_for(lambda: all(self.read_cursor(name) >= end for name in names), relay)
        stop(relay)
        with suppress(AssertionError):  # what has not arrived by then is lost: so says the verdict
            self.wait_for(
                lambda: all(self.has_told(name, end) for name in names), seconds_max=LAST_SECONDS_MAX
            )

    def has_told(self, name: str, position: int) -> bool:
        return any(arrival.position == position for arrival in self.read_arrivals(name))

    def wait_for(self, condition: Any, *relays: int, seconds_max: float = STEP_SECONDS_MAX) -> None:
        deadline = time.monotonic() + seconds_max
        while not condition():
            assert time.monotonic() < deadline, "It does not go on."
            for relay in relays:
                own_ledger.require_alive(relay, "A relay")
            time.sleep(POLL_SECONDS)

    def conclude(self, name: str, *, ends: int, is_alone: bool, quiet: int = 0) -> Trial:
        """What is left of it; nobody is told any more."""
        id, start = self.places[name]
        rows = self.query(EVENTS, start)
        with closing(sqlite3.connect(self.folder / f"{name}.sqlite")) as kept:
            effects = [Effect(*row) for row in kept.execute("SELECT id, stream, amount FROM effects")]
            totals = dict(kept.execute("SELECT stream, total FROM totals").fetchall())
        moves = self.query("SELECT before, after, lease FROM moves WHERE subscription = %s ORDER BY id", id)
        [[deadlocks]] = self.query("SELECT deadlocks FROM pg_stat_database WHERE datname = 'ledger'")
        self.query("DELETE FROM events_attempt WHERE subscription_id = %s", id)
        self.query("DELETE FROM events_subscription WHERE id = %s", id)
        return Trial(
            name,
            [Arrival(*row[:5]) for row in rows],
            {row[1]: row[5] for row in rows},
            self.read_arrivals(name),
            effects,
            totals,
            [(before, after, lease) for before, after, lease in moves],
            deadlocks,
            ends,
            is_alone,
            quiet,
        )

    def end(self) -> None:
        for pid in [*self.helpers, self.poster]:
            if pid and not os.waitpid(pid, os.WNOHANG)[0]:
                kill(pid)


def stop(relay: int) -> None:
    """As an operator does."""
    os.kill(relay, signal.SIGTERM)
    finish(relay, STEP_SECONDS_MAX)


def try_kills(stage: Stage, kind: str, times: int) -> Trial:
    """One relay after the other; each kills itself at a point, the next goes on when the lease is over."""
    name = f"{kind}-kills"
    if kind == BROKER:
        finish(fork(stage.actors.declare_queue, name), STEP_SECONDS_MAX)
        stage.helpers.append(fork(stage.actors.consume, stage.folder, name))
    stage.subscribe(name, kind=kind)
    points = [point for _ in range(times) for point in stage.actors.POINTS]
    for point in points:
        relay = stage.start_relay(point=point, number=signal.SIGKILL)
        own_ledger.wait_until_killed(relay, STEP_SECONDS_MAX)
    stage.drain(name)
    if kind == BROKER:
        kill(stage.helpers.pop())
        finish(fork(stage.actors.delete_queue, name), STEP_SECONDS_MAX)
    return stage.conclude(name, ends=len(points), is_alone=True)


def try_two(stage: Stage) -> list[Trial]:
    """Two relays serve three subscriptions; then one is killed, wherever it is."""
    names = ["fast-1", "fast-2", "slow"]
    stage.subscribe(*names, orders_max=FEW_ORDERS_MAX)
    stage.wait_for(lambda: stage.count_events() > stage.places["slow"][1] + BATCH)
    relays = [stage.start_relay(PAIR_LEASE_SECONDS) for _ in range(2)]
    ends_at = time.monotonic() + PAIR_SECONDS
    stage.wait_for(lambda: time.monotonic() > ends_at, *relays)
    quiet = {name: len(stage.read_arrivals(name)) for name in names}
    kill(relays.pop())
    stage.drain(*names, relay=relays.pop())
    return [stage.conclude(name, ends=1, is_alone=False, quiet=quiet[name]) for name in names]


def try_stops(stage: Stage, times: int) -> Trial:
    """A relay falls asleep at a point, another goes on from the cursor, and the first one wakes up."""
    name = STOPS
    stage.subscribe(name)
    points = [point for _ in range(times) for point in stage.actors.POINTS]
    for point in points:
        sleeping = stage.start_relay(point=point, number=signal.SIGSTOP)
        own_ledger.wait_until_stopped(sleeping, STEP_SECONDS_MAX)
        before = stage.read_cursor(name)
        other = stage.start_relay()
        stage.wait_for(lambda before=before: stage.read_cursor(name) > before, other)
        os.kill(sleeping, signal.SIGCONT)
        time.sleep(LEASE_SECONDS)
        for relay in (sleeping, other):
            stop(relay)
    stage.drain(name)
    return stage.conclude(name, ends=len(points), is_alone=False)


def try_relays(*, kills: int, stops: int, only: str, broker_url: str, folder: Path) -> list[Trial]:
    """The trials in a new folder, which keeps what they leave. Raises if one cannot come to an end."""
    environment = {"WEBHOOK_LOOPBACK": "true", "BROKER_URL": broker_url}
    environment["BROKER_EXCHANGE"] = f"ledger.kills.{random.getrandbits(32)}"
    postgres = own_ledger.begin(folder, **environment)
    trials: list[Trial] = []
    try:
        stage = Stage(folder, postgres)
        try:
            for name in [only] if only else TRIALS:
                if name == WEBHOOK or (name == BROKER and broker_url):
                    trials.append(try_kills(stage, name, kills))
                elif name == TWO:
                    trials += try_two(stage)
                elif name == STOPS:
                    trials.append(try_stops(stage, stops))
        finally:
            stage.end()
    finally:
        postgres.stop()
    keep_trials(trials, folder)
    return trials


def describe(trials: list[Trial]) -> str:
    charges = [charge for trial in trials for charge in judge(trial)]
    counts = Counter(charge for charge, _ in charges)
    lines = [f"{'trial':<16}{'events':>8}{'ends':>6}{'told again':>12}{'a kill':>8}{'relays':>8}"]
    for trial in trials:
        repeats = trial.count_repeats()
        lines.append(
            f"{trial.name:<16}{len(trial.events):>8}{trial.ends:>6}{repeats:>12}"
            f"{repeats / trial.ends:>8.1f}{trial.count_relays():>8}"
        )
    lines += format_table("verdict", {charge: counts[charge] for charge in CHARGES})
    return "\n".join([*lines, "", *(f"! {name}: {what}" for name, what in charges[:COMPLAINTS_SHOWN_MAX])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="at each of the four points")
    parser.add_argument(
        "--stops", type=int, help="at each of the four points (default: a fifth of the kills)"
    )
    parser.add_argument("--only", choices=TRIALS, default="")
    parser.add_argument("--own-broker", action="store_true", help="start a RabbitMQ for this run")
    parser.add_argument("--folder", type=Path, help="a new one, which is kept (default: a temporary one)")
    asked = parser.parse_args()
    with new_folder("relay-kills-", asked.folder) as folder, ExitStack() as stack:
        broker_url = os.environ.get(BROKER_URL, "")
        if asked.own_broker and not broker_url:
            broker = start_broker()
            stack.callback(broker.remove)
            broker_url = broker.url
        if not broker_url:
            sys.stdout.write(
                f"Without a broker: {BROKER_URL} is not set, and --own-broker was not asked for.\n"
            )
        stops = max(1, asked.kills // 5) if asked.stops is None else asked.stops
        began = time.monotonic()
        trials = try_relays(
            kills=asked.kills, stops=stops, only=asked.only, broker_url=broker_url, folder=folder
        )
        sys.stdout.write(f"{describe(trials)}\nin {time.monotonic() - began:.0f} s, {folder}\n")
        if any(judge(trial) for trial in trials):
            sys.exit(1)


if __name__ == "__main__":
    main()
