"""On what the figures were made: which build of Python, how many cores, which commit."""

import os
import platform
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent
HINT = (
    "This Python was built without profile-guided optimization; it is some 1.5 times slower than one that"
    " was, and figures made on it say little. `make` takes /usr/bin/python3.11 where that makes environments"
    " (Debian's is optimized, and needs python3.11-venv for it); another by `make PYTHON=...`, into a new"
    " .venv. `--any-python` measures on this one all the same."
)


def is_optimized() -> bool:
    """Whether this interpreter was built with profile-guided optimization, as far as it tells.

    Builds of CPython's own Makefile say so in their configuration. Debian and Ubuntu build with `profile-opt`
    and do not say so; they are known by their prefix and their compiler's name.
    """
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    debian = sysconfig.get_config_var("prefix") == "/usr" or "'--prefix=/usr'" in arguments
    return "--enable-optimizations" in arguments or (debian and "-linux-gnu-gcc" in arguments)


def describe_python() -> str:
    build = "an optimized build" if is_optimized() else "NOT an optimized build"
    return f"Python {platform.python_version()} of {sys.base_prefix} ({build})"


def require_optimized_python(*, any_python: bool) -> None:
    """Raises SystemExit with a hint unless the build is optimized or any is taken."""
    if is_optimized():
        return
    if not any_python:
        raise SystemExit(HINT)
    sys.stderr.write(f"WARNING: {HINT}\n")


def read_commit(checkout: Path = PROJECT) -> str:
    """Short, with `-dirty` when files differ from it; `unknown` outside of git."""
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--exclude=*"]
    found = subprocess.run(command, capture_output=True, text=True)
    return found.stdout.strip() or "unknown"


def recommend_postgres() -> dict[str, str]:
    """As docs/operations.md says: a quarter of the memory, and room for what is logged between checkpoints.

    The embedded server's own settings are those of a laptop; the floors are on the same server.
    """
    quarter = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    return {"shared_buffers": f"{quarter // 2**20}MB", "max_wal_size": "16GB"}


def describe() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": read_commit(),
        "python": describe_python(),
        "cores": os.cpu_count(),
        "cpu": read_cpu_name(),
        "kernel": platform.release(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def read_cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
