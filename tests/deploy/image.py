"""What is wrong with the Dockerfile: hadolint's findings, and what it does not look for."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.deploy.manifests import DEPLOY, PROGRAMS
from tests.deploy.settings import SECRETS


def find_image_faults(deploy: Path = DEPLOY) -> list[str]:
    """hadolint comes with the development requirements."""
    file = deploy / "Dockerfile"
    done = subprocess.run([PROGRAMS / "hadolint", "--no-color", file], capture_output=True, text=True)
    return [*done.stdout.splitlines(), *done.stderr.splitlines(), *find_own(file.read_text())]


def find_own(text: str) -> Iterator[str]:
    base = re.search(r"^ARG BASE=(\S+)$", text, flags=re.M)
    if base is None or not re.search(r":\d+\.\d+[\w.-]*$|@sha256:[0-9a-f]{64}$", base[1]):
        yield "the base is not pinned"
    stages = re.split(r"^FROM ", text, flags=re.M)[1:]
    if any(not stage.startswith("${BASE}") for stage in stages) or len(stages) != 2:
        yield "there are two stages, both on the base"
    user = re.search(r"^USER (\d+):(\d+)$", stages[-1], flags=re.M)
    if user is None or "0" in user.groups():
        yield "runs as root"
    if not re.search(r"uninstall .*\bpip\b", text):
        yield "pip is left"
    if re.search(r"apt-get install.*(gcc|build-essential|python3-(venv|pip|dev))", stages[-1], flags=re.S):
        yield "a compiler or pip is left"
    if not re.search(r"^HEALTHCHECK ", text, flags=re.M):
        yield "no HEALTHCHECK"
    named = re.findall(r"^(?:ARG|ENV)? *(\w+)(?:=| *$)", text, flags=re.M)
    yield from (f"{name} would stand in a layer" for name in named if name in SECRETS)
