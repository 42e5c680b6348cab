"""Containers that podman runs, as restricted as the manifests have them."""

import json
import re
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers import PROJECT

MEMORY = "512m"
SECRETS = "/etc/ledger/secrets"
USER = 10001
MEMORY_PAGE = PROJECT / "docs/deploying.md"
RESTRICTED = (
    "--read-only", "--read-only-tmpfs=false", "--cap-drop", "ALL",
    "--security-opt", "no-new-privileges", "--memory", MEMORY, "--no-healthcheck",
)  # fmt: skip


def podman(*arguments: str, seconds_max: float = 120) -> str:
    """Raises `AssertionError` with what podman says when it fails."""
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, timeout=seconds_max)
    assert done.returncode == 0, f"podman {' '.join(arguments)}: {done.stderr}"
    return done.stdout


@dataclass
class Container:
    """One of an image; `environment` has no secret in it. It is started again when it ends by itself, as a
    cluster would."""

    image: str
    name: str
    words: list[str]
    environment: dict[str, str]
    secrets: Path
    entrypoint: tuple[str, ...] = ()
    network: str = "host"
    volumes: tuple[str, ...] = ()
    starts: int = field(default=0)

    def start(self, *, read_only_secrets: bool = True) -> "Container":
        options = [f"--env={name}={value}" for name, value in self.environment.items()]
        options += [f"--network={self.network}", *(f"--volume={volume}" for volume in self.volumes)]
        options += ["--volume", f"{self.secrets}:{SECRETS}:{'ro' if read_only_secrets else 'rw'}"]
        options += ["--volume", "/var/lib/ledger"]  # one of its own, that belongs to the image's user
        options += [f"--entrypoint={json.dumps(self.entrypoint)}"] if self.entrypoint else []
        podman("run", "--detach", "--name", self.name, *RESTRICTED, *options, self.image, *self.words)
        self.starts = 1
        return self

    def revive(self) -> None:
        """Start it again if it has ended."""
        if not self.is_running():
            podman("start", self.name)
            self.starts += 1

    def is_running(self) -> bool:
        return podman("inspect", "--format", "{{.State.Running}}", self.name).strip() == "true"

    def execute(self, *words: str) -> bool:
        """Whether a command in it ends well."""
        return subprocess.run(["podman", "exec", self.name, *words], capture_output=True).returncode == 0

    def wait(self, seconds_max: float = 300) -> int:
        """Its exit status."""
        return int(podman("wait", self.name, seconds_max=seconds_max))

    def stop(self) -> float:
        """Remove it; the seconds that it took to end. Raises `AssertionError` if it had to be killed."""
        began = time.monotonic()
        podman("kill", "--signal", "TERM", self.name)
        status = self.wait()
        seconds = time.monotonic() - began
        assert status == 0, (self.name, status, self.read_log())
        self.remove()
        return seconds

    def remove(self) -> None:
        podman("rm", "--force", "--volumes", "--time", "0", self.name)

    def read_log(self) -> str:
        done = subprocess.run(["podman", "logs", self.name], capture_output=True, text=True)
        return (done.stdout + done.stderr)[-4000:]

    def measure_memory(self) -> int:
        """In MB, of all of its processes: what each has for itself, and its share of what they share."""
        pid = podman("inspect", "--format", "{{.State.Pid}}", self.name).strip()
        pids = [pid, *find_descendants(pid)]
        return sum(read_proportional(each) for each in pids) // 1000


def find_descendants(pid: str) -> list[str]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [*children, *(each for child in children for each in find_descendants(child))]


def read_proportional(pid: str) -> int:
    """In kB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def describe_image(image: str) -> dict[str, Any]:
    described: list[dict[str, Any]] = json.loads(podman("image", "inspect", image))
    return described[0]


def read_documented_memory() -> dict[tuple[str, str], int]:
    """MB of a pod, by its kind and "idle" or "under load", as the page has them."""
    rows = re.findall(
        r"^\| (web|relay)\b[^|]*\| (\d+) MB \| (\d+) MB \|", MEMORY_PAGE.read_text(), flags=re.M
    )
    return {
        (kind, when): int(amount)
        for kind, *amounts in rows
        for when, amount in zip(("idle", "under load"), amounts, strict=True)
    }


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310, of this machine
            return bool(answer.status == 200)
    except OSError:
        return False
