"""The floor: the bare posting as plain SQL by pgbench, on the same server, in a database of its own.

`a` is BEGIN, SELECT … FOR NO KEY UPDATE, INSERT, UPDATE, COMMIT; `b` the same in one statement; `read` is
one account's balance. Each row keeps an id, a sequence number and the balance after it, as ours do.
"""

import math
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.cpu import Site, divide, find_children, read_command
from benchmarks.figures import Figures
from ledger_project.database.embedded import EmbeddedPostgres

DATABASE = "floor"
CONNECT_SECONDS_MAX = 30
WARM_SECONDS = 0.5  # every client has prepared its statements
SCHEMA = """
CREATE TABLE floor_account (
    id uuid PRIMARY KEY, balance numeric(28, 8) NOT NULL, version bigint NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE floor_entry (
    id uuid PRIMARY KEY, account_id uuid NOT NULL REFERENCES floor_account, version bigint NOT NULL,
    amount numeric(28, 8) NOT NULL, balance_after numeric(28, 8) NOT NULL, effective_at timestamptz NOT NULL,
    UNIQUE (account_id, version)
);
CREATE INDEX ON floor_entry (account_id, effective_at DESC, version DESC);
INSERT INTO floor_account
SELECT lpad(to_hex(n), 32, '0')::uuid, 1000000, 0 FROM generate_series(1, {accounts}) AS n;
VACUUM ANALYZE;
"""
PICK = """
\\set n random(1, {accounts})
\\set amount random(0, 1) * 2 - 1
"""
ACCOUNT = "lpad(to_hex(:n::bigint), 32, '0')::uuid"
SCRIPTS = {
    "a": PICK
    + f"""
BEGIN;
SELECT balance, version FROM floor_account WHERE id = {ACCOUNT} FOR NO KEY UPDATE \\gset
INSERT INTO floor_entry VALUES (
    uuidv7(), {ACCOUNT}, :version::bigint + 1, :amount, :balance::numeric + :amount::numeric, now()
);
UPDATE floor_account SET balance = balance + :amount::numeric, version = version + 1 WHERE id = {ACCOUNT};
COMMIT;
""",
    "b": PICK
    + f"""
WITH moved AS (
    UPDATE floor_account SET balance = balance + :amount::numeric, version = version + 1
    WHERE id = {ACCOUNT} RETURNING id, balance, version
)
INSERT INTO floor_entry SELECT uuidv7(), id, version, :amount::numeric, balance, now() FROM moved;
""",
    "read": PICK + f"SELECT balance, version FROM floor_account WHERE id = {ACCOUNT};\n",
}


def prepare(server: EmbeddedPostgres, accounts: int) -> None:
    """Make the floor's database and tables."""
    server.ensure_database(DATABASE)
    command = ["-d", DATABASE, "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    server.run("psql", *command, input=SCHEMA.format(accounts=accounts), text=True, check=True)


def vacuum(server: EmbeddedPostgres, *databases: str) -> None:
    """Statistics, dead rows and dirty pages of earlier runs, out of the way of the next."""
    for database in databases:
        server.run("psql", "-d", database, "-X", "-q", "-c", "VACUUM ANALYZE", check=True)
    server.run("psql", "-d", databases[0], "-X", "-q", "-c", "CHECKPOINT", check=True)


def run_pgbench(
    server: EmbeddedPostgres, postmaster: int, script: str, *, clients: int, accounts: int, seconds: float
) -> Figures:
    """One run of `script` on the first `accounts` accounts.

    Counted is a window of `seconds` in which all clients are connected and warm, so that neither the start
    of the backends nor their first plans make the floor look dear.
    """
    folder = server.folder / "pgbench"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    file = folder / "script.sql"
    file.write_text(SCRIPTS[script].format(accounts=accounts))
    length = math.ceil(seconds + WARM_SECONDS + 1)
    options = ["-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(length), "-f", str(file)]
    options += ["-l", "--log-prefix", str(folder / "log"), DATABASE]
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.run, "pgbench", *options, check=True, stdout=subprocess.DEVNULL)
        site = Site(wait_for_pgbench(folder), postmaster, DATABASE)
        wait_for_clients(site, clients)
        time.sleep(WARM_SECONDS)
        began, before = time.time(), site.read()
        time.sleep(seconds)
        ended, after = time.time(), site.read()
        running.result()
    took = sorted(ms for at, ms in read_log(folder) if began <= at < ended)
    used: dict[str, float] = {"service": 0, "backends": 0}
    for (name, pid), moment in after.items():
        if name in used:
            used[name] += moment - before.get((name, pid), 0)
    used["load"] = used.pop("service")  # pgbench itself
    return Figures(
        len(took) / (ended - began),
        took[len(took) // 2],
        took[len(took) * 99 // 100],
        divide(used, len(took)),
    )


def wait_for_pgbench(folder: Path) -> int:
    """The pid of the pgbench that works in the folder, a child of this process."""
    deadline = time.monotonic() + CONNECT_SECONDS_MAX
    while time.monotonic() < deadline:
        for pid in find_children(os.getpid()):
            command = read_command(pid)
            if "pgbench" in command.partition(" ")[0] and str(folder) in command:
                return pid
        time.sleep(0.01)
    raise TimeoutError("pgbench did not start")


def wait_for_clients(site: Site, clients: int) -> None:
    deadline = time.monotonic() + CONNECT_SECONDS_MAX
    while sum(name == "backends" for name, _ in site.read()) < clients:
        if time.monotonic() > deadline:
            raise TimeoutError("pgbench's clients did not connect")
        time.sleep(0.02)


def read_log(folder: Path) -> Iterator[tuple[float, float]]:
    """The moment at which each transaction ended, and the milliseconds that it took."""
    for part in folder.glob("log*"):
        for line in part.read_text().splitlines():
            words = line.split()
            yield int(words[4]) + int(words[5]) / 1e6, int(words[2]) / 1000
