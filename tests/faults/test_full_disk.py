"""A disk that runs full: refused in time, nothing acknowledged lost, and work goes on when there is room."""

import json
import subprocess
import time
from contextlib import contextmanager, suppress
from http.client import HTTPException

import psycopg
import pytest

from tests.faults.conftest import Place
from tests.faults.hammer import run_service_behind_proxy

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(240)]

DISK_MEGABYTES = 300
FULL_SECONDS_MAX = 60
RECOVERY_SECONDS_MAX = 40
LARGE = {f"key {number}": "x" * 450 for number in range(40)}


class SmallDisk:
    """A folder with a file system of its own."""

    def __init__(self, folder):
        self.ballast = folder / "ballast"

    def fill(self):
        with suppress(OSError), self.ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def free(self):
        self.ballast.unlink()


@contextmanager
def mount_small_disk(folder):
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=0700", "ledger-tests", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def run_on_full_disk(tmp_path):
    """A service with an account that has deposits; then its disk is full, from that folder on."""

    @contextmanager
    def run(full):
        with mount_small_disk(tmp_path / full) as disk, run_service_behind_proxy(tmp_path) as parts:
            place = Place(*parts)
            account = place.make_account()
            for _ in range(20):
                place.deposit(account)
            disk.fill()
            yield disk, place, account

    return run


def send_until_refused(place, account):
    """Requests with much to store, until one is refused; answers with that one."""
    deadline = time.monotonic() + FULL_SECONDS_MAX
    while True:
        assert time.monotonic() < deadline
        body = place.make_body(account, metadata=LARGE)
        status, text, _ = place.send(body)
        if status != 201:
            assert (status, json.loads(text)["code"]) == (503, "busy"), text
            return body


def break_the_log(place):
    """Let PostgreSQL want another file for its log while there is no room for one: it ends in a panic."""
    deadline = time.monotonic() + FULL_SECONDS_MAX
    while place.postgres.is_running():
        assert time.monotonic() < deadline
        with suppress(psycopg.Error):
            place.execute("SELECT pg_switch_wal(), pg_current_xact_id()")


def require_alive(place):
    code = place.service.process.poll()
    assert code is None, f"serve ended with {code}: {place.service.output[-2000:]}"


def require_recovery(place, account, *bodies):
    """The same requests are done now, and everything that was ever acknowledged is there."""
    deadline = time.monotonic() + RECOVERY_SECONDS_MAX
    ready = False
    while not ready:
        require_alive(place)
        assert time.monotonic() < deadline
        with suppress(OSError, HTTPException):
            ready = place.service.send("GET", "/readyz")[0] == 200
        time.sleep(0.1)
    for body in bodies:
        place.insist(body)
    place.deposit(account)
    place.require_exactly_what_was_acknowledged()


def test_a_full_disk_refuses_what_it_cannot_store_and_goes_on_when_there_is_room(run_on_full_disk):
    with run_on_full_disk("var/postgres") as (disk, place, account):
        refused = send_until_refused(place, account)
        with pytest.raises(psycopg.errors.DiskFull):
            place.execute("CREATE TABLE more AS SELECT repeat('x', 1000) FROM generate_series(1, 10000)")
        for _ in range(20):
            assert place.send(place.make_body(account))[0] in (201, 503)
        status, _, _ = place.service.send("GET", f"/api/v1/accounts/{account}/balance")
        assert status == 200
        disk.free()
        require_recovery(place, account, refused)


def test_a_disk_too_full_for_the_databases_log_ends_no_service(run_on_full_disk):
    with run_on_full_disk("var/postgres") as (disk, place, account):
        refused = send_until_refused(place, account)
        break_the_log(place)
        body = place.make_body(account)
        for _ in range(10):  # while it is tried in vain to start the database
            require_alive(place)
            with suppress(OSError):
                assert place.send(body)[0] == 503
            time.sleep(0.3)
        disk.free()
        require_recovery(place, account, refused, body)


def test_a_worker_that_dies_while_the_disk_with_everything_on_it_is_full_comes_back(run_on_full_disk):
    with run_on_full_disk("var") as (disk, place, account):
        place.service.find_workers()[0].kill()
        bodies = [place.make_body(account, metadata=LARGE) for _ in range(20)]
        for body in bodies:
            require_alive(place)
            with suppress(OSError, HTTPException):
                place.send(body)
            time.sleep(0.3)
        disk.free()
        require_recovery(place, account, *bodies)
