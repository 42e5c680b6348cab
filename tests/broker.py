"""A RabbitMQ of the tests' own: in a temporary folder, on loopback and free ports, also as root."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from kombu import Connection

from tests.service import find_free_port

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one in /usr/sbin changes the user
START_SECONDS_MAX = 90
STOP_SECONDS_MAX = 30
STARTS_MAX = 3
CONFIGURATION = """
listeners.tcp.default = 127.0.0.1:{port}
loopback_users.guest = true
default_user = guest
default_pass = guest
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 50MB
log.console = false
"""


class Broker:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = find_free_port()
        self.epmd_port = find_free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> "Broker":
        (self.folder / "rabbitmq.conf").write_text(CONFIGURATION.format(port=self.port))
        (self.folder / "plugins").write_text("[].")
        cookie = self.folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text("a cookie of the tests")
            cookie.chmod(0o400)
        with (self.folder / "output").open("a") as output:
            self.process = subprocess.Popen(
                [str(PROGRAM)],
                env={**os.environ, **self._environment()},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.answers():
            text = (self.folder / "output").read_text()
            assert self.process.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.2)
        return self

    def answers(self) -> bool:
        try:
            with Connection(self.url, connect_timeout=2) as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
                return True
        except Exception:
            return False

    def stop(self) -> None:
        self.signal(signal.SIGCONT)
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS_MAX)
        self.signal(signal.SIGKILL)
        self.process.wait()

    def signal(self, number: int) -> None:
        """To the broker's whole process group: SIGSTOP makes it fall silent, SIGCONT speak again."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def remove(self) -> None:
        """Stop it, its port mapper too, which outlives it, and remove its folder."""
        self.stop()
        for listener in psutil.net_connections("tcp"):
            if listener.laddr[1:] == (self.epmd_port,) and listener.status == "LISTEN" and listener.pid:
                os.kill(listener.pid, signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return {
            "HOME": folder,
            "RABBITMQ_NODENAME": f"ledger{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_DIST_PORT": str(find_free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.epmd_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }


def start_broker() -> Broker:
    """A port that was free a moment ago may be somebody else's now: then another one is tried."""
    for number in range(1, STARTS_MAX + 1):
        broker = Broker(Path(tempfile.mkdtemp(prefix="ledger-broker-")))
        try:
            return broker.start()
        except AssertionError:
            broker.remove()
            if number == STARTS_MAX:
                raise
    raise AssertionError("unreachable")
