"""What is installed: every package at one version, every file by its hash, and all of it in a list."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.servers import PROJECT

SETS = ("requirements", "requirements-tracing", "requirements-dev", "website/requirements")
BIN = Path(sys.executable).parent


def read_asked(name):
    """The pins of a `.in` file, and of those that it includes."""
    pins = {}
    for line in (PROJECT / f"{name}.in").read_text().splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r "):
            pins |= read_asked(line.removeprefix("-r ").removesuffix(".in"))
        elif line and not line.startswith("-c "):
            asked = Requirement(line)
            pins[canonicalize_name(asked.name)] = str(asked.specifier).removeprefix("==")
    return pins


def read_resolved(name):
    """The entries of a `.txt` file: for each package its requirement and the lines that belong to it."""
    text = (PROJECT / f"{name}.txt").read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.M)[1:]
    resolved = {}
    for entry in entries:
        asked = Requirement(entry.partition(" \\")[0])
        assert asked.name not in resolved
        resolved[asked.name] = (str(asked.specifier).removeprefix("=="), entry)
    return resolved


def find_without_hash(entries):
    return [
        name
        for name, (_, entry) in entries.items()
        if not re.search(r"^ +--hash=sha256:[0-9a-f]{64}\b", entry, re.M)
    ]


@pytest.mark.parametrize("name", SETS)
def test_every_file_that_is_installed_is_known_by_its_hash(name):
    assert find_without_hash(read_resolved(name)) == []


def test_a_package_without_a_hash_is_found():
    entries = read_resolved("requirements")
    version, entry = entries["django"]
    entries["django"] = (version, entry.replace("--hash", "#"))
    assert find_without_hash(entries) == ["django"]


@pytest.mark.parametrize("name", SETS)
def test_what_was_resolved_is_what_is_asked_for(name):
    asked, resolved = read_asked(name), read_resolved(name)
    assert {each: resolved[each][0] for each in asked} == asked
    asking = re.compile(r"(via|#) +-r \S*requirements")
    direct = {each for each, (_, entry) in resolved.items() if asking.search(entry)}
    assert direct == set(asked)


def test_what_is_tested_is_what_is_served():
    tested = {name: version for name, (version, _) in read_resolved("requirements-dev").items()}
    for name in ("requirements", "requirements-tracing"):
        served = {each: version for each, (version, _) in read_resolved(name).items()}
        assert served == {each: tested[each] for each in served}


def test_nothing_is_installed_past_the_hashes():
    """But what has an environment of its own: the published client, and who uses it."""
    makefile = (PROJECT / "Makefile").read_text()
    assert "PIP_INSTALL := pip install --disable-pip-version-check --require-hashes -r\n" in makefile
    assert re.findall(r"(\S*)pip install", makefile) == ["", ".venv-clients/bin/", ".venv-ads/bin/"]


def test_the_bill_of_materials_lists_what_is_installed_with_its_hashes(tmp_path):
    written = tmp_path / "ledger.cdx.json"
    command = ["make", "--assume-old=.venv/dev", "sbom", f"SBOM={written}", f"BIN={BIN}"]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    bill = json.loads(written.read_text())
    resolved = read_resolved("requirements")
    assert {(each["name"], each["version"]) for each in bill["components"]} == {
        (name, version) for name, (version, _) in resolved.items()
    }
    for each in bill["components"]:
        [files] = [reference["hashes"] for reference in each["externalReferences"]]
        listed = re.findall(r"sha256:([0-9a-f]{64})", resolved[each["name"]][1])
        assert {file["content"] for file in files} == set(listed)
    assert bill["metadata"]["component"]["name"] == "ledger"
    assert list(tmp_path.iterdir()) == [written]
