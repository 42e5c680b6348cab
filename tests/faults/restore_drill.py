"""A drill: backups are made while postings go on, the server is killed, and everything is restored.

`python -m tests.faults.restore_drill` ends with 0 if, of what was acknowledged, all is there up to the chosen
moment and nothing of later, if all sums are right, and if the feed waits for a new epoch and then goes on.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg

from ledger_project.database.embedded import EmbeddedPostgres
from tests.faults import own_ledger, restores
from tests.faults.hammer import new_folder
from tests.faults.restore_verdict import Reply, compare, find_unsound, read_contents
from tests.servers import PROJECT, kill_postmaster, query, wait_for

SHOWN_MAX = 20
WAYS = MOMENT, ARCHIVE, STREAM, DUMP = "to a moment", "the archive", "the stream", "dump"
# What may be missing at most when the server and its disk are gone: what was not archived, not streamed yet.
RPO_MAX, STREAM_RPO_MAX, LONG = timedelta(seconds=60), timedelta(seconds=5), timedelta(days=1)
Charges = list[tuple[str, str]]


@dataclass
class Restore:
    """One of the ways back, and how it went."""

    name: str
    seconds: float = 0.0
    lost: int = 0  # acknowledged before the server was killed, and not there
    lost_seconds: float = 0.0  # how long before the kill the last one was that is there
    charges: Charges = field(default_factory=list)


@dataclass
class Backups:
    """What is left when the server is gone."""

    folder: Path  # base backups and the stream, as in a cluster
    base: Path
    archive: Path
    dump: Path
    moment: datetime
    dumped: tuple[datetime, datetime]
    killed_at: datetime
    replies: list[Reply]


def make_backups(
    postgres: EmbeddedPostgres, folder: Path, threads: int, seconds: float, seed: int
) -> Backups:
    """Post all the while; in the end the server is killed, and its disk is gone with it."""
    from tests.faults import restore_actors as actors

    backups, archive, dump = (folder / name for name in ("backups", "archive", "dump.sql"))
    streaming = restores.Stream(postgres, backups)
    with actors.working_on(postgres):
        posters = actors.Posters(threads, seed)
        try:
            time.sleep(seconds)
            base = restores.back_up(postgres, backups)
            time.sleep(seconds)
            began = datetime.now(UTC)
            restores.dump(postgres, dump)
            dumped = (began, datetime.now(UTC))
            time.sleep(seconds)
            moment = datetime.now(UTC)
            [[segment]] = query(postgres, "SELECT pg_walfile_name(pg_current_wal_lsn())")
            time.sleep(seconds)
            wait_for(lambda: (archive / str(segment)).exists(), 60)
            time.sleep(restores.ARCHIVE_SECONDS / 2)
            killed_at = datetime.now(UTC)
            kill_postmaster(postgres)
        finally:
            posters.stop()
    postgres.stop()  # what is left of it
    streaming.wait_for_end()
    shutil.rmtree(postgres.folder / "data")
    return Backups(backups, base, archive, dump, moment, dumped, killed_at, posters.replies)


def restore_all(backups: Backups, folder: Path) -> Iterator[Restore]:
    ever = backups.killed_at + LONG
    for name, make, since, until in (
        (MOMENT, partial(restores.restore, backups.folder, folder / "1", to=backups.moment),
            backups.moment, backups.moment),
        (ARCHIVE, partial(restores.recover, backups.base, folder / "2", backups.archive),
            backups.killed_at - RPO_MAX, ever),
        (STREAM, partial(restores.restore, backups.folder, folder / "3"),
            backups.killed_at - STREAM_RPO_MAX, ever),
        (DUMP, partial(restores.load, backups.dump, folder / "4"), *backups.dumped),
    ):  # fmt: skip
        postgres, seconds = make()
        try:
            restore = Restore(name, seconds)
            examine(restore, postgres, backups, since, until)
            yield restore
        finally:
            postgres.stop()
            shutil.rmtree(postgres.folder)


def examine(
    restore: Restore, postgres: EmbeddedPostgres, backups: Backups, since: datetime, until: datetime
) -> None:
    from tests.faults import restore_actors as actors

    with psycopg.connect(host=str(postgres.socket_folder), user="postgres", dbname="ledger") as connection:
        contents = read_contents(connection)
        restore.charges += find_unsound(connection)
    restore.charges += compare(backups.replies, contents, since, until)
    kept = [reply.acknowledged_at for reply in backups.replies if reply.id in contents]
    restore.lost = len(backups.replies) - len(kept)
    restore.lost_seconds = (backups.killed_at - max(kept)).total_seconds()
    if restore.name == DUMP:
        actors.make_roles(postgres)
    actors.require_roles(postgres)
    restore.charges += audit(postgres)
    actors.require_new_epoch(postgres)


def audit(postgres: EmbeddedPostgres) -> Charges:
    """By the ledger's own command, as the role that operators run it as."""
    url = f"postgres://ledger_maintenance@/{postgres.socket_folder}/ledger"
    done = subprocess.run(
        [sys.executable, "manage.py", "audit_balances", "--json"],
        cwd=PROJECT, env={**os.environ, "DATABASE_URL": url}, capture_output=True, text=True,
    )  # fmt: skip
    return [("audit", line) for line in (done.stdout + done.stderr).splitlines()] if done.returncode else []


def drill(folder: Path, *, threads: int, seconds: float, seed: int) -> tuple[Backups, list[Restore]]:
    archive = folder / "archive"
    archive.mkdir(parents=True)
    postgres = EmbeddedPostgres(folder / "postgres", settings=restores.archive_into(archive))
    postgres.start()
    try:
        own_ledger.begin(folder, ANCHOR_KEY="an anchor key for tests, used nowhere else")
        own_ledger.finish(own_ledger.fork(_make_roles, postgres), own_ledger.MIGRATE_SECONDS_MAX)
        backups = make_backups(postgres, folder, threads, seconds, seed)
    finally:
        postgres.stop()
    return backups, list(restore_all(backups, folder))


def _make_roles(postgres: EmbeddedPostgres) -> None:
    from tests.faults import restore_actors as actors

    actors.make_roles(postgres)


def describe(backups: Backups, made: list[Restore]) -> str:
    lines = [
        f"{len(backups.replies)} acknowledged",
        "",
        f"{'restore':<24}{'took s':>8}{'not there':>11}{'of the last s':>15}{'charges':>9}",
    ]
    lines += [
        f"{each.name:<24}{each.seconds:>8.1f}{each.lost:>11}{each.lost_seconds:>15.2f}{len(each.charges):>9}"
        for each in made
    ]
    charges = [f"! {each.name}: {charge}: {what}" for each in made for charge, what in each.charges]
    return "\n".join([*lines, "", *charges[:SHOWN_MAX]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of postings before each step")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="a new one, which is kept (default: a temporary one)")
    asked = parser.parse_args()
    began = time.monotonic()
    with new_folder("restore-drill-", asked.folder) as folder:
        backups, made = drill(folder, threads=asked.threads, seconds=asked.seconds, seed=asked.seed)
        sys.stdout.write(f"{describe(backups, made)}\nin {time.monotonic() - began:.0f} s, {folder}\n")
        if any(each.charges for each in made):
            sys.exit(1)


if __name__ == "__main__":
    main()
