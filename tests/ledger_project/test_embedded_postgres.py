"""Real servers, each in its own folder, stopped and removed at the end of its test."""

import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from ledger_project.database.embedded import EmbeddedPostgres, EmbeddedPostgresError
from tests.servers import (
    Make,
    kill_postmaster,
    query,
    read_pid,
    show,
    start_in_another_process,
    wait_for,
)

pytestmark = pytest.mark.drill

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to leave root behind")


def test_data_survive_a_stop_and_a_start(started: EmbeddedPostgres) -> None:
    query(started, "CREATE TABLE kept AS SELECT 42 AS answer")
    started.stop()
    assert not started.is_running()
    started.start()
    assert query(started, "SELECT answer FROM kept") == [(42,)]


def test_nothing_is_written_before_the_first_start(make: Make) -> None:
    postgres = make()
    assert not postgres.is_running()
    assert postgres.socket_folder == postgres.folder / "socket"
    postgres.stop()
    assert not postgres.folder.exists()


def test_a_second_start_keeps_the_running_server_and_a_second_stop_is_quiet(
    started: EmbeddedPostgres,
) -> None:
    pid = read_pid(started)
    started.start()
    assert read_pid(started) == pid
    started.stop()
    started.stop()
    assert not started.is_running()


def test_the_settings_are_ours_and_the_callers_go_over_them(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "TZ": "America/Chicago",
        "PGDATA": "/nowhere",
        "PGPORT": "6543",
        "PGHOST": "x",
    }.items():
        monkeypatch.setenv(name, value)
    postgres = make(jit="on", search_path="it's, a\\b")
    postgres.start()
    expected = {
        "timezone": "UTC",
        "log_timezone": "UTC",
        "listen_addresses": "",
        "port": "5432",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "unix_socket_permissions": "0700",
        "lock_timeout": "3s",
        "idle_in_transaction_session_timeout": "30s",
        "client_connection_check_interval": "5s",
        "max_wal_size": "2GB",
        "fsync": "off",
        "jit": "on",
    }
    assert {name: show(postgres, name) for name in expected} == expected
    assert query(
        postgres, "SELECT datcollate, datctype, datlocale FROM pg_database WHERE datname = 'postgres'"
    ) == [("C.UTF-8", "C.UTF-8", "C.UTF-8")]
    assert int(str(show(postgres, "server_version_num"))) >= 180000


def test_settings_are_written_anew_at_each_start(make: Make) -> None:
    make(work_mem="5MB").start()
    postgres = make(work_mem="6MB")
    postgres.stop()
    postgres.start()
    assert show(postgres, "work_mem") == "6MB"


def test_only_the_owner_can_enter_the_socket_folder(started: EmbeddedPostgres) -> None:
    assert stat.S_IMODE(started.socket_folder.stat().st_mode) == 0o700
    started.stop()
    started.socket_folder.chmod(0o755)
    with pytest.raises(EmbeddedPostgresError, match="not a folder that only user"):
        started.start()


@pytest.mark.parametrize("name", ['o\'clock "$(at)" `noon` \\ 12', "a,comma"])
def test_any_path_will_do(make: Make, place: Path, name: str) -> None:
    postgres = make(place / name)
    postgres.start()
    assert query(postgres, "SELECT 1") == [(1,)]


