"""The engine: campaigns in SQLite that start and stop once for each event that says so.

`ledger_client.feed.Consumer` hears the events, in whatever order and number they come; the place in each
account's events is kept in the same transaction as the effect.
"""

import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from ledger_client import Event, Ledger
from ledger_client.books import SqliteBook
from ledger_client.feed import Consumer

from examples.ad_engine.funds import Funds

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;  -- what is acknowledged to the ledger must survive a power cut
CREATE TABLE IF NOT EXISTS campaign (
    account TEXT PRIMARY KEY, is_running INTEGER NOT NULL, status TEXT NOT NULL, is_enough INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS effect (
    id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, account TEXT NOT NULL, account_sequence INTEGER NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('start', 'stop')), at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS effect_of_an_account ON effect (account);
CREATE TRIGGER IF NOT EXISTS effects_alternate BEFORE INSERT ON effect
WHEN NEW.action = coalesce(
    (SELECT action FROM effect WHERE account = NEW.account ORDER BY id DESC LIMIT 1), 'stop'
) BEGIN SELECT RAISE(ABORT, 'the campaign is in that state already'); END;
CREATE TRIGGER IF NOT EXISTS effects_stay BEFORE UPDATE ON effect
BEGIN SELECT RAISE(ABORT, 'effects are append-only'); END;
CREATE TRIGGER IF NOT EXISTS effects_remain BEFORE DELETE ON effect
BEGIN SELECT RAISE(ABORT, 'effects are append-only'); END;
"""
LOAD = "SELECT is_running, status, is_enough FROM campaign WHERE account = ?"
logger = logging.getLogger("ad_engine")


@dataclass
class Campaign:
    account: UUID
    is_running: bool = False
    funds: Funds = field(default_factory=Funds)


class Engine(Consumer):
    """One process per database. Threads may share it."""

    def __init__(self, database: Path, ledger: Ledger) -> None:
        self.database = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self.database.executescript(SCHEMA)
        super().__init__(ledger, SqliteBook(self.database))

    def apply(self, event: Event) -> None:
        if event.account is not None:
            campaign = self.read_campaign(event.account)
            campaign.funds.apply(event)
            self._store(campaign, event.epoch, event.sequence)

    def start_over(self, account: UUID, epoch: UUID, events: Iterator[Event]) -> None:
        """Silently, but for the one effect that makes the campaign what it should be now."""
        funds, sequence = Funds(), 0
        for event in events:
            funds.apply(event)
            sequence = event.sequence
        campaign = self.read_campaign(account)
        campaign.funds = funds
        self._store(campaign, epoch, sequence)

    def read_campaign(self, account: UUID) -> Campaign:
        """Of an account that was never heard of: one that does not run."""
        row = self.database.execute(LOAD, [str(account)]).fetchone()
        return Campaign(account, bool(row[0]), Funds(row[1], bool(row[2]))) if row else Campaign(account)

    def _store(self, campaign: Campaign, epoch: UUID, sequence: int) -> None:
        """The campaign's state, and the effect if it has to start or stop: in the consumer's transaction."""
        funds, account = campaign.funds, str(campaign.account)
        if funds.may_be_spent != campaign.is_running:
            campaign.is_running = funds.may_be_spent
            action = "start" if campaign.is_running else "stop"
            self.database.execute(
                "INSERT INTO effect (epoch, account, account_sequence, action, at) VALUES (?, ?, ?, ?, ?)",
                [str(epoch), account, sequence, action, datetime.now(UTC).isoformat()],
            )
            logger.info("%s %s at its event %d", action, account, sequence)
        self.database.execute(
            "INSERT OR REPLACE INTO campaign VALUES (?, ?, ?, ?)",
            [account, campaign.is_running, funds.status, funds.is_enough],
        )
