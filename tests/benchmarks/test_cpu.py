"""Whose CPU the benchmarks count."""

import os
import subprocess
import sys
import time

from django.conf import settings
from django.db import connection

from benchmarks.cpu import Site, divide, find_tree, measure

NOBODY = "a database of nobody"
SPIN = "import time\nwhile time.process_time() < {seconds}: pass\n"
PARENT = (
    "import subprocess, sys\n"
    "subprocess.run([sys.executable, '-c', {child!r}])\n"
    "print('done', flush=True)\n"
    "sys.stdin.read()\n"
)
SPUN_SECONDS = 1.0


def test_a_tree_is_a_process_and_its_descendants():
    child = "import sys; sys.stdin.read()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE) as process:
        while len(list(find_tree(process.pid))) < 2:
            time.sleep(0.01)
        assert process.pid in find_tree(process.pid)
        assert process.pid in find_tree(os.getpid())


def test_the_cpu_of_a_child_that_has_ended_meanwhile_is_counted():
    command = [sys.executable, "-c", PARENT.format(child=SPIN.format(seconds=SPUN_SECONDS))]
    # The process stands for the server, too: no children of it are backends of the database named.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        with measure(Site(process.pid, os.getpid(), NOBODY)) as used:
            assert process.stdout.readline() == b"done\n"
    # Its last quarter of a second or less, after the last sample, is lost.
    assert used["service"] > SPUN_SECONDS / 2


def test_backends_count_by_the_database_they_work_on(db):
    assert settings.EMBEDDED_POSTGRES is not None
    data = settings.EMBEDDED_POSTGRES.folder / "data"
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_database()")
        backend, database = cursor.fetchone()

    def count(site: Site) -> list[str]:
        return [name for name, pid in site.read() if pid == backend]

    assert count(Site(os.getpid(), postmaster, database)) == ["backends"]
    assert count(Site(os.getpid(), postmaster, NOBODY)) == ["others' backends"]
    assert count(Site(os.getpid(), postmaster, database, without={backend})) == ["others' backends"]
    kinds = {name for name, _ in Site(os.getpid(), postmaster, database).read()}
    assert {"checkpointer", "walwriter"} <= kinds


def test_seconds_are_divided_into_microseconds_a_request():
    assert divide({"service": 0.5}, 1000) == {"service": 500}
