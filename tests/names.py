"""What the names of hosts resolve to in tests: nobody outside of this machine is asked, or called."""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import httpcore2

PUBLIC = "192.31.196.1"  # of AS112: public, and nobody's
NOBODY = "http://127.0.0.1:1/"  # nobody listens there: what is sent fails at once
_resolve = socket.getaddrinfo
_connect = httpcore2.SyncBackend.connect_tcp


class Names(dict[str, list[str]]):
    """Names and their addresses, of which the first is answered first, the last for ever.

    Addresses are their own names, and this machine is localhost. No other name resolves.
    """

    def resolve(self, host: str, port: Any, *args: Any, **options: Any) -> Any:
        if host in self:
            address = self[host].pop(0) if len(self[host]) > 1 else self[host][0]
            return _resolve(address, port, type=socket.SOCK_STREAM)
        if host != "localhost":
            options["flags"] = socket.AI_NUMERICHOST
        return _resolve(host, port, *args, **options)


def connect(backend: Any, host: str, *args: Any, **options: Any) -> Any:
    assert ipaddress.ip_address(host).is_loopback, f"a test calls {host}"
    return _connect(backend, host, *args, **options)


@contextmanager
def resolving() -> Iterator[Names]:
    """While this lasts, the names that are put into what it gives resolve, and no others."""
    names = Names()
    with (
        patch("events.delivery.url_guard.socket.getaddrinfo", names.resolve),
        patch("httpcore2.SyncBackend.connect_tcp", connect),
    ):
        yield names
