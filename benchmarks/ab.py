"""Whether a change made requests dearer: this checkout beside another one, each with its own `serve`."""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks import books, machine
from benchmarks.cpu import Site
from benchmarks.figures import Figures, Round, Spread
from benchmarks.load import Target, require_wrk, run_wrk
from tests.service import Service

RATIO_MAX = 1.05  # of the medians' CPU per request; less is noise
Cells = dict[str, tuple[str, int, bool]]
CELLS: Cells = {  # what is asked, by how many connections, of one account only
    "POST, 16": ("post", 16, False),
    "POST, hot account, 64": ("post", 64, True),
    "GET balance, 16": ("balance", 16, False),
}
OTHER_CELLS: Cells = {
    "POST, 1": ("post", 1, False),
    "POST, 32": ("post", 32, False),
    "POST, 64": ("post", 64, False),
    "batch over HTTP, 2": ("batch", 2, False),
    "GET transaction, 16": ("transaction", 16, False),
}
Ask = Callable[[str], Figures]  # by the name of a cell


def main(options: argparse.Namespace) -> int:
    require_wrk()
    console = Console()
    here, other = machine.PROJECT, options.other.resolve()
    console.print(f"this: {here} {machine.read_commit(here)}, other: {other} {machine.read_commit(other)}")
    cells = CELLS | OTHER_CELLS if options.all else CELLS
    with serving(here, options) as ask_this, serving(other, options) as ask_other:
        rounds = [
            run_round(cells, ask_this, ask_other, swap=number % 2 == 1)
            for number in range(options.rounds + 1)
        ][1:]  # the first opens connections and prepares statements
    slower = False
    for cell in cells:
        ratio = compare(rounds, cell)
        slower |= ratio.median > RATIO_MAX
        prices = [
            Spread.of([row[f"{side} {cell}"].price for row in rounds]).median for side in ("this", "other")
        ]
        rates = [
            Spread.of([row[f"{side} {cell}"].rate for row in rounds]).median for side in ("this", "other")
        ]
        console.print(
            f"{cell}: CPU {prices[0]:.0f} / {prices[1]:.0f} µs = {ratio.median:.3f}"
            f" ({ratio.low:.3f}–{ratio.high:.3f}), at most {RATIO_MAX};"
            f" {rates[0]:.0f} / {rates[1]:.0f} a second",
            soft_wrap=True,
        )
    return 1 if slower else 0


def run_round(cells: Cells, ask_this: Ask, ask_other: Ask, *, swap: bool) -> Round:
    """Each cell on both, one right after the other; every second round the other one first."""
    sides = [("this", ask_this), ("other", ask_other)]
    return {
        f"{side} {cell}": ask(cell) for cell in cells for side, ask in (reversed(sides) if swap else sides)
    }


def compare(rounds: Sequence[Round], cell: str) -> Spread:
    """CPU per request of this checkout by the other's: less is better."""
    return Spread.of([row[f"this {cell}"].price / row[f"other {cell}"].price for row in rounds])


@contextmanager
def serving(checkout: Path, options: argparse.Namespace) -> Iterator[Ask]:
    """The checkout's own `serve`, with accounts made over HTTP."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ledger-ab-")))
        folder.chmod(0o755)
        service = Service(folder, project=checkout).start()
        stack.callback(service.stop)
        ids = folder / "account_ids"
        transaction_ids = folder / "transaction_ids"
        posted = books.make_accounts(service, options.accounts, ids)
        transaction_ids.write_text("\n".join(posted))
        token = (folder / "api_token").read_text().strip()
        site = Site(service.process.pid, service.read_postmaster_pid(), "ledger")

        def ask(cell: str) -> Figures:
            what, connections, hot = (CELLS | OTHER_CELLS)[cell]
            file = transaction_ids if what == "transaction" else ids
            target = Target(service.port, file, token, site)
            count = 1 if hot else len(file.read_text().split())
            return run_wrk(target, what, connections=connections, count=count, seconds=options.seconds)

        yield ask
