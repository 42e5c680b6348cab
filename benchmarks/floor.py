"""The floor: the bare posting as plain SQL by pgbench, on the same server, in tables of its own.

`a` is BEGIN, SELECT … FOR NO KEY UPDATE, INSERT, UPDATE, COMMIT; `b` the same in one statement; `read` is
one account's balance. Each row keeps an id, a sequence number and the balance after it, as ours do.
"""

import re
import subprocess
from dataclasses import dataclass

from ledger_project.embedded_postgres import EmbeddedPostgres

DATABASE = "ledger"
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
VACUUM ANALYZE floor_account;
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


@dataclass(frozen=True)
class Figures:
    """Of one run: transactions or requests a second, milliseconds at the median and the 99th percentile."""

    rate: float
    p50: float
    p99: float


def prepare(server: EmbeddedPostgres, accounts: int) -> None:
    """Make the floor's own tables."""
    command = ["-d", DATABASE, "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    server.run("psql", *command, input=SCHEMA.format(accounts=accounts), text=True, check=True)


def run_pgbench(
    server: EmbeddedPostgres, script: str, *, clients: int, accounts: int, seconds: float
) -> Figures:
    """One run of `script` on the first `accounts` accounts."""
    folder = server.folder / "pgbench"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    file = folder / "script.sql"
    file.write_text(SCRIPTS[script].format(accounts=accounts))
    options = ["-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(seconds), "-f", str(file)]
    log = ["-l", "--log-prefix", str(folder / "log")]
    command = [*options, *log, DATABASE]
    output = server.run("pgbench", *command, stdout=subprocess.PIPE, text=True, check=True).stdout
    [rate] = re.findall(r"^tps = ([0-9.]+)", output, flags=re.M)
    latencies = sorted(
        int(line.split()[2]) / 1000 for part in folder.glob("log*") for line in part.read_text().splitlines()
    )
    return Figures(float(rate), latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100])
