"""Debian's PostgreSQL 15 at a port of this machine and at a socket, with passwords."""

import shutil
import subprocess
from pathlib import Path

import psycopg

from tests.service import find_free_port

BINARIES = Path("/usr/lib/postgresql/15/bin")


class DebianPostgres:
    """One server in a folder, empty but for a database `ledger`; only its superuser, `postgres`, is there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, find_free_port()
        self.socket = folder / "socket"

    def start(self, password: str, *settings: str) -> "DebianPostgres":
        """`settings` are of PostgreSQL, each as in `-c`."""
        self.password = password
        self.folder.mkdir(mode=0o700)
        shutil.chown(self.folder, "postgres")
        file = self.folder / "password"
        file.write_text(password)
        shutil.chown(file, "postgres")
        made = ("-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256", "--no-sync")
        self._run("initdb", "-D", str(self.folder / "data"), *made, f"--pwfile={file}")
        self.socket.mkdir()
        shutil.chown(self.socket, "postgres")
        options = [f"-p {self.port} -k '{self.socket}'"]
        own = ("listen_addresses=127.0.0.1", "max_connections=200", *settings)
        options += [f"-c '{setting}'" for setting in own]
        data = ("-D", str(self.folder / "data"))
        self._run("pg_ctl", *data, "-w", "-l", str(self.folder / "log"), "-o", " ".join(options), "start")
        (self.socket / ".s.PGSQL.5432").symlink_to(f".s.PGSQL.{self.port}")
        self.query("CREATE DATABASE ledger", "postgres")
        return self

    def query(self, statement: str, dbname: str = "ledger") -> list[tuple]:
        options = {"host": "127.0.0.1", "port": self.port, "user": "postgres", "password": self.password}
        with psycopg.connect(dbname=dbname, autocommit=True, **options) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "fast", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = ["runuser", "-u", "postgres", "--", str(BINARIES / program), *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
        assert done.returncode == 0, done.stdout
