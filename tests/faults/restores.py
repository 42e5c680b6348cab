"""Backups of a server, and servers that are made from them."""

import json
import os
import shutil
import subprocess
import threading
import time
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from ledger_project.database.embedded import EmbeddedPostgres
from tests.servers import PROJECT, query, wait_for

BASE = {"shared_buffers": "64MB", "max_connections": "30"}
ARCHIVE_SECONDS = 2  # how long a change waits at most before its segment is archived
RESTORE_SECONDS_MAX = 120
SCRIPTS = PROJECT / "deploy/kubernetes/base"


def archive_into(folder: Path) -> dict[str, str]:
    """Settings of a server that archives its WAL. A segment appears in the folder whole or not at all."""
    copy = f"test ! -f {folder}/%f && cp %p {folder}/%f.part && mv {folder}/%f.part {folder}/%f"
    return {
        **BASE,
        "archive_mode": "on",
        "archive_command": copy,
        "archive_timeout": f"{ARCHIVE_SECONDS}s",
    }


class Stream:
    """All WAL, milliseconds behind, as the cluster's Deployment receives it. It ends with its server."""

    def __init__(self, postgres: EmbeddedPostgres, backups: Path) -> None:
        arguments = (postgres, "stream.sh", backups, "--no-loop")
        self.thread = threading.Thread(target=run_script, args=arguments, kwargs={"until_the_end": True})
        self.thread.start()
        wait_for(lambda: query(postgres, "SELECT count(*) FROM pg_stat_replication") == [(1,)], 30)

    def wait_for_end(self) -> None:
        self.thread.join(30)
        assert not self.thread.is_alive()


def run_script(
    postgres: EmbeddedPostgres, name: str, backups: Path, *arguments: str, until_the_end: bool = False
) -> str:
    """One of the cluster's own, beside the server's programs; what it says. `until_the_end`: it ends with an
    error, as its server does."""
    programs = backups / "programs"
    programs.mkdir(parents=True, exist_ok=True)
    # The one of the wheel crashes, whatever it is asked; `back_up` looks at the files itself.
    verify = programs / "pg_verifybackup"
    verify.write_text("#!/bin/sh\n")
    verify.chmod(0o755)
    path = f"{programs}:{postgres.binaries}:{os.environ['PATH']}"
    options = {"env": {"PATH": path, "BACKUPS": str(backups)}, "capture_output": True, "text": True}
    done = postgres.run("/bin/sh", str(SCRIPTS / name), *arguments, **options)
    assert until_the_end or done.returncode == 0, done.stderr
    return str(done.stdout)


def run(postgres: EmbeddedPostgres, program: str, *arguments: str) -> None:
    done = postgres.run(program, *arguments, capture_output=True, text=True)
    assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"


def back_up(postgres: EmbeddedPostgres, backups: Path) -> Path:
    """A base backup as the cluster's CronJob makes it, whose files are those of its manifest."""
    folder = Path(run_script(postgres, "backup.sh", backups).splitlines()[-1])
    manifest = json.loads((folder / "backup_manifest").read_text())
    assert len(manifest["Files"]) > 100
    for entry in manifest["Files"]:
        assert sha256((folder / entry["Path"]).read_bytes()).hexdigest() == entry["Checksum"], entry
    return folder


def restore(backups: Path, folder: Path, *, to: datetime | None = None) -> tuple[EmbeddedPostgres, float]:
    """A new server from what the cluster's backups have, and the seconds it took.

    Up to a moment, or as far as there is WAL.
    """
    began = time.monotonic()
    folder.mkdir()
    command = ["sh", SCRIPTS / "restore.sh", folder / "data", *([to.isoformat()] if to else [])]
    environment = {**os.environ, "BACKUPS": str(backups)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    postgres = EmbeddedPostgres(folder, settings=BASE)
    postgres.start()
    wait_until_promoted(postgres)
    return postgres, time.monotonic() - began


def recover(backup: Path, folder: Path, archive: Path) -> tuple[EmbeddedPostgres, float]:
    """A new server from a base backup and the archive alone, and the seconds it took."""
    began = time.monotonic()
    folder.mkdir()
    settings = {
        **BASE,
        "restore_command": f"cp {archive}/%f %p 2>/dev/null",
        "recovery_target_action": "promote",
    }
    postgres = EmbeddedPostgres(folder, settings=settings)
    shutil.copytree(backup, folder / "data", copy_function=shutil.copy)
    (folder / "data" / "recovery.signal").touch()
    postgres.start()
    wait_until_promoted(postgres)
    return postgres, time.monotonic() - began


def wait_until_promoted(postgres: EmbeddedPostgres) -> None:
    wait_for(lambda: query(postgres, "SELECT pg_is_in_recovery()") == [(False,)], RESTORE_SECONDS_MAX)


def dump(postgres: EmbeddedPostgres, path: Path) -> None:
    """Without owners and rights: where it is restored, `database_roles` makes them."""
    run(postgres, "pg_dump", "--no-owner", "--no-privileges", "-f", str(path), "ledger")


def load(path: Path, folder: Path) -> tuple[EmbeddedPostgres, float]:
    """A new cluster with what was dumped, and the seconds it took."""
    began = time.monotonic()
    postgres = EmbeddedPostgres(folder, settings=BASE)
    postgres.start()
    postgres.ensure_database("ledger")
    options = ("-q", "-1", "-v", "ON_ERROR_STOP=1")
    run(postgres, "psql", *options, "-d", "ledger", "-o", "/dev/null", "-f", str(path))
    return postgres, time.monotonic() - began
