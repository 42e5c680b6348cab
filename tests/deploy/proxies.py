"""nginx and HAProxy as deploy/proxies configures them, at free ports of this machine."""

import http.client
import socket
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path

import trustme

from tests.deploy.manifests import DEPLOY
from tests.servers import wait_for
from tests.service import find_free_port

NGINX, HAPROXY = Path("/usr/sbin/nginx"), Path("/usr/sbin/haproxy")


class Proxy:
    """One of the two in a folder of its own, over TLS; `changes` are made in its configuration, each once."""

    def __init__(
        self, folder: Path, servers: tuple[int, int], changes: Mapping[str, str] | None = None
    ) -> None:
        self.folder, self.port = folder, find_free_port()
        authority = trustme.CA()
        folder.mkdir(parents=True, exist_ok=True)
        certificate = folder / "ledger.pem"
        authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
            certificate
        )
        self.context = ssl.create_default_context()
        authority.configure_trust(self.context)
        self.file = folder / self.name
        text = (DEPLOY / "proxies" / self.name).read_text()
        first, second = servers
        for before, after in {
            "10.0.0.11:8080": f"127.0.0.1:{first}",
            "10.0.0.12:8080": f"127.0.0.1:{second}",
            **self.places(certificate),
            **(changes or {}),
        }.items():
            assert before in text, before
            text = text.replace(before, after)
        self.file.write_text(text)

    name = ""
    command: tuple[str, ...] = ()
    check: tuple[str, ...] = ()

    def places(self, certificate: Path) -> dict[str, str]:
        """Where it listens and what it reads, here."""
        raise NotImplementedError

    def start(self) -> "Proxy":
        checked = subprocess.run([*self.check, self.file], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        self.log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen([*self.command, self.file], stdout=self.log, stderr=subprocess.STDOUT)
        wait_for(self.listens)
        return self

    def listens(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()

    def connect(self, timeout: float = 30) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("localhost", self.port, context=self.context, timeout=timeout)

    def open_socket(self) -> ssl.SSLSocket:
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return self.context.wrap_socket(raw, server_hostname="localhost")


class HAProxy(Proxy):
    name = "haproxy.cfg"
    command = (str(HAPROXY), "-db", "-f")
    check = (str(HAPROXY), "-c", "-f")

    def places(self, certificate: Path) -> dict[str, str]:
        return {"bind :443": f"bind 127.0.0.1:{self.port}", "/etc/haproxy/ledger.pem": str(certificate)}


class Nginx(Proxy):
    name = "nginx.conf"
    command = (str(NGINX), "-g", "daemon off;", "-c")
    check = (str(NGINX), "-t", "-c")

    def places(self, certificate: Path) -> dict[str, str]:
        return {
            "listen 443": f"listen 127.0.0.1:{self.port}",
            "/etc/nginx/ledger.pem": str(certificate),
            "/run/nginx.pid": str(self.folder / "nginx.pid"),
            "worker_processes auto": "worker_processes 1",
        }
