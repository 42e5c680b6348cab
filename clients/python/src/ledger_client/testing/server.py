"""A ledger for tests, from a checkout, with an embedded database in a temporary folder."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from ledger_client.ledger import Ledger

START_SECONDS_MAX = 300  # on a machine that is busy with something else
STOP_SECONDS_MAX = 30
# Of whoever runs the tests: this ledger has a database and keys of its own.
NOT_INHERITED = {
    *("DATABASE_URL", "BROKER_URL", "BROKER_EXCHANGE", "DJANGO_SETTINGS_MODULE", "PYTHONPATH"),
    *("SECRET_KEY", "CHAIN_KEY", "WEBHOOK_KEY", "ANCHOR_KEY", "SECOND_FACTOR_KEY"),
}


class LedgerServer:
    """`manage.py serve` of a checkout. Killed and started again, it goes on where it was.

    `checkout`: has `manage.py`, and the ledger's own environment in `.venv`; without one this Python serves.
    `settings`: environment variables of the ledger's. Webhooks may go to this machine.
    """

    def __init__(
        self,
        checkout: Path,
        *,
        var: Path | None = None,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.checkout = checkout.resolve()
        if not (self.checkout / "manage.py").exists():
            raise FileNotFoundError(f"{self.checkout} is no checkout of the ledger: it has no manage.py.")
        own = self.checkout / ".venv/bin/python"
        self.python = str(own) if own.exists() else sys.executable
        self.is_temporary = var is None
        self.var = var or make_folder() / "var"
        self.port = port or find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.var.parent / "ledger.log"
        self.settings = {"WEBHOOK_LOOPBACK": "true", **(settings or {})}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def token_file(self) -> Path:
        return self.var / "api_token"

    @property
    def token(self) -> str:
        """Of a service of the group `api-admin`."""
        return self.token_file.read_text().strip()

    def connect(self, *, token: str | None = None, patience: float = 60) -> Ledger:
        return Ledger(self.url, token or self.token, patience=patience)

    def start(self) -> None:
        """Returns when it answers. Raises `RuntimeError` with its last words if it does not."""
        self.begin()
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.answers():
            if self.has_ended() or time.monotonic() > deadline:
                words = self.log.read_text()[-2000:]
                self.remove()
                raise RuntimeError(f"The ledger did not start:\n{words}")
            time.sleep(0.05)

    def begin(self) -> None:
        """Start it, and do not wait."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, "manage.py", "serve", "--port", str(self.port)],
                cwd=self.checkout,
                env=self.make_environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests, which stop it themselves
            )

    def make_environment(self) -> dict[str, str]:
        """That of its processes, and of its commands."""
        own = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        return {**own, "LEDGER_VAR": str(self.var), **self.settings}

    def answers(self) -> bool:
        """Whether somebody listens, and the token of the first service is there."""
        return self.token_file.exists() and self.listens()

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def issue_token(self, name: str, group: str) -> str:
        """Of a service of that name: `api-read`, `api-post` or `api-admin`."""
        return self.run("issue_token", name, "--group", group).strip()

    def run(self, *command: str) -> str:
        """A command of the ledger's, on its database; what it prints."""
        run = subprocess.run(
            [self.python, "manage.py", *command],
            cwd=self.checkout,
            env=self.make_environment(),
            capture_output=True,
            text=True,
        )
        if run.returncode:
            raise RuntimeError(f"{' '.join(command)}: {run.stderr}")
        return run.stdout

    def kill(self) -> None:
        """kill -9, of everything that it has started too, its database included."""
        if self.process is not None:
            for pid in [self.process.pid, *find_descendants(self.process.pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
            deadline = time.monotonic() + STOP_SECONDS_MAX
            while self.listens() and time.monotonic() < deadline:  # its children end a little later
                time.sleep(0.01)
        for place in ("data", "location/data"):
            with contextlib.suppress(OSError, ValueError):
                lines = (self.var / "postgres" / place / "postmaster.pid").read_text().splitlines()
                os.kill(int(lines[0]), signal.SIGKILL)

    def stop(self) -> None:
        """With its database. Its files stay."""
        if self.process is not None and not self.has_ended():
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.kill()
        elif self.process is not None:
            self.kill()
        self.process = None

    def remove(self) -> None:
        """Stop it; of one that is in a temporary folder nothing is left."""
        self.stop()
        if self.is_temporary:
            shutil.rmtree(self.var.parent, ignore_errors=True)


def make_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ledger-for-tests-"))
    folder.chmod(0o755)  # run by root, the database is another user's
    return folder


def find_descendants(pid: int) -> Iterator[int]:
    """By /proc; where there is none, children end by themselves when their parent is killed."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                child = int(stat.parent.name)
                yield child
                yield from find_descendants(child)


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