def test_a_path_too_long_for_a_socket_gets_a_private_folder_in_tmp(make: Make, place: Path) -> None:
    postgres = make(place.joinpath(*["long" * 10] * 4))
    postgres.start()
    assert postgres.socket_folder.parent == Path("/tmp")
    assert stat.S_IMODE(postgres.socket_folder.lstat().st_mode) == 0o700
    assert query(postgres, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("trap", ["open folder", "link"])
def test_a_socket_folder_in_tmp_that_is_open_to_others_is_refused(make: Make, place: Path, trap: str) -> None:
    postgres = make(place.joinpath(*["long" * 10] * 4))
    in_tmp = postgres.socket_folder
    if trap == "link":
        (place / "elsewhere").mkdir(mode=0o700)
        in_tmp.symlink_to(place / "elsewhere")
    else:
        in_tmp.mkdir()
        in_tmp.chmod(0o777)
    try:
        for use in (postgres.start, postgres.is_running, lambda: postgres.socket_folder):
            with pytest.raises(EmbeddedPostgresError, match="not a folder that only user"):
                use()
    finally:
        in_tmp.unlink() if trap == "link" else in_tmp.rmdir()


def test_twelve_processes_that_start_at_once_make_one_server(make: Make) -> None:
    postgres = make()
    processes = [start_in_another_process(postgres) for _ in range(12)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 12
    assert postgres.is_running()
    assert postgres.log_file.read_text().count("database system is ready to accept connections") == 1


def test_the_server_outlives_the_session_that_started_it(make: Make) -> None:
    postgres = make()
    assert start_in_another_process(postgres).wait(timeout=60) == 0
    assert postgres.is_running()
    assert os.getsid(read_pid(postgres)) != os.getsid(0)


def test_a_killed_server_is_noticed_and_healed_and_keeps_what_was_committed(make: Make) -> None:
    postgres = make(synchronous_commit="on")
    postgres.start()
    query(postgres, "CREATE TABLE kept AS SELECT 42 AS answer")
    kill_postmaster(postgres)
    wait_for(lambda: not postgres.is_running())
    postgres.start()
    assert query(postgres, "SELECT answer FROM kept") == [(42,)]


def test_a_killed_servers_last_query_is_waited_for(started: EmbeddedPostgres) -> None:
    busy = "DO $$ BEGIN WHILE clock_timestamp() < now() + interval '2s' LOOP END LOOP; END $$"
    connection = psycopg.connect(host=str(started.socket_folder), port=5432, user="postgres", autocommit=True)
    connection.pgconn.send_query(busy.encode())
    wait_for(lambda: query(started, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO%'") == [(1,)])
    kill_postmaster(started)
    started_at = time.monotonic()
    started.start()
    assert time.monotonic() - started_at > 0.5
    assert query(started, "SELECT 1") == [(1,)]
    connection.close()


def test_a_stale_pid_that_is_now_another_process_does_not_stop_the_start(started: EmbeddedPostgres) -> None:
    stale = started.log_file.parent / "data" / "postmaster.pid"
    rest = stale.read_text().partition("\n")[2]
    lock = (started.socket_folder / ".s.PGSQL.5432.lock").read_text().partition("\n")[2]
    started.stop()
    innocent = subprocess.Popen(["sleep", "60"])
    try:
        stale.write_text(f"{innocent.pid}\n{rest}")
        (started.socket_folder / ".s.PGSQL.5432.lock").write_text(f"{innocent.pid}\n{lock}")
        assert not started.is_running()
        started.stop()
        started.start()
        assert query(started, "SELECT 1") == [(1,)]
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_a_half_finished_initdb_is_done_anew(make: Make) -> None:
    postgres = make()
    half = postgres.folder / "data.new"
    (half / "base").mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    postgres.start()
    assert query(postgres, "SELECT 1") == [(1,)]
    assert not half.exists()


def test_data_of_another_major_version_are_refused(make: Make) -> None:
    postgres = make()
    (postgres.folder / "data").mkdir(parents=True)
    (postgres.folder / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedPostgresError, match="of PostgreSQL 16, not 18"):
        postgres.start()
    shutil.rmtree(postgres.folder)


@only_root
def test_data_of_another_user_are_refused(make: Make) -> None:
    postgres = make()
    data = postgres.folder / "data"
    data.mkdir(parents=True)
    os.chown(data, 1234, -1)
    with pytest.raises(EmbeddedPostgresError, match="belongs to the user 1234, not to 0"):
        postgres.start()
    shutil.rmtree(postgres.folder)


def test_a_failed_start_says_what_the_log_says(make: Make) -> None:
    postgres = make(shared_buffers="a lot")
    with pytest.raises(EmbeddedPostgresError, match='invalid value for parameter "shared_buffers"'):
        postgres.start()


def test_bundled_programs_run_against_the_server(started: EmbeddedPostgres) -> None:
    answer = started.run("psql", "-XAtc", "SELECT 6 * 7", capture_output=True, text=True)
    assert (answer.stdout, answer.stderr, answer.returncode) == ("42\n", "", 0)
    assert started.run("pg_basebackup", "-D", "backup", capture_output=True).returncode == 0
    assert (started.log_file.parent / "backup" / "PG_VERSION").exists()


def test_a_database_is_created_once(started: EmbeddedPostgres) -> None:
    started.ensure_database('the "ledger"')
    started.ensure_database('the "ledger"')
    assert query(started, "SELECT current_database()", dbname='the "ledger"') == [('the "ledger"',)]
