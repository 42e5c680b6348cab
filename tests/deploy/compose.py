"""The compose file as compose reads it, and what is wrong with it."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.commands import find_wrong_arguments
from tests.deploy.manifests import DEPLOY, PROGRAMS, find_commands
from tests.deploy.settings import NEEDED, find_wrong_settings

Service = dict[str, Any]
OURS = ("keys", "migrate", "web", "relay", "demo")
DATABASE = "database"
OF_POSTGRES = {"POSTGRES_DB", "POSTGRES_PASSWORD_FILE", "POSTGRES_INITDB_ARGS"}


def read_compose(deploy: Path = DEPLOY, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """With its anchors and variables filled in; raises `AssertionError` for what no compose would take."""
    file = deploy / "compose.yaml"
    command = [PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", file]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

    def fill(found: re.Match[str]) -> str:
        return environment.get(found["name"], "") or found["default"] or ""

    text = re.sub(r"(?<!\$)\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}", fill, file.read_text())
    read: dict[str, Any] = yaml.safe_load(text.replace("$$", "$"))
    return read


def find_compose_faults(read: dict[str, Any]) -> list[str]:
    services = read["services"]
    faults = [f"{name}: {fault}" for name, service in services.items() for fault in of_one(service)]
    for name in OURS:
        faults += [f"{name}: {fault}" for fault in of_ours(services[name])]
    faults += [
        f"{name}: does not wait for the migrations"
        for name in ("web", "relay")
        if services[name]["depends_on"].get("migrate") != {"condition": "service_completed_successfully"}
    ]
    return faults


def of_one(service: Service) -> Iterator[str]:
    if not re.search(r":\d+\.\d[\w.-]*$|@sha256:[0-9a-f]{64}$", service["image"]):
        yield f"the image is not pinned: {service['image']}"
    if service.get("privileged") or "no-new-privileges:true" not in service.get("security_opt", []):
        yield "may get privileges"
    for port in service.get("ports", []):
        if not port.startswith("127.0.0.1:"):
            yield f"is open to the network: {port}"


def of_ours(service: Service) -> Iterator[str]:
    environment = service.get("environment", {})
    yield from find_wrong_settings(environment)
    if not service.get("read_only"):
        yield "can write to its root folder"
    if service.get("cap_drop") != ["ALL"]:
        yield "has capabilities"
    for words in find_managed(service):
        yield from find_wrong_arguments(words)
        if missing := {f"{name}_FILE" for name in NEEDED} - set(environment):
            yield f"is not told {', '.join(sorted(missing))}"


def find_managed(service: Service) -> list[list[str]]:
    """The commands of manage.py that it runs."""
    entrypoint = service.get("entrypoint")
    if entrypoint is None:
        return [service["command"]]
    return find_commands(service["command"][0]) if entrypoint[0] == "sh" else []
