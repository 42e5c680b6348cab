"""The demonstration: both sides in processes of their own, both killed in the middle of a burst."""

import os
import subprocess
import sys

import pytest

from tests.servers import PROJECT

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(200)]


CLIENT = {**os.environ, "PYTHONPATH": str(PROJECT / "clients/python/src")}


def run(*arguments):
    command = [sys.executable, "-m", "examples.ad_engine.demo", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=CLIENT, capture_output=True, text=True)


@pytest.mark.parametrize("way", ["webhook", "pull"])
def test_both_sides_killed_every_campaign_is_what_the_ledger_says(way):
    demo = run("--way", way)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "kill -9 of both sides" in demo.stdout
    assert "every start and stop happened once" in demo.stdout
    assert demo.stderr == ""


def test_the_same_by_a_broker(broker):
    demo = run("--way", "rabbitmq", "--broker", broker.url)
    assert demo.returncode == 0, demo.stdout + demo.stderr


def test_without_its_token_the_engine_says_so(tmp_path):
    command = [sys.executable, "-m", "examples.ad_engine", "pull"]
    command += ["--token-file", str(tmp_path / "none"), "--database", str(tmp_path / "ads.sqlite")]
    engine = subprocess.run(command, cwd=PROJECT, env=CLIENT, capture_output=True, text=True)
    assert engine.returncode == 1
    assert engine.stderr.startswith("No token of the ledger:")
