"""Whether a ledger stays as fast as it grows: the same load at several sizes, bytes per posting, stalls.

Each size is a ledger of its own, written past the engine and served by processes of its own. All are there at
once, and what is run in a round is run on one after the other.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import grown, machine
from benchmarks.figures import Figures, Spread, compare
from benchmarks.load import require_wrk
from benchmarks.record import FOLDER
from benchmarks.report import write_line, write_spread

RESULTS = Path(__file__).parent / "GROWTH.md"
SPREAD_MAX = 0.15  # by which a price may differ from that of the smallest ledger
STALL_SECONDS_MAX = 1.0
FLOOR = "pgbench a, 16"
CELLS = (FLOOR, "POST, 16", "GET balance, 16", "GET transaction, 16", "batch over HTTP, 2")

Size = Mapping[str, Any]


def main(options: argparse.Namespace) -> int:
    require_wrk()
    described = machine.describe()
    sizes = measure(options)
    report = describe(described, sizes, options)
    Console().print(report, markup=False, highlight=False, soft_wrap=True)
    if options.write:
        RESULTS.write_text(report)
        FOLDER.mkdir(exist_ok=True)
        name = f"growth-{described['at'][:10]}-{described['commit']}.json"
        (FOLDER / name).write_text(json.dumps({"machine": described, "sizes": sizes}) + "\n")
    return 1 if any(size["wrong"] for size in sizes) else 0


def measure(options: argparse.Namespace) -> Sequence[Size]:
    """What was found of each size. `asks` call a method of its ledger."""
    console = Console()
    with ExitStack() as stack:
        asks = [start_ledger(stack, rows, options.seconds, console) for rows in options.rows]
        found: list[dict[str, Any]] = [{"rows": rows, "rounds": []} for rows in options.rows]
        for number in range(options.rounds + 1):
            rounds: list[dict[str, Figures]] = [{} for _ in asks]
            for cell in CELLS:
                for ask, row in zip(asks, rounds, strict=True):
                    row[cell] = ask("run", cell)
            for ask, row, size in zip(asks, rounds, found, strict=True):
                prices = ", ".join(f"{name} {run.price:.0f} µs" for name, run in row.items())
                console.print(f"{number}: {size['rows']} rows: {prices}", soft_wrap=True)
                if number == 0:  # of the pages that a checkpoint has written, the first change logs the whole
                    ask("start_counting")
                else:
                    size["rounds"].append({name: figures.to_dict() for name, figures in row.items()})
        for ask, size in zip(asks, found, strict=True):
            size["bytes"] = ask("count_bytes")
        if options.minutes:
            found[-1]["stalls"] = asks[-1]("look_for_stalls", options.minutes)
        for ask, size in zip(asks, found, strict=True):
            size["wrong"] = ask("count_wrong_accounts")
        return found


def start_ledger(stack: ExitStack, rows: int, seconds: int, console: Console) -> Callable[..., Any]:
    """Make a ledger of so many rows that lasts as long as the stack; gives what calls its methods."""
    pool = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))

    def ask(method: str, *arguments: Any) -> Any:
        return pool.submit(grown.call, method, *arguments).result()

    console.print(f"Writing {rows} transactions …")
    stack.callback(ask, "close")
    pool.submit(grown.start, rows, seconds).result()
    return ask


def describe(described: Mapping[str, Any], sizes: Sequence[Size], options: argparse.Namespace) -> str:
    """The report in Markdown."""
    lines = [
        "# As a ledger grows",
        "",
        f"`python -m benchmarks growth` on {described['at'][:10]}, commit {described['commit']}:"
        f" {described['python']}, {described['cores']} cores; {options.rounds} rounds of {options.seconds} s"
        " a run. The ledgers of all sizes are there at once, and a run is made on one after the other, beside"
        " pgbench a with 16 clients on the same server in the same round. A first round is not counted: after"
        " a checkpoint the first change of a page logs the whole of it.",
        "",
        "CPU is pgbench's per transaction by ours per request, median (lowest and highest round); the prices"
        " are µs of CPU of all processes.",
        "",
        write_line("run", *(f"{size['rows']:,} rows: CPU | rate | µs" for size in sizes), "apart"),
        "|" + "---|" * (2 + 3 * len(sizes)),
    ]
    lines += [describe_cell(cell, sizes) for cell in CELLS if cell != FLOOR]
    lines += ["", "*Apart*: how far the CPU ratio of the last size is from that of the first (at most"]
    lines += [f"{SPREAD_MAX:.0%}).", "", "## Bytes per posting", ""]
    lines += [
        "What the tables and indexes grew by while the load above posted, by the number of postings.",
        "",
    ]
    lines += describe_bytes(sizes)
    for size in sizes:
        if found := size.get("stalls"):
            lines += ["", "## Stalls", ""]
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
        cpu, rate = (compare(rounds, cell, FLOOR, by) for by in ("cpu", "rate"))
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
