"""A proxy before PostgreSQL that knows a COMMIT when it sees one, and harms those it is told to harm.

It listens on a unix socket, where a client asks for no encryption: a start-up packet, then messages of a
type, a length and a body. That is all of the protocol that has to be understood here.
"""

import asyncio
import threading
from collections import Counter
from pathlib import Path

CUT_BEFORE = "cut before the server gets it"
CUT_AFTER = "cut after the server did it"
HOLD = "held after the server did it, then cut"
HARMS = (CUT_BEFORE, CUT_AFTER, HOLD)

HOLD_SECONDS = 2.0


class CommitProxy:
    """Passes everything on, until `harm` names what happens to the next COMMITs.

    `harmed` counts what was done. The socket is `.s.PGSQL.<port>` in the folder that clients give as host.
    """

    def __init__(self, folder: Path, port: int, *, server_host: str, server_port: int) -> None:
        self.path = folder / f".s.PGSQL.{port}"
        self.server_host, self.server_port = server_host, server_port
        self.harmed: Counter[str] = Counter()
        self.hold_seconds = HOLD_SECONDS
        self._to_come: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.connections: set[asyncio.Task] = set()  # of clients that have not been told of their end

    def start(self) -> "CommitProxy":
        self._thread.start()
        self._listener = self._run(asyncio.start_unix_server(self._accept, str(self.path)))
        return self

    def stop(self) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.path.unlink(missing_ok=True)

    def harm(self, how: str, times: int = 1) -> None:
        """So many COMMITs on any connection, after those of earlier orders."""
        self._to_come += [how] * times

    def heal(self) -> None:
        self._to_come = []

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _close(self) -> None:
        self._listener.close()
        for task in self.connections:
            task.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self.connections.add(task)
        try:
            await Connection(self, reader, writer).relay()
        except asyncio.CancelledError:
            pass  # the proxy stops
        finally:
            self.connections.discard(task)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To the server, whose host is a folder or a name, as with libpq."""
        if self.server_host.startswith("/"):
            return await asyncio.open_unix_connection(f"{self.server_host}/.s.PGSQL.{self.server_port}")
        return await asyncio.open_connection(self.server_host, self.server_port)

    def take_harm(self) -> str | None:
        return self._to_come.pop(0) if self._to_come else None


class Connection:
    """One client and its server: two streams of messages, cut together."""

    def __init__(
        self, proxy: CommitProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.proxy, self.client_reader, self.client_writer = proxy, reader, writer
        self.commit_statements: set[bytes] = set()
        self.commit_portals: set[bytes] = set()
        self.harm: str | None = None

    async def relay(self) -> None:
        try:
            server_reader, self.server_writer = await self.proxy.connect()
        except OSError:
            self.client_writer.close()
            return
        pumps = [asyncio.create_task(self._pump_client()), asyncio.create_task(self._pump(server_reader))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for writer in (self.client_writer, self.server_writer):
                writer.close()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump_client(self) -> None:
        self.server_writer.write(await read_start(self.client_reader))
        while True:
            kind, body, message = await read_message(self.client_reader)
            if self._is_commit(kind, body) and (harm := self.proxy.take_harm()):
                if harm == CUT_BEFORE:
                    self.proxy.harmed[harm] += 1
                    return
                self.harm = harm
            self.server_writer.write(message)
            await self.server_writer.drain()

    async def _pump(self, reader: asyncio.StreamReader) -> None:
        while True:
            kind, body, message = await read_message(reader)
            if self.harm and (kind, body) == (b"C", b"COMMIT\0"):
                self.proxy.harmed[self.harm] += 1
                if self.harm == HOLD:
                    await asyncio.sleep(self.proxy.hold_seconds)
                return
            self.client_writer.write(message)
            await self.client_writer.drain()

    def _is_commit(self, kind: bytes, body: bytes) -> bool:
        """In a simple query, or in the execution of what was parsed and bound before."""
        if kind == b"Q":
            return is_commit(body.rstrip(b"\0"))
        first, _, rest = body.partition(b"\0")
        second = rest.partition(b"\0")[0]
        if kind == b"P":
            mark(self.commit_statements, first, is_commit(second))
        elif kind == b"B":
            mark(self.commit_portals, first, second in self.commit_statements)
        return kind == b"E" and first in self.commit_portals


def is_commit(statement: bytes) -> bool:
    return statement.strip(b" \n;").upper() == b"COMMIT"


def mark(marked: set[bytes], name: bytes, yes: bool) -> None:
    if yes:
        marked.add(name)
    else:
        marked.discard(name)


async def read_start(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(4)
    return length + await reader.readexactly(int.from_bytes(length) - 4)


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes, bytes]:
    """Its type, its body, and all of its bytes. Raises `IncompleteReadError` at the end."""
    head = await reader.readexactly(5)
    body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
    return head[:1], body, head + body
