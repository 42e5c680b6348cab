"""The manifests as a cluster gets them, and the pods in them."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.servers import PROJECT

Manifest = dict[str, Any]

PROGRAMS = Path(sys.executable).parent
DEPLOY = PROJECT / "deploy"
OVERLAYS = ("base", "overlays/small", "overlays/large")


def render(overlay: str, deploy: Path = DEPLOY) -> list[Manifest]:
    """Raises `CalledProcessError` for what kustomize does not understand."""
    command = [str(PROGRAMS / "kubectl"), "kustomize", str(deploy / "kubernetes" / overlay)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return list(yaml.safe_load_all(done.stdout))


@dataclass(frozen=True)
class Pod:
    """What one workload runs."""

    kind: str
    name: str
    spec: Manifest
    labels: dict[str, str]
    settings: dict[str, str]  # of its ConfigMaps
    manifest: Manifest

    @property
    def containers(self) -> list[Manifest]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def environment(self) -> dict[str, str]:
        """What its containers are told, by name; what is of a Secret or a field has an empty text."""
        own = {each["name"]: each.get("value", "") for each in self.entries}
        return self.settings | own

    @property
    def entries(self) -> list[Manifest]:
        return [entry for container in self.containers for entry in container.get("env", [])]

    @property
    def commands(self) -> list[list[str]]:
        """The commands of manage.py that it runs, each with its arguments."""
        found = []
        for container in self.containers:
            words = [*container.get("command", []), *container.get("args", [])]
            if "command" not in container:
                found.append(words)  # the image's own: python manage.py
            elif words[0] == "sh":
                found += find_commands(words[-1])
        return found


def find_commands(script: str) -> list[list[str]]:
    """Those of manage.py in a line for the shell."""
    lines = script.replace("&&", "\n").splitlines()
    words = [shlex.split(line.partition(">")[0]) for line in lines if "manage.py" in line]
    return [each[each.index("manage.py") + 1 :] for each in words]


def find_pods(manifests: list[Manifest]) -> Iterator[Pod]:
    maps = {each["metadata"]["name"]: each["data"] for each in manifests if each["kind"] == "ConfigMap"}
    for manifest in manifests:
        spec = manifest.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            settings: dict[str, str] = {}
            for container in template["spec"]["containers"]:
                for source in container.get("envFrom", []):
                    settings |= maps.get(source.get("configMapRef", {}).get("name"), {})
            name, labels = manifest["metadata"]["name"], template["metadata"]["labels"]
            yield Pod(manifest["kind"], name, template["spec"], labels, settings, manifest)


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] == kind]
