"""A few kills at every point, in CI; `make soak` has many."""

import os
import re
import subprocess
import sys

import pytest

from tests.clients.points import POINTS
from tests.servers import PROJECT

pytestmark = [pytest.mark.clients, pytest.mark.serve, pytest.mark.timeout(400)]


def run(*options):
    path = os.pathsep.join(str(PROJECT / "clients/python" / each) for each in ("src", "tests"))
    return subprocess.run(
        [sys.executable, "-m", "tests.clients.chaos", *options],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def test_killed_at_every_point_intents_are_transactions():
    chaos = run("--times", "2")
    assert chaos.returncode == 0, chaos.stdout + chaos.stderr
    kills = dict(re.findall(r"^  (\S.*?) +(\d+)$", chaos.stdout, flags=re.M))
    assert kills.keys() == {point.name for point in POINTS}
    assert min(map(int, kills.values())) >= 2
    assert len(POINTS) >= 10


def test_a_client_that_makes_an_id_anew_for_every_try_is_found():
    chaos = run("--times", "2", "--points", "network cut after", "--new-ids")
    assert chaos.returncode == 1, chaos.stdout + chaos.stderr
    assert "by the orders" in chaos.stdout
