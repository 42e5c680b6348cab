"""One campaign, from its first deposit until its money is spent, as the ledger tells of it.

`python -m examples.ad_engine.campaign [--ledger http://localhost:8080 --token-file var/api_token]` runs the
engine beside a ledger that is served already; exit 0 if the campaign was started once and stopped once.
"""

import argparse
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger_client import Ledger, LedgerError, commands, new_id
from ledger_client.testing import LedgerServer
from rich.console import Console

from examples.ad_engine.engine import Engine
from examples.ad_engine.funds import AMOUNT, OF, Funds
from examples.ad_engine.processes import Part, wait_until

WAIT_SECONDS_MAX = 60
PATIENCE = 60
LOG_LENGTH = 4000


class WentWrong(Exception):
    """Something is not as it should be."""


class Campaigns:
    """An advertising engine in a process of its own, and who moves the money that it hears of."""

    def __init__(self, url: str, token_file: Path, folder: Path, way: str, *options: str) -> None:
        self.console = Console(highlight=False)
        self.url, self.token_file = url, token_file
        self.database = folder / "ads.sqlite"
        command = ["-m", "examples.ad_engine", way, "--ledger", url]
        command += ["--token-file", str(token_file), "--database", str(self.database), *options]
        self.engine_part = Part(command, folder / "engine.log")
        self.parts: list[Part | LedgerServer] = [self.engine_part]

    def start_engine(self) -> None:
        self.ledger = self.make_client()
        self.ledger.who_am_i()
        Engine(self.database, self.ledger).database.close()  # its tables are there before they are looked at
        self.engine_part.start()

    def show_one_campaign(self) -> None:
        petya = self.make_account("petya")
        self.show("petya has an account with nothing in it", petya, "stopped")
        self.ledger.post(commands.deposit(id=new_id(), account=petya, amount="100.00"))
        self.show("a deposit of 100.00", petya, "running")
        hold = self.ledger.post(commands.hold(id=new_id(), account=petya, amount="60.00"))
        self.show("a hold of 60.00 leaves 40.00", petya, "running")
        self.ledger.post(commands.capture(id=new_id(), hold=hold.id))
        self.show("it is captured: still 40.00", petya, "running")
        self.ledger.post(commands.withdraw(id=new_id(), account=petya, amount="40.00"))
        self.show("the rest is spent", petya, "stopped")
        if [action for _, action in self.read_effects(petya)] != ["start", "stop"]:
            raise WentWrong(f"One start and one stop were due, not {self.read_effects(petya)}.")

    def show(self, what: str, account: UUID, state: str) -> None:
        self.catch_up(account)
        is_running = self.read_campaign(account)[1]
        self.say(f"  {what:<42} campaign {'[green]running' if is_running else '[red]stopped'}[/]")
        if is_running != (state == "running"):
            raise WentWrong(f"The campaign should be {state}.")

    def recompute(self, account: UUID) -> tuple[Funds, int, list[tuple[int, str]]]:
        """What the whole feed says: the funds, the last sequence number, the effects that were due."""
        funds, due, sequence = Funds(), [], 0
        for event in self.ledger.read_account_events(account):
            before, sequence = funds.may_be_spent, event.sequence
            funds.apply(event)
            if funds.may_be_spent != before:
                due.append((sequence, "stop" if before else "start"))
        return funds, sequence, due

    def catch_up(self, account: UUID) -> None:
        sequence = self.recompute(account)[1]
        self.wait("The engine hears it all", lambda: self.read_campaign(account)[0] >= sequence)

    def read_campaign(self, account: UUID) -> tuple[int, bool]:
        """The engine's place in the account's events, and whether the campaign runs."""
        rows = self.read(
            "SELECT sequence, is_running FROM campaign JOIN ledger_place ON stream = ?1 WHERE account = ?1",
            account,
        )
        return (rows[0][0], bool(rows[0][1])) if rows else (0, False)

    def read_effects(self, account: UUID) -> list[tuple[int, str]]:
        return self.read("SELECT account_sequence, action FROM effect WHERE account = ? ORDER BY id", account)

    def read(self, query: str, account: UUID) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute(query, [str(account)]).fetchall()

    def make_account(self, name: str) -> UUID:
        """Of a new user, with the threshold that the engine listens for."""
        [account] = self.ledger.post(commands.create_user(id=new_id(), name=name)).accounts
        self.ledger.post(commands.set_threshold(account=account.id, amount=AMOUNT, of=OF))
        return account.id

    def wait(self, what: str, condition: Any) -> None:
        def has_happened() -> bool:
            for part in self.parts:
                if part.process is not None and part.has_ended():
                    raise WentWrong(f"{part.log.stem} has ended by itself.")
            return bool(condition())

        if not wait_until(has_happened, WAIT_SECONDS_MAX):
            raise WentWrong(f"{what}: not within {WAIT_SECONDS_MAX} s.")

    def say(self, line: str) -> None:
        self.console.print(line, soft_wrap=True)

    def make_client(self) -> Ledger:
        return Ledger(self.url, self.token_file.read_text().strip(), patience=PATIENCE)

    def explain(self, wrong: Exception) -> None:
        for part in self.parts:
            if part.log.exists():
                self.console.print(
                    f"The end of {part.log.name}:\n{part.log.read_text()[-LOG_LENGTH:]}", markup=False
                )
        self.say(f"[red]{type(wrong).__name__}[/]")
        self.console.print(wrong, markup=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.ad_engine.campaign", description=__doc__)
    parser.add_argument("--ledger", default="http://localhost:8080")
    parser.add_argument(
        "--token-file", type=Path, default=Path("var/api_token"), help="of the group api-admin"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ledger-campaign-") as folder:
        campaigns = Campaigns(options.ledger, options.token_file, Path(folder), "pull")
        try:
            campaigns.start_engine()
            campaigns.show_one_campaign()
        except (WentWrong, LedgerError) as wrong:
            campaigns.explain(wrong)
            return 1
        finally:
            campaigns.engine_part.stop()
    campaigns.say("[green]Everything is right[/]: started once, stopped once.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
