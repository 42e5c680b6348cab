"""A request as WSGI has it, out of what granian knows of it."""

import sys
from io import BytesIO
from typing import Any

NAMES_MAX, NAME_LENGTH_MAX = 1000, 64  # callers choose names; this many are remembered
# In place of a header value that is not ASCII, which granian does not show: nobody takes it for a good one.
UNREADABLE = "\xff"

_keys: dict[str, str] = {}  # of headers, by their names


def make_environ(scope: Any) -> dict[str, Any]:
    """The environ of an RSGI scope, with an empty body."""
    path, headers = scope.path, scope.headers
    server_name, _, server_port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path if path.isascii() else path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "SERVER_NAME": server_name,
        "SERVER_PORT": server_port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    readable = headers.items()
    for name, value in readable:
        key = _keys.get(name) or _make_key(name)
        if key in environ:
            value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
        environ[key] = value
    if len(headers.keys()) != len(dict(readable)):
        for name in set(headers.keys()).difference(name for name, _ in readable):
            environ[_make_key(name)] = UNREADABLE
    return environ


def _make_key(name: str) -> str:
    key = name.upper().replace("-", "_")
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = "HTTP_" + key
    if "_" in name:
        key = "ledger.ambiguous"  # as every WSGI server has it: `_` could pass for `-`
    if len(_keys) < NAMES_MAX and len(name) <= NAME_LENGTH_MAX:
        _keys[name] = key
    return key
