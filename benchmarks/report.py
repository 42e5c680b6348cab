"""RESULTS.md, out of one recorded run and perhaps others of the same commit."""

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import chart
from benchmarks.contest import PREFIX
from benchmarks.figures import OURS, Spread, compare
from benchmarks.record import Record
from benchmarks.rows import AUDIT, ENGINE, FRONT, IDLE, MEMORY, PAST, ROWS, Single

RESULTS = Path(__file__).parent / "RESULTS.md"
CHART = Path(__file__).parent / "results.svg"
OTHERS = ("walwriter", "checkpointer", "autovacuum", "other of PostgreSQL")
ROWS_ASKED = 10_000_000  # of the long account and of the audit
PRICES = ("HTTP front", "engine, ")  # cells whose figure is Python's CPU


def write(record: Record, others: Sequence[Record] = ()) -> None:
    """RESULTS.md and its chart."""
    RESULTS.write_text(describe(record, others))
    if bars := chart.collect_bars(record):
        CHART.write_text(chart.draw(bars))


def describe(record: Record, others: Sequence[Record] = ()) -> str:
    """The report in Markdown."""
    lines = ["# Results", "", *describe_conditions(record), ""]
    if any(chart.collect_bars(record)):
        lines += ["![CPU and rate beside pgbench](results.svg)", ""]
    lines += [*describe_rows(record, others), "", *describe_runs(record), ""]
    lines += [*describe_contestants(record), *describe_python(record), *describe_books(record), ""]
    return "\n".join(lines)


def describe_conditions(record: Record) -> Iterator[str]:
    machine, settings = record.machine, record.settings
    yield (
        f"`python -m benchmarks` on {machine['at'][:10]}, commit {machine['commit']}: {machine['python']};"
        f" {machine['cores']} cores ({machine['cpu']}), which load, service and database share; PostgreSQL"
        f" {settings['postgres']} with fsync and synchronous_commit, shared_buffers"
        f" {settings.get('shared_buffers', '256MB')} and max_wal_size {settings.get('max_wal_size', '2GB')};"
        f" {settings['accounts']} accounts;"
        f" {len(record.rounds)} rounds of {settings['seconds']} s a run, interleaved, VACUUM ANALYZE before"
        f" each round. Load of the machine before: {machine['load_before']}."
    )
    yield ""
    yield (
        "*Rate* is ours per second by the floor's. *CPU* is the floor's CPU per transaction (pgbench and its"
        " backends, all connected and warm) by that of all our processes per request (service, relay,"
        " backends, load generator): more is better. Medians of the rounds' ratios, lowest and highest round"
        " in brackets; the **bold** one decides."
    )


def describe_rows(record: Record, others: Sequence[Record]) -> Iterator[str]:
    yield "| measure | rate | CPU | must | go for | reached |" + " again |" * len(others)
    yield "|---|---|---|---|---|---|" + "---|" * len(others)
    for row in ROWS:
        if not {row.ours, row.beside} <= set(record.cells):
            continue
        deciding = row.compare(record.rounds)
        parts = []
        for by in ("rate", "cpu"):
            text = write_spread(row.compare(record.rounds, by))
            parts.append(f"**{text}**" if by == row.by else text)
        if row.less_is_better:
            parts = [f"**{write_spread(deciding)}**", "–"]
        again = [write_spread(row.compare(other.rounds)) for other in others]
        sign = "≤ " if row.less_is_better else ""
        yield write_line(
            row.name,
            *parts,
            f"{sign}{row.must}",
            f"{sign}{row.aim}",
            yes(row.is_reached(deciding.median)),
            *again,
        )
    for single in (FRONT, ENGINE, PAST, AUDIT, IDLE, MEMORY):
        value = find_single(record, single)
        if value is None:
            continue
        again = [show(find_single(other, single)) for other in others]
        name = single.name
        reached = "reported" if single.must is None else yes(value <= single.must)
        if (rows := record.singles.get(f"{name}, rows")) is not None:
            name = f"{name}, {rows:,} rows"
            reached = reached if rows >= ROWS_ASKED else f"asked of {ROWS_ASKED:,}"
        must = "–" if single.must is None else f"≤ {single.must}"
        figure = f"**{show(value)}** {single.unit}"
        yield write_line(name, figure, "–", must, f"≤ {single.aim}", reached, *again)


