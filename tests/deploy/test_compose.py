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
from tests.deploy.manifests import find_pods, render
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
    """The command of the quick start that follows `up`."""
    page = (PROJECT / "docs/quick-start.md").read_text()
    block = re.search(r"docker compose -f deploy/compose.yaml up .*?\n(curl .*?)\n```", page, flags=re.S)
    return block[1]


@pytest.mark.drill
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


@pytest.mark.drill
@pytest.mark.serve
@pytest.mark.timeout(300)
def test_the_demonstration_starts_and_stops_a_campaign(composed):
    status, said = composed.run("demo")
    assert status == 0, said
    assert re.findall(r"campaign (\w+)", said) == ["stopped", "running", "running", "running", "stopped"]


# Whose address of the database a pod of the cluster has, and which file of `keys` that is.
ADDRESSES = {"ledger-database": "DATABASE_URL", "ledger-maintenance-database": "MAINTENANCE_DATABASE_URL"}


def find_timers():
    """Every command that the cluster runs by the clock, with the secret it logs in by."""
    for pod in find_pods(render("base")):
        if pod.kind == "CronJob" and pod.commands:
            [volume] = [each for each in pod.spec["volumes"] if each["name"] == "secrets"]
            names = [source["secret"]["name"] for source in volume["projected"]["sources"]]
            [secret] = ADDRESSES.keys() & set(names)
            yield pytest.param(pod.name, pod.commands[0], ADDRESSES[secret], id=pod.name)


@pytest.mark.drill
@pytest.mark.serve
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "words", "address"), list(find_timers()))
def test_what_runs_by_the_clock_may_do_its_work(composed, tmp_path, name, words, address):
    environment = composed.make_environment("web")
    environment["DATABASE_URL_FILE"] = str(composed.secrets / address)
    if name == "audit-new":
        assert run_manage(environment, "audit_balances").returncode == 0  # of everything, once before
    done = run_manage(environment, *(word.replace("/anchors", str(tmp_path)) for word in words))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.drill
@pytest.mark.serve
@pytest.mark.timeout(300)
def test_the_first_administrator_is_made_by_the_address_of_migrations(composed):
    environment = composed.make_environment("migrate") | {
        "DJANGO_SUPERUSER_PASSWORD": "a-long-one-for-tests-7"
    }
    page = (PROJECT / "docs/deploying.md").read_text()
    told = re.search(
        r"-e (DATABASE_URL_FILE)=(\S+) \\\n +--entrypoint python migrate manage.py createsuperuser", page
    )
    who = ("--noinput", "--username", "admin")
    done = run_manage(environment | {told[1]: composed.here(told[2])}, "createsuperuser", *who)
    assert done.returncode == 0, done.stdout + done.stderr


def run_manage(environment, *words):
    command = ["python", "manage.py", *words]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)


@pytest.mark.drill
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
