"""The scripts of the backup CronJob with Debian's PostgreSQL: what is kept, and what goes."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.deploy.manifests import DEPLOY
from tests.deploy.postgres import BINARIES, DebianPostgres
from tests.programs import require
from tests.servers import wait_for

PASSWORD = "a password for tests, used nowhere else"
pytestmark = [pytest.mark.drill, pytest.mark.timeout(300)]


class Backups:
    """The folder, and the scripts as the user who runs the server."""

    def __init__(self, postgres: DebianPostgres) -> None:
        self.postgres, self.folder = postgres, postgres.folder / "backups"
        self.programs = postgres.folder / "programs"
        for folder in (self.folder, self.programs):
            folder.mkdir()
            shutil.chown(folder, "postgres")

    def command(self, name, *arguments):
        told = {
            "PATH": f"{self.programs}:{BINARIES}:/usr/bin:/bin",
            "BACKUPS": str(self.folder),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.postgres.port),
            "PGUSER": "postgres",
            "PGPASSWORD": PASSWORD,
        }
        words = [f"{key}={value}" for key, value in told.items()]
        script = DEPLOY / "kubernetes/base" / name
        return ["runuser", "-u", "postgres", "--", "env", "-i", *words, "sh", script, *arguments]

    def run(self, name, *arguments):
        return subprocess.run(self.command(name, *arguments), capture_output=True, text=True, cwd="/")

    def back_up(self):
        done = self.run("backup.sh")
        assert done.returncode == 0, done.stderr
        time.sleep(1.1)  # names have seconds
        return Path(done.stdout.splitlines()[-1])

    @property
    def bases(self):
        return sorted((self.folder / "base").iterdir())

    @property
    def segments(self):
        return sorted(file.name for file in (self.folder / "stream").iterdir())


@pytest.fixture
def backups():
    require(BINARIES / "postgres", "postgresql-15")
    folder = Path(tempfile.mkdtemp(prefix="backups-", dir="/tmp"))
    folder.chmod(0o755)
    postgres = DebianPostgres(folder / "postgres").start(PASSWORD)
    yield Backups(postgres)
    postgres.stop()
    shutil.rmtree(folder)


@pytest.fixture
def streaming(backups):
    process = subprocess.Popen(backups.command("stream.sh"), cwd="/")
    wait_for(lambda: backups.postgres.query("SELECT active FROM pg_replication_slots") == [(True,)], 30)
    yield process
    process.terminate()
    process.wait(20)


def next_segment(backups):
    backups.postgres.query("SELECT pg_switch_wal() FROM pg_logical_emit_message(true, 'test', 'x')")
    [[name]] = backups.postgres.query("SELECT pg_walfile_name(pg_current_wal_lsn())")
    return name


def test_old_backups_go_and_with_them_the_wal_that_nobody_needs(backups, streaming):
    first = backups.back_up()
    kept = next_segment(backups)
    next_segment(backups)
    second = backups.back_up()
    wait_for(lambda: kept in backups.segments, 30)
    os.utime(first, (time.time() - 20 * 86_400,) * 2)
    third = backups.back_up()
    assert backups.bases == [second, third]
    label = (second / "backup_label").read_text()
    needed = label.split("(file ")[1].split(")")[0]
    assert kept < needed
    assert backups.segments
    assert not [name for name in backups.segments if name < needed]


def test_a_backup_that_is_not_whole_is_none(backups):
    good = backups.back_up()
    broken = backups.programs / "pg_basebackup"
    broken.write_text(f'#!/bin/sh\n{BINARIES}/pg_basebackup "$@" && echo x >>"$2/global/pg_control"\n')
    broken.chmod(0o755)
    done = backups.run("backup.sh")
    assert done.returncode != 0
    assert "pg_control" in done.stderr
    assert [base for base in backups.bases if base.name.endswith("Z")] == [good]
    broken.unlink()
    assert len([base for base in [backups.back_up(), *backups.bases] if base.name == "part"]) == 0


def test_a_moment_before_all_backups_cannot_be_restored(backups):
    backups.back_up()
    done = backups.run("restore.sh", str(backups.folder / "data"), "2001-01-01 00:00+00")
    assert done.returncode == 1
    assert "no backup from before that moment" in done.stderr
    assert not (backups.folder / "data").exists()


@pytest.mark.parametrize("is_cut", [False, True], ids=["", "a segment was cut while it was laid out"])
def test_the_stream_goes_on_with_its_slot(backups, streaming, is_cut):
    wait_for(lambda: any(each.endswith(".partial") for each in backups.segments), 30)
    streaming.terminate()
    streaming.wait(20)
    if is_cut:
        [part] = (backups.folder / "stream").glob("*.partial")
        part.write_bytes(bytes(4_849_664))
    name = next_segment(backups)
    again = subprocess.Popen(backups.command("stream.sh"), cwd="/")
    try:
        wait_for(lambda: any(each.startswith(name) for each in backups.segments), 30)
        assert backups.postgres.query("SELECT slot_name FROM pg_replication_slots") == [("ledger_backup",)]
    finally:
        again.terminate()
        again.wait(20)
