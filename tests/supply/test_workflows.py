"""What runs on other machines is pinned, may do little, and ends; a check finds what is not so."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.servers import PROJECT

BIN = Path(sys.executable).parent
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


def check(folder):
    command = ["make", "--assume-old=.venv/dev", "check-workflows", f"BIN={BIN}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path):
    shutil.copy(PROJECT / "Makefile", tmp_path)
    for folder in (".github", ".ci"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    return tmp_path


def test_the_check_passes_what_is_there(copy):
    outcome = check(copy)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


CHECK, TESTS, DEPENDABOT = (
    f".github/{path}" for path in ("workflows/check.yml", "workflows/tests.yml", "dependabot.yml")
)
MISTAKES = {
    "an action by a tag that can move": (CHECK, "@5fda3b95a4ea91299a34e894583c3862153e4b97", "@v7"),
    "a script with a stranger's text in it": (CHECK, '"origin/$BASE"', "origin/${{ github.head_ref }}"),
    "all rights": (CHECK, "    permissions:\n      contents: read\n", "    permissions: write-all\n"),
    "credentials that stay on the disk": (TESTS, "          persist-credentials: false\n", ""),
    "a misspelt key": (TESTS, "timeout-minutes", "timeout-minute"),
    "a matrix that has no such axis": (TESTS, "matrix.python }}\n", "matrix.pythons }}\n"),
    "a version on the day it came out": (DEPENDABOT, "    cooldown:\n      default-days: 7\n", ""),
    "a misspelt ecosystem": (DEPENDABOT, "github-actions", "github-action"),
    "a variable without quotes": (".ci/postgresql", '-D "$folder/data"', "-D $folder/data"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_found(copy, kind):
    path, right, wrong = MISTAKES[kind]
    text = (copy / path).read_text()
    assert right in text
    (copy / path).write_text(text.replace(right, wrong))
    outcome = check(copy)
    assert outcome.returncode != 0
    assert Path(path).name in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_job_ends_and_asks_for_no_more_than_to_read(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        assert job["timeout-minutes"] <= 45


def test_the_matrix_is_of_every_python_and_postgresql_that_may_be_used():
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "tests.yml").read_text())
    matrix = workflow["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix == {"python": ["3.11", "3.12", "3.13"], "postgresql": ["14", "15", "16", "17", "18"]}
