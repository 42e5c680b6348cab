"""Who takes part in the trial of the feed: writers that commit late, readers with a cursor, sequencers.

Each is a process. What they know goes into files of the folder, and outlives a kill.
"""

import json
import os
import random
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NoReturn
from uuid import UUID

from django.db import OperationalError
from django.db.transaction import atomic

from events import feed
from events.models import Event, parse_cursor
from events.relay import Relay
from ledger.callers import Caller
from tests import asking, cast
from tests.faults.feed_verdict import COMMITTED, PAGE, ROLLED_BACK
from transactions.models import Transaction
from transactions.posting.commands import Command, NewTransaction, Transfer

ACTOR = UUID(int=16)
ACCOUNTS = 64
EPOCH = datetime.fromtimestamp(0, UTC)
DELAYS = (0, 0, 0, 0, 0.002, 0.01, 0.05, 0.2)  # seconds before COMMIT
ROLLED_BACK_SHARE = 0.05
TRANSFER_SHARE = 0.2
LOCK_TIMEOUT = "55P03"
IDLE_SECONDS = 0.01
HANDLING_SECONDS = 0.003  # between a page and its cursor: what a kill may fall into


class Regret(Exception):
    """A writer takes everything back."""


def make_accounts(folder: Path, count: int) -> None:
    accounts = [str(cast.AccountFactory().id) for _ in range(count)]
    (folder / "accounts.json").write_text(json.dumps(accounts))


class Writer:
    def __init__(self, folder: Path, name: str, life: int, seed: int) -> None:
        self.folder, self.name = folder, f"{name}-{life}"
        self.chance = random.Random(f"{seed} {self.name}")
        self.accounts = [UUID(text) for text in json.loads((folder / "accounts.json").read_text())]

    def write(self) -> None:
        stop = self.folder / "stop"
        with (self.folder / f"written-{self.name}").open("w", buffering=1) as journal:
            while not stop.exists():
                commands = self.make_commands()
                outcome = self.commit(commands)
                ids = [str(id) for command in commands for id in command.needs.rows]
                journal.write(json.dumps([outcome, time.monotonic(), ids]) + "\n")

    def make_commands(self) -> list[Command]:
        """Several of several accounts, a declined one now and then, with or without a transfer."""
        chance, types = self.chance, [*[Transaction.Type.DEPOSIT] * 3, Transaction.Type.WITHDRAW]
        commands: list[Command] = [
            NewTransaction(
                id=cast.new_id(),
                account_id=account,
                type=chance.choice(types),
                amount=Decimal(chance.randint(1, 900)) / 100,
            )
            for account in chance.sample(self.accounts, chance.randint(1, 4))
            for _ in range(chance.randint(1, 3))
        ]
        if chance.random() < TRANSFER_SHARE:
            source, destination = chance.sample(self.accounts, 2)
            commands.append(
                Transfer(
                    id=cast.new_id(), source_id=source, destination_id=destination, amount=Decimal("1.00")
                )
            )
        return commands

    def commit(self, commands: list[Command]) -> str:
        try:
            with atomic():
                asking.post(commands, caller=Caller(ACTOR, request_id=self.name))
                time.sleep(self.chance.choice(DELAYS))
                if self.chance.random() < ROLLED_BACK_SHARE:
                    raise Regret
        except Regret:
            return ROLLED_BACK
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != LOCK_TIMEOUT:
                raise
            return ROLLED_BACK
        return COMMITTED


def write(folder: Path, name: str, life: int, seed: int) -> None:
    Writer(folder, name, life, seed).write()


def read(folder: Path, name: str, life: int, seed: int) -> NoReturn:
    """Handle a page, which is to note it, then keep the cursor. Begins where the cursor was kept."""
    kept, draft = folder / f"cursor-{name}", folder / f"cursor-{name}.new"
    cursor = parse_cursor(kept.read_text()) if kept.exists() else None
    with (folder / f"read-{name}-{life}").open("w") as journal:
        while True:
            page = feed.read(cursor, limit=PAGE)
            if page.events:
                now = time.monotonic()
                journal.writelines(
                    _note(event["position"], event["id"], event["stream"], event["sequence"], now)
                    for event in page.events
                )
                journal.flush()
                time.sleep(HANDLING_SECONDS)
            else:
                time.sleep(IDLE_SECONDS)
            if page.cursor != cursor:
                cursor = page.cursor
                draft.write_text(cursor.text)
                os.replace(draft, kept)


def read_carelessly(folder: Path, name: str, life: int, seed: int) -> NoReturn:
    """By `recorded_at > last`, as one might: what this reader loses, the verdict must see."""
    last = EPOCH
    with (folder / f"read-{name}-{life}").open("w") as journal:
        while True:
            later = Event.objects.filter(recorded_at__gt=last)
            for event in later.order_by("recorded_at", "stream", "sequence"):
                last = event.recorded_at
                journal.write(_note(0, event.id, event.stream, event.sequence, time.monotonic()))
            journal.flush()
            time.sleep(IDLE_SECONDS)


def _note(position: int, id: str, stream: object, sequence: int, at: float) -> str:
    return f"{position} {id} {stream} {sequence} {at:.6f}\n"


def sequence(folder: Path, name: str, life: int, seed: int) -> NoReturn:
    while True:
        if not feed.place_pending():
            time.sleep(IDLE_SECONDS / 4)


def relay(folder: Path, name: str, life: int, seed: int) -> None:
    """One without subscriptions: it only gives places."""
    Relay().run()


ROLES = {
    "writer": write,
    "reader": read,
    "careless": read_carelessly,
    "sequencer": sequence,
    "relay": relay,
}
