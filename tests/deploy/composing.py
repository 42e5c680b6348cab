"""The compose file at work where there is no engine: each service is its own command, as a process of this
machine, in the order that `depends_on` asks for."""

import os
import subprocess
import time
from pathlib import Path

from ledger_project.database.embedded import EmbeddedPostgres
from tests.deploy.compose import DATABASE, Service, read_compose
from tests.deploy.manifests import PROGRAMS
from tests.deploy.settings import SECRETS_FOLDER
from tests.servers import PROJECT, query
from tests.service import find_free_port

SECONDS_MAX = 120
FINISHED = "service_completed_successfully"
HEALTHY = "service_healthy"
WEB_PORT, RELAY_PORT = "8080", "9100"  # in their containers
HBA = "local all all trust\nhost all all 127.0.0.0/8 scram-sha-256\n"


class Composed:
    """`up` and `run` as compose has them. Volumes are folders and names of services are this machine; the
    database is the embedded one at an address of its own, which asks for passwords."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.secrets = folder, folder / "secrets"
        self.secrets.mkdir()
        self.services: dict[str, Service] = read_compose(environment={})["services"]
        self.web, relay = find_free_port(), find_free_port()
        high, low = divmod(os.getpid() % 65_000, 256)
        host = f"127.77.{high}.{low}"
        self.there = {
            SECRETS_FOLDER.rstrip("/"): str(self.secrets),
            "http://web:8080": f"http://127.0.0.1:{self.web}",
            f":{WEB_PORT}": f":{self.web}",
            RELAY_PORT: str(relay),
            "0.0.0.0": "127.0.0.1",
        }
        (folder / "hba").write_text(HBA)
        settings = {"listen_addresses": host, "hba_file": str(folder / "hba"), "shared_buffers": "64MB"}
        self.postgres = EmbeddedPostgres(folder / "postgres", settings=settings)
        self.extra = {"web": ["--port", str(self.web)], "keys": ["--host", host]}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def up(self, *names: str) -> None:
        """Start these services, each after what it waits for."""
        for name in names:
            if name in self.running:
                continue
            for other, wanted in self.services[name].get("depends_on", {}).items():
                self.up(other)
                self.wait_for(other, wanted["condition"])
            if name == DATABASE:
                self.start_database()
            else:
                self.start(name)

    def run(self, name: str) -> tuple[int, str]:
        """A service that ends: its exit status, and what it says."""
        self.up(name)
        return self.running[name].wait(SECONDS_MAX), self.read_log(name)

    def down(self) -> dict[str, float]:
        """The seconds that each took which still ran."""
        seconds = {}
        for name, process in self.running.items():
            if process.poll() is None:
                began = time.monotonic()
                process.terminate()
                process.wait(SECONDS_MAX)
                seconds[name] = time.monotonic() - began
        self.running.clear()
        self.postgres.stop()
        return seconds

    def start_database(self) -> None:
        """What the image of PostgreSQL does with its POSTGRES_DB and POSTGRES_PASSWORD_FILE."""
        self.postgres.start()
        environment = self.services[DATABASE]["environment"]
        self.postgres.ensure_database(environment["POSTGRES_DB"])
        password = Path(self.here(environment["POSTGRES_PASSWORD_FILE"])).read_text()
        query(self.postgres, f"ALTER ROLE postgres PASSWORD '{password}'")

    def start(self, name: str) -> None:
        service = self.services[name]
        words = [
            *service.get("entrypoint", ["python", "manage.py"]),
            *service["command"],
            *self.extra.get(name, []),
        ]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [self.here(word) for word in words],
                cwd=PROJECT,
                env=self.make_environment(name),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def make_environment(self, name: str) -> dict[str, str]:
        """The image's, and what the file says; nothing of who runs the tests."""
        var = self.folder / "var" / name
        var.mkdir(parents=True, exist_ok=True)
        told = {key: self.here(value) for key, value in self.services[name].get("environment", {}).items()}
        own = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "LEDGER_VAR": str(var), "PYTHONUNBUFFERED": "1"}
        return own | told

    def here(self, text: str) -> str:
        for before, after in self.there.items():
            text = text.replace(before, after)
        return text

    def wait_for(self, name: str, condition: str) -> None:
        if name == DATABASE:
            return
        process = self.running[name]
        if condition == FINISHED:
            assert process.wait(SECONDS_MAX) == 0, self.read_log(name)
        deadline = time.monotonic() + SECONDS_MAX
        while condition == HEALTHY and not self.is_healthy(name):
            assert process.poll() is None, self.read_log(name)
            assert time.monotonic() < deadline, self.read_log(name)
            time.sleep(0.2)

    def is_healthy(self, name: str) -> bool:
        [kind, *words] = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        command = [self.here(word) for word in words]
        done = subprocess.run(command, env=self.make_environment(name), capture_output=True)
        return done.returncode == 0

    def read_log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()
