"""The compose file: understood by compose, and from nothing to a 201, with its own commands."""

import json
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.deploy.compose import find_compose_faults, read_compose
from tests.deploy.composing import HEALTHY, Composed
from tests.deploy.settings import NEEDED
from tests.servers import PROJECT


def test_nothing_is_wrong_with_it():
    assert find_compose_faults(read_compose()) == []


@pytest.fixture(scope="module")
def composed():
    folder = Path(tempfile.mkdtemp(prefix="compose-", dir="/tmp"))
    folder.chmod(0o755)
    composed = Composed(folder)
    composed.up("web", "relay")
    composed.wait_for("web", HEALTHY)
    composed.wait_for("relay", HEALTHY)
    yield composed
    assert composed.down().keys() == {"web", "relay"}
    shutil.rmtree(folder)


def find_first_call():
    """The command of the README that follows `up`."""
    page = (PROJECT / "README.md").read_text()
    block = re.search(r"docker compose -f deploy/compose.yaml up .*?\n(curl .*?)\n```", page, flags=re.S)
    return block[1]


@pytest.mark.serve
@pytest.mark.timeout(300)
def test_a_strangers_second_command_gets_a_201(composed):
    inside = r"docker compose -f deploy/compose.yaml exec -T web cat (/\S+?)\)"
    call = re.sub(inside, lambda found: f"cat {composed.here(found[1])})", find_first_call())
    assert "docker" not in call
    call = call.replace("localhost:8080", f"localhost:{composed.web}")
    done = subprocess.run(["bash", "-c", call], capture_output=True, text=True)
    assert done.stdout.endswith(" 201\n"), done.stdout + done.stderr
    assert json.loads(done.stdout.removesuffix(" 201\n"))["name"] == "petya"


@pytest.mark.serve
@pytest.mark.timeout(300)
def test_the_demonstration_starts_and_stops_a_campaign(composed):
    status, said = composed.run("demo")
    assert status == 0, said
    assert re.findall(r"campaign (\w+)", said) == ["stopped", "running", "running", "running", "stopped"]


@pytest.mark.serve
@pytest.mark.timeout(300)
def test_starting_again_changes_no_secret_and_no_role(composed):
    before = {file.name: file.read_bytes() for file in composed.secrets.iterdir()}
    for name in ("keys", "migrate"):
        del composed.running[name]
        status, said = composed.run(name)
        assert status == 0, said
    assert {file.name: file.read_bytes() for file in composed.secrets.iterdir()} == before
    assert set(before) >= NEEDED
    assert len({content for name, content in before.items() if name in NEEDED}) == len(NEEDED)
    modes = {name: stat.S_IMODE((composed.secrets / name).stat().st_mode) for name in NEEDED}
    assert set(modes.values()) == {0o400}