def find_single(record: Record, single: Single) -> float | None:
    """Measured once, or the median of the rounds of a cell of Python's CPU."""
    cell = "HTTP front, engine stubbed" if single is FRONT else single.name
    if cell in record.cells:
        return statistics.median(row[cell].cpu["python"] for row in record.rounds)
    return record.singles.get(single.name)


def describe_runs(record: Record) -> Iterator[str]:
    """Every cell: its rate and latencies, and its CPU by class of process."""
    yield "## Every run"
    yield ""
    yield "Medians. CPU in µs per request (per transaction of a batch). That of PostgreSQL's WAL writer,"
    yield "checkpointer, autovacuum and others is told, but is in no ratio: it may be another run's."
    yield ""
    yield (
        "| run | a second | p50 ms | p99 ms | service | relay | backends | load | all"
        " | WAL writer, checkpointer, autovacuum, others |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for cell in record.cells:
        if cell.startswith(PRICES):
            continue
        runs = [row[cell] for row in record.rounds]
        rate, p50, p99 = (
            statistics.median(getattr(run, name) for run in runs) for name in ("rate", "p50", "p99")
        )
        classes = [statistics.median(run.cpu.get(name, 0) for run in runs) for name in OURS]
        prices = [*classes, statistics.median(run.price for run in runs)]
        others = [statistics.median(run.cpu.get(name, 0) for run in runs) for name in OTHERS]
        times = [f"{time:.2f}" if time else "" for time in (p50, p99)]
        told = ", ".join(f"{price:.0f}" for price in others) if any(others) else ""
        yield write_line(
            cell, f"{rate:.0f}", *times, *(f"{price:.0f}" if price else "" for price in prices), told
        )


def describe_contestants(record: Record) -> Iterator[str]:
    cells = [cell for cell in record.cells if cell.startswith(PREFIX)]
    if not cells:
        return
    yield "## Beside other ways to write a ledger"
    yield ""
    yield "The same deposit or withdrawal on the same server (benchmarks/contestants), beside pgbench a with"
    yield "as many clients. Ours does more for its price: exactly once, events, a chain, history on two axes."
    yield ""
    yield "| ledger | rate | CPU | p99 ms |"
    yield "|---|---|---|---|"
    for cell in ["POST, 16", "POST, 1", *cells]:
        beside = f"pgbench a, {cell.rpartition(', ')[2]}"
        if not {cell, beside} <= set(record.cells):
            continue
        rate, cpu = (write_spread(compare(record.rounds, cell, beside, by)) for by in ("rate", "cpu"))
        name = cell.removeprefix(PREFIX) if cell in cells else f"this one, {cell}"
        p99 = statistics.median(row[cell].p99 for row in record.rounds)
        yield write_line(name, rate, cpu, f"{p99:.1f}")
    yield ""


def describe_python(record: Record) -> Iterator[str]:
    cells = [cell for cell in record.cells if cell.startswith(PRICES)]
    if not cells:
        return
    yield "## Python by itself"
    yield ""
    yield "CPU of the process per transaction, beside a loop of 20,000 additions at the same moment."
    yield ""
    yield "| part | µs | loop, µs |"
    yield "|---|---|---|"
    for cell in cells:
        python, loop = (
            Spread.of([row[cell].cpu[name] for row in record.rounds]) for name in ("python", "calibration")
        )
        yield write_line(
            cell, f"{python.median:.0f} ({python.low:.0f}–{python.high:.0f})", f"{loop.median:.0f}"
        )
    yield ""


def describe_books(record: Record) -> Iterator[str]:
    if record.idle:
        shares = ", ".join(f"{name} {share:.2f}" for name, share in record.idle.items())
        yield f"Idle, percent of a core: {shares}."
        yield ""
    if record.memory:
        sizes = ", ".join(f"{name.split()[0]} {mib:.0f}" for name, mib in record.memory.items())
        yield f"Memory by process, MiB: {sizes}."
        yield ""
    if record.failed:
        yield f"Runs with errors, taken again: {'; '.join(record.failed)}."
        yield ""
    if record.books:
        books = record.books
        yield (
            f"Books afterwards: {books['transactions']} transactions, {books['wrong']} accounts that do not"
            f" add up; audit: {books['audit']}."
        )


def write_spread(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f}–{spread.high:.2f})"


def show(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def yes(reached: bool) -> str:
    return "yes" if reached else "no"


def write_line(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"
