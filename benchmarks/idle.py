"""What the service costs when nobody asks for anything: CPU by class of process, and memory."""

import re
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.cpu import Site, find_tree, measure, read_name

KIB_PER_MIB = 1024


def measure_idle(site: Site, seconds: float) -> dict[str, float]:
    """Percent of one core, by class, over the seconds."""
    with measure(site) as used:
        time.sleep(seconds)
    return {name: 100 * spent / seconds for name, spent in used.items()}


def measure_memory(pid: int) -> dict[str, float]:
    """MiB of the process and each of its descendants; what several share is divided among them (PSS)."""
    found = {}
    for one in find_tree(pid):
        with suppress(OSError):
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            name = read_name(one)
            [kib] = re.findall(r"^Pss:\s+(\d+) kB", rollup, re.M)
            found[f"{name} {one}"] = int(kib) / KIB_PER_MIB
    return found
