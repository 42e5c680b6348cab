"""Where the time of a posting goes, by py-spy on one worker under load."""

import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.servers import PROJECT
from tests.service import Service

SECONDS = 4
SHARE_MIN = 0.02
# Of the libraries, only where the service meets them; their insides would fill pages.
BORDERS = (
    "psycopg/connection.py Connection.wait",
    "psycopg/cursor.py Cursor.execute",
    "psycopg/connection.py Connection.commit",
    "django/core/handlers/wsgi.py WSGIHandler.__call__",
    "rest_framework/views.py APIView.dispatch",
    "rest_framework/views.py APIView.initial",
)


def profile_postings(service: Service, load: Callable[[], object]) -> Sequence[tuple[str, float]]:
    """Functions and their share of the samples, callees included, largest first."""
    stacks = service.var / "stacks"
    worker = service.find_workers()[0]
    command = ["py-spy", "record", "--pid", str(worker.pid), "--format", "raw", "--rate", "200"]
    command += ["--duration", str(SECONDS), "--output", str(stacks)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as profiler:
        while profiler.poll() is None:
            load()
    return sum_up(stacks)


def sum_up(stacks: Path) -> Sequence[tuple[str, float]]:
    shares: Counter[str] = Counter()
    total = 0
    for line in stacks.read_text().splitlines():
        frames, _, count = line.rpartition(" ")
        total += int(count)
        for name in {shorten(frame) for frame in frames.split(";")}:
            shares[name] += int(count)
    return [
        (name, n / total)
        for name, n in shares.most_common()
        if n / total >= SHARE_MIN and (name in BORDERS or (PROJECT / name.partition(" ")[0]).is_file())
    ]


def shorten(frame: str) -> str:
    """`post (transactions/posting.py:70)` → `transactions/posting.py post`."""
    name, _, place = frame.partition(" (")
    file = place.rstrip(")").rpartition(":")[0]
    return f"{file.removeprefix(f'{PROJECT}/').rpartition('site-packages/')[2]} {name}"
