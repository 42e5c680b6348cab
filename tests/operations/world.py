"""A world for a page of operations: machines, and a shell that runs the page's blocks in order."""

import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.operations.machines import (
    ADDRESSES,
    COMMAND_SECONDS_MAX,
    EMBEDDED,
    PASSWORD,
    Machine,
    end_group,
    make_command,
    run_bash,
)
from tests.operations.pages import PLACED, RUN, Block, read_blocks
from tests.programs import require
from tests.servers import PROJECT
from tests.service import find_free_port

ROOTS = ("backup", "elsewhere", "etc", "srv", "var/lib")  # folders of the pages, which are in the world's own
SERVERS = {"manage.py serve": "8080", "pgbouncer": "6432", "prometheus": "9090", "pg_receivewal": ""}  # ports
# What a block exports is there in the next; but not whose machine it was on.
KEEP = "export -p | grep -vE ' (PG[A-Z]*|PATH|HOME|LC_ALL|LEDGER_VAR|PWD|OLDPWD|SHLVL)(=|$)' > {} || true"


class World:
    """What happens to a page's blocks: they share variables, folders and machines.

    `names` is what stands for what in them; a test adds what it learns. `places` takes the blocks that are
    files, by the name in their first line.
    """

    def __init__(self, page: str, folder: Path, binaries: Path = EMBEDDED) -> None:
        self.folder = folder
        self.left = read_blocks(page)
        port, self.http_port = find_free_port(), find_free_port()
        self.machines = {name: Machine(name, folder / name, port, binaries) for name in ADDRESSES}
        self.here = "db"  # the machine where blocks are run that name none
        self.home = folder / "srv/ledger"
        for name in (*ROOTS, "srv/ledger", "etc/ledger"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (self.home / "manage.py").symlink_to(PROJECT / "manage.py")
        self.variables = folder / "variables"
        self.variables.touch()
        self.names = {
            **{f"{name}.internal": address for name, address in ADDRESSES.items()},
            "pooler.internal": "127.0.0.1",
            "ledger.internal": "127.0.0.1",
            "relay.internal": "127.0.0.1",
            "manage.py serve": f"manage.py serve --port {self.http_port}",
            "8080": str(self.http_port),
            "6432": str(find_free_port()),
            "9100": str(find_free_port()),
            "9090": str(find_free_port()),
            "5432": str(port),
            "…": PASSWORD,
        }
        self.places: dict[str, Callable[[str], object]] = {"postgresql.conf": self._configure}
        self.servers: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.machines["db"].start()

    def keep(self, folder: Path) -> Path:
        """Stop the server and give the files of its machine and of /etc to `begin_from`."""
        self.machines["db"].run("pg_ctl -m fast stop")
        shutil.copytree(self.machines["db"].data, folder / "main")
        shutil.copytree(self.folder / "etc", folder / "etc")
        return folder

    def begin_from(self, folder: Path) -> None:
        """Start with what another world has kept."""
        shutil.copytree(folder / "main", self.machines["db"].data)
        shutil.copytree(folder / "etc", self.folder / "etc", dirs_exist_ok=True)
        self._rewrite(r"\S*/etc/ledger/", f"{self.folder}/etc/ledger/")
        self.machines["db"].run("pg_ctl start")

    def take_over(self, machine: str) -> None:
        """From now on it is the one that `db.internal` means."""
        self.names["db.internal"] = self.machines[machine].address
        self.here = machine
        self._rewrite(r"@127[.\d]+", f"@{self.machines[machine].address}")

    def run(self, section: str, *, count: int | None = None, until: str = "") -> str:
        """The blocks of the section that are left, in order, or the next `count`; what they print.

        Fails with the block that failed. `until` are marks of the first that is not run yet.
        """
        blocks = [block for block in self.left if block.section == section][:count]
        assert blocks, f"No block is left under {section!r}."
        output = ""
        for block in blocks:
            if until and block.marks == until:
                break
            output += self.run_block(block)
        return output

    def run_block(self, block: Block) -> str:
        self.left.remove(block)
        if block.language in PLACED:
            self.places[block.file](self.fill(block.text))
            return ""
        assert block.language == RUN, f"{block}: nobody knows what {block.language!r} is."
        if block.is_server:
            self.serve(block.text)
            return ""
        where = next((name for name in ADDRESSES if name in block.marks.split()), self.here)
        script = f". {self.variables}\n{self.fill(block.text)}\n{KEEP.format(self.variables)}"
        done = run_bash(script, self._find_environment(where), self.home)
        assert done.returncode == 0, f"{block} ended with {done.returncode}:\n{script}\n\n{done.stdout}"
        return done.stdout

    def shell(self, script: str, machine: str = "", role: str = "ledger_app") -> str:
        """A test's own command, beside what the page says; what it prints. It leaves no variables."""
        environment = self._find_environment(machine or self.here) | {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
        done = run_bash(self.fill(f". /etc/ledger/{role}.env\n{script}"), environment, self.home)
        assert done.returncode == 0, f"{script}\n\n{done.stdout}"
        return done.stdout.strip()

    def query(self, statement: str, machine: str = "", database: str = "ledger") -> str:
        return self.shell(f"psql -AtX -v ON_ERROR_STOP=1 -d {database} <<'END'\n{statement}\nEND", machine)

    def serve(self, script: str) -> None:
        """In the background, until `stop` or the end of the world; it is waited for until it answers."""
        *lines, last = self.fill(script).splitlines()  # which becomes the process that is ended later
        command = make_command("\n".join([f". {self.variables}", *lines, f"exec {last}"]), self.home)
        with (self.folder / f"server-{len(self.servers)}.log").open("w+") as log:
            server = subprocess.Popen(
                command, env=self._find_environment(self.here), stdout=log, stderr=log, start_new_session=True
            )
            self.servers.append(server)
            deadline = time.monotonic() + COMMAND_SECONDS_MAX
            while not self._answers(script):
                if server.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    pytest.fail(f"Nobody answers:\n{script}\n\n{log.read()}")
                time.sleep(0.1)

    def stop(self) -> None:
        """What serves."""
        for server in self.servers:
            end_group(server)
        self.servers.clear()

    def fill(self, text: str) -> str:
        """With the names replaced, and the folders of the pages by those of the world."""
        for name, value in self.names.items():
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", value, text)
        return re.sub(rf"(?<![\w./])/(?=({'|'.join(ROOTS)})\b)", f"{self.folder}/", text)

    def require_all_run(self) -> None:
        """Nothing of the page was passed over."""
        assert [str(block) for block in self.left if block.language in (RUN, *PLACED)] == []

    def close(self) -> None:
        self.stop()
        for machine in self.machines.values():
            if (machine.data / "postmaster.pid").exists():
                machine.run("pg_ctl -m immediate stop || true")

    def _answers(self, script: str) -> bool:
        [port] = [port for program, port in SERVERS.items() if program in script]
        if not port:  # it is a client of PostgreSQL
            return self.query("SELECT count(*) FROM pg_stat_replication") != "0"
        with socket.socket() as probe:
            return not probe.connect_ex(("127.0.0.1", int(self.names[port])))

    def _configure(self, text: str) -> None:
        machine = self.machines[self.here]
        with (machine.data / "postgresql.conf").open("a") as file:
            file.write(f"{text}\n")
        machine.run("pg_ctl restart -m fast")

    def _rewrite(self, old: str, new: str) -> None:
        for file in (self.folder / "etc/ledger").glob("*.env"):
            file.write_text(re.sub(old, new, file.read_text()))

    def _find_environment(self, machine: str) -> dict[str, str]:
        return {**self.machines[machine].environment, "LEDGER_VAR": str(self.folder / "var")}


@contextmanager
def world_of(page: str, binaries: Path = EMBEDDED) -> Iterator[World]:
    """Without a server. Afterwards nothing of it is left."""
    require(binaries / "initdb", "postgresql-15")
    folder = Path(tempfile.mkdtemp(prefix="ledger-operations-"))  # short: sockets are in it
    world = World(page, folder, binaries)
    try:
        yield world
    finally:
        world.close()
        shutil.rmtree(folder)
