"""What root does so that PostgreSQL, which refuses root, runs without opening anybody's folders."""

import os
import pwd
import shutil
import stat
from pathlib import Path

import pytest

from ledger_project.database.embedded import EmbeddedPostgresError
from tests.servers import (
    Make,
    kill_postmaster,
    query,
    read_pid,
    wait_for,
)

pytestmark = pytest.mark.drill

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to leave root behind")


@only_root
def test_root_works_below_a_private_folder_and_opens_nothing(make: Make, place: Path) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    postgres = make(home / "project" / "postgres")
    before = {path: path.stat().st_mode for path in (place, home)}
    postgres.start()
    assert query(postgres, "SELECT 1") == [(1,)]
    if not (postgres.folder / "location").is_symlink():
        assert (postgres.folder / "data").stat().st_uid == 0
    assert {path: path.stat().st_mode for path in (place, home)} == before


@only_root
def test_without_namespaces_root_runs_the_server_as_nobody(
    make: Make, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forbid_namespaces(place, monkeypatch)
    postgres = make()
    host_before = postgres.socket_folder
    postgres.start()
    home = postgres.log_file.parent
    nobody = pwd.getpwnam("nobody").pw_uid
    assert home.parent == Path("/var/lib")
    assert [stat.S_IMODE(home.stat().st_mode), home.stat().st_uid] == [0o700, nobody]
    assert Path(f"/proc/{read_pid(postgres)}").stat().st_uid == nobody
    assert capsys.readouterr().err.count("\n") == 1
    assert postgres.socket_folder == host_before

    monkeypatch.undo()
    another = make()
    assert another.is_running()
    assert query(another, "SELECT 1") == [(1,)]
    answer = another.run("psql", "-XAtc", "SELECT 42", capture_output=True, text=True)
    assert (answer.stdout, answer.stderr) == ("42\n", "")
    another.stop()
    assert not postgres.is_running()
    another.start()
    assert another.log_file.parent == home
    kill_postmaster(another)
    wait_for(lambda: not another.is_running())
    another.start()
    assert capsys.readouterr().err == ""


@only_root
def test_root_in_another_users_private_home_falls_back_to_nobody(make: Make, place: Path) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    os.chown(home, 1234, 1234)
    postgres = make(home / "postgres")
    postgres.start()
    assert (postgres.folder / "location").is_symlink()
    assert query(postgres, "SELECT 1") == [(1,)]
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@only_root
def test_data_left_by_an_earlier_folder_of_the_same_path_are_not_taken_over(
    make: Make, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_namespaces(place, monkeypatch)
    postgres = make()
    postgres.start()
    home = postgres.log_file.parent
    postgres.stop()
    shutil.rmtree(postgres.folder)
    with pytest.raises(EmbeddedPostgresError, match="data of an earlier"):
        postgres.start()
    (postgres.folder / "location").symlink_to(home)
    postgres.start()
    postgres.stop()
    shutil.rmtree(home)
    with pytest.raises(EmbeddedPostgresError, match="is gone"):
        postgres.start()
    (postgres.folder / "location").unlink()


def forbid_namespaces(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = place / "bin" / "unshare"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=os.pathsep)
