"""Backups of a server, and servers that are made from them."""

import json
import shutil
import threading
import time
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from ledger_project.database.embedded import EmbeddedPostgres
from tests.servers import query, wait_for

BASE = {"shared_buffers": "64MB", "max_connections": "30"}
ARCHIVE_SECONDS = 2  # how long a change waits at most before its segment is archived
RESTORE_SECONDS_MAX = 120


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
    """`pg_receivewal`: a copy of the WAL that is milliseconds behind. It ends with its server."""

    def __init__(self, postgres: EmbeddedPostgres, folder: Path) -> None:
        self.folder = folder
        arguments = ["pg_receivewal", "-D", str(folder), "--synchronous", "--no-loop"]
        options = {"capture_output": True, "text": True}
        self.thread = threading.Thread(target=postgres.run, args=arguments, kwargs=options)
        self.thread.start()
        wait_for(lambda: query(postgres, "SELECT count(*) FROM pg_stat_replication") == [(1,)], 30)

    def wait_for_end(self) -> None:
        self.thread.join(30)
        assert not self.thread.is_alive()


def run(postgres: EmbeddedPostgres, program: str, *arguments: str) -> None:
    done = postgres.run(program, *arguments, capture_output=True, text=True)
    assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"


def back_up(postgres: EmbeddedPostgres, folder: Path) -> None:
    """A base backup, whose files are those of its manifest.

    `pg_verifybackup` looks at the WAL too, but the one of the wheel crashes, whatever it is asked.
    """
    run(postgres, "pg_basebackup", "-D", str(folder), "-c", "fast", "--manifest-checksums", "SHA256")
    manifest = json.loads((folder / "backup_manifest").read_text())
    assert len(manifest["Files"]) > 100
    for entry in manifest["Files"]:
        assert sha256((folder / entry["Path"]).read_bytes()).hexdigest() == entry["Checksum"], entry


def recover(
    backup: Path, folder: Path, *segments: str, to: datetime | None = None
) -> tuple[EmbeddedPostgres, float]:
    """A new server from a base backup and the WAL in `segments` (paths with %f), and the seconds it took.

    Up to a moment, or as far as there is WAL.
    """
    began = time.monotonic()
    folder.mkdir()
    settings = {
        **BASE,
        "restore_command": " || ".join(f"cp {path} %p 2>/dev/null" for path in segments),
        "recovery_target_action": "promote",
    }
    if to is not None:
        settings["recovery_target_time"] = to.isoformat()
    postgres = EmbeddedPostgres(folder, settings=settings)
    shutil.copytree(backup, folder / "data", copy_function=shutil.copy)
    (folder / "data" / "recovery.signal").touch()
    postgres.start()
    wait_for(lambda: query(postgres, "SELECT pg_is_in_recovery()") == [(False,)], RESTORE_SECONDS_MAX)
    return postgres, time.monotonic() - began


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
