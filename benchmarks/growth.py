"""Whether a ledger stays as fast as it grows: the same load at several sizes, bytes per posting, stalls.

Each size is a ledger of its own, written past the engine, and measured in a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import machine
from benchmarks.figures import Figures, Spread, compare
from benchmarks.load import require_wrk
from benchmarks.record import FOLDER
from benchmarks.report import write_line, write_spread

RESULTS = Path(__file__).parent / "GROWTH.md"
SPREAD_MAX = 0.15  # by which a price may differ from that of the smallest ledger
STALL_SECONDS_MAX = 1.0

Size = Mapping[str, Any]


def main(options: argparse.Namespace) -> int:
    require_wrk()
    described = machine.describe()
    sizes = [measure(rows, options, last=rows == options.rows[-1]) for rows in options.rows]
    report = describe(described, sizes, options)
    Console().print(report, markup=False, highlight=False, soft_wrap=True)
    if options.write:
        RESULTS.write_text(report)
        FOLDER.mkdir(exist_ok=True)
        name = f"growth-{described['at'][:10]}-{described['commit']}.json"
        (FOLDER / name).write_text(json.dumps({"machine": described, "sizes": sizes}) + "\n")
    return 1 if any(size["wrong"] for size in sizes) else 0


def measure(rows: int, options: argparse.Namespace, *, last: bool) -> Size:
    """In a process of its own: Django works on one ledger in its life."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as answer:
        command = [sys.executable, "-m", "benchmarks.grown", "--rows", str(rows), "--json", answer.name]
        command += ["--rounds", str(options.rounds), "--seconds", str(options.seconds)]
        command += ["--minutes", str(options.minutes if last else 0)]
        subprocess.run(command, cwd=machine.PROJECT, check=True)
        size: Size = json.load(answer)
    return size


def describe(described: Mapping[str, Any], sizes: Sequence[Size], options: argparse.Namespace) -> str:
    """The report in Markdown."""
    lines = [
        "# As a ledger grows",
        "",
        f"`python -m benchmarks growth` on {described['at'][:10]}, commit {described['commit']}:"
        f" {described['python']}, {described['cores']} cores; {options.rounds} rounds of {options.seconds} s"
        " a run at each size, one size after the other, beside pgbench a with 16 clients of the same round.",
        "",
        "CPU is pgbench's per transaction by ours per request, median (lowest and highest round); the prices"
        " are µs of CPU of all processes.",
        "",
        write_line("run", *(f"{size['rows']:,} rows: CPU | rate | µs" for size in sizes), "apart"),
        "|" + "---|" * (2 + 3 * len(sizes)),
    ]
    cells = [name for name in sizes[0]["rounds"][0] if not name.startswith("pgbench")]
    lines += [describe_cell(cell, sizes) for cell in cells]
    lines += ["", "*Apart*: how far the CPU ratio of the last size is from that of the first (at most"]
    lines += [f"{SPREAD_MAX:.0%}).", "", "## Bytes per posting", ""]
    lines += [
        "What the tables and indexes grew by while the load above posted, by the number of postings.",
        "",
    ]
    lines += describe_bytes(sizes)
    lines += ["", "## Stalls", ""]
    for size in sizes:
        if found := size.get("stalls"):
            lines.append(
                f"{found['minutes']:g} minutes of posting by 16 connections at {size['rows']:,} rows:"
                f" {found['posted']} postings, {found['checkpoints']} checkpoints, {found['autovacuums']}"
                f" autovacuums; the longest time without any answer {found['gap']:.2f} s (at most"
                f" {STALL_SECONDS_MAX:g}), the longest request {found['longest']:.2f} s,"
                f" {found['failed']} failed."
            )
    wrong = sum(size["wrong"] for size in sizes)
    return "\n".join([*lines, "", f"Books afterwards: {wrong} accounts that do not add up.", ""])


def describe_cell(cell: str, sizes: Sequence[Size]) -> str:
    parts, ratios = [], []
    for size in sizes:
        rounds = [{name: Figures(**figures) for name, figures in row.items()} for row in size["rounds"]]
        cpu, rate = (compare(rounds, cell, "pgbench a, 16", by) for by in ("cpu", "rate"))
        price = Spread.of([row[cell].price for row in rounds]).median
        parts += [write_spread(cpu), f"{rate.median:.2f}", f"{price:.0f}"]
        ratios.append(cpu.median)
    return write_line(cell, *parts, f"{ratios[-1] / ratios[0] - 1:+.0%}")


def describe_bytes(sizes: Sequence[Size]) -> list[str]:
    relations = sorted({name for size in sizes for name in size["bytes"]})
    lines = [write_line("relation", *(f"{size['rows']:,} rows" for size in sizes))]
    lines.append("|" + "---|" * (1 + len(sizes)))
    for name in relations:
        grown = [size["bytes"].get(name, 0) for size in sizes]
        if max(grown) >= 1:
            lines.append(write_line(f"`{name}`", *(f"{number:.0f}" for number in grown)))
    totals = [sum(size["bytes"].values()) for size in sizes]
    lines.append(write_line("all", *(f"**{total:.0f}**" for total in totals)))
    return lines
