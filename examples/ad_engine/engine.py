"""The engine: hears events in whatever order and number they come, and acts on each exactly once.

The ledger tells at least once. What makes an effect happen exactly once is here: the place in the account's
events (`epoch`, `sequence`) is kept in the same transaction as the effect.
"""

import logging
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock

from examples.ad_engine.funds import Funds
from examples.ad_engine.ledger import Json, Ledger, LedgerAway

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;  -- what is acknowledged to the ledger must survive a power cut
CREATE TABLE IF NOT EXISTS campaign (
    account TEXT PRIMARY KEY, epoch TEXT NOT NULL, sequence INTEGER NOT NULL, is_running INTEGER NOT NULL,
    status TEXT NOT NULL, is_enough INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS effect (
    id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, account TEXT NOT NULL, account_sequence INTEGER NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('start', 'stop')), at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS effect_of_an_account ON effect (account);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT);
CREATE TRIGGER IF NOT EXISTS effects_alternate BEFORE INSERT ON effect
WHEN NEW.action = coalesce(
    (SELECT action FROM effect WHERE account = NEW.account ORDER BY id DESC LIMIT 1), 'stop'
) BEGIN SELECT RAISE(ABORT, 'the campaign is in that state already'); END;
CREATE TRIGGER IF NOT EXISTS effects_stay BEFORE UPDATE ON effect
BEGIN SELECT RAISE(ABORT, 'effects are append-only'); END;
CREATE TRIGGER IF NOT EXISTS effects_remain BEFORE DELETE ON effect
BEGIN SELECT RAISE(ABORT, 'effects are append-only'); END;
"""
LOAD = "SELECT epoch, sequence, is_running, status, is_enough FROM campaign WHERE account = ?"
logger = logging.getLogger("ad_engine")


@dataclass
class Campaign:
    """What is known of an account up to its event `sequence` in the history `epoch`."""

    account: str
    epoch: str
    sequence: int = 0
    is_running: bool = False
    funds: Funds = field(default_factory=Funds)


class Engine:
    """One process per database. Threads may share it."""

    def __init__(self, database: Path, ledger: Ledger) -> None:
        self.ledger = ledger
        self.lock = RLock()
        self.database = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self.database.executescript(SCHEMA)

    def hear(self, event: Json) -> None:
        """Returns when the event, and all that was missing before it, is applied and committed.

        Raises `LedgerAway` (tell it again later) and `Refused`.
        """
        with self.lock:
            if event["epoch"] != self.recall("epoch"):
                self.look_for_a_new_epoch()
            if event["account"] is None:
                return
            stuck_after = None
            while (last := self._take(event)) is not None:
                if last == stuck_after:
                    self.look_for_a_new_epoch()
                    if event["epoch"] == self.recall("epoch"):
                        raise LedgerAway(f"It does not show the event it sent: {event['id']}.")
                    return
                for missing in self.ledger.read_account(event["account"], last):
                    self.hear(missing)
                stuck_after = last

    def look_for_a_new_epoch(self) -> None:
        """An event of another epoch is of a history that has begun, or late from one that has ended."""
        with self.lock:
            epoch = self.ledger.read_epoch()
            if epoch != self.recall("epoch"):
                self.begin_again(epoch)

    def begin_again(self, epoch: str) -> None:
        """The history that the engine knows may have lost its end: read every account anew.

        Killed in the middle, it is done again, as the epoch is kept last.
        """
        with self.lock:
            accounts = self.database.execute("SELECT account FROM campaign ORDER BY account").fetchall()
            for (account,) in accounts:
                self._rebuild(account, epoch)
            self.remember(epoch=epoch, cursor=None)
            logger.info("epoch %s: %d accounts were read anew", epoch, len(accounts))

    def read_campaign(self, account: str) -> Campaign:
        """Of an account that was never heard of: one that does not run."""
        row = self.database.execute(LOAD, [account]).fetchone()
        if row is None:
            return Campaign(account, self.recall("epoch") or "")
        epoch, sequence, is_running, status, is_enough = row
        return Campaign(account, epoch, sequence, bool(is_running), Funds(status, bool(is_enough)))

    def recall(self, name: str) -> str | None:
        row = self.database.execute("SELECT value FROM note WHERE name = ?", [name]).fetchone()
        return None if row is None else row[0]

    def remember(self, **notes: str | None) -> None:
        with self.lock, self.database:
            self.database.execute("BEGIN IMMEDIATE")
            self.database.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", notes.items())

    def _take(self, event: Json) -> int | None:
        """Apply the event if it is the next of its account. Some are missing: those after the answer."""
        with self.database:
            self.database.execute("BEGIN IMMEDIATE")
            campaign = self.read_campaign(event["account"])
            if event["epoch"] != campaign.epoch or event["account_sequence"] <= campaign.sequence:
                return None
            if event["account_sequence"] > campaign.sequence + 1:
                return campaign.sequence
            campaign.funds.apply(event)
            campaign.sequence += 1
            self._store(campaign)
        return None

    def _rebuild(self, account: str, epoch: str) -> None:
        """Silently, but for the one effect that makes the campaign what it should be now."""
        funds, sequence = Funds(), 0
        # The feed cannot tell an account that is gone from one whose events were pruned.
        for event in self.ledger.read_account(account, 0) if self.ledger.has_account(account) else ():
            if (event["epoch"], event["account_sequence"]) != (epoch, sequence + 1):
                raise LedgerAway(f"Its history has changed again, or has a gap: {event['id']}.")
            funds.apply(event)
            sequence += 1
        with self.database:
            self.database.execute("BEGIN IMMEDIATE")
            campaign = self.read_campaign(account)
            campaign.epoch, campaign.sequence, campaign.funds = epoch, sequence, funds
            self._store(campaign)

    def _store(self, campaign: Campaign) -> None:
        """The campaign's state, and the effect if it has to start or stop: in the caller's transaction."""
        funds, place = campaign.funds, (campaign.epoch, campaign.account, campaign.sequence)
        if funds.may_be_spent != campaign.is_running:
            campaign.is_running = funds.may_be_spent
            action = "start" if campaign.is_running else "stop"
            self.database.execute(
                "INSERT INTO effect (epoch, account, account_sequence, action, at) VALUES (?, ?, ?, ?, ?)",
                [*place, action, datetime.now(UTC).isoformat()],
            )
            logger.info("%s %s at its event %d", action, campaign.account, campaign.sequence)
        self.database.execute(
            "INSERT OR REPLACE INTO campaign VALUES (?, ?, ?, ?, ?, ?)",
            [
                campaign.account,
                campaign.epoch,
                campaign.sequence,
                campaign.is_running,
                funds.status,
                funds.is_enough,
            ],
        )
