"""Can the tests see the faults that matter? `make mutants` plants each, and names the test that saw it.

A fault names the function, class or constant it is in, wherever that lives. It is planted in the processes of
the test that is named for it, which passes without the fault and must fail with it. Exit code 1 if one does
not; a name as argument: only that fault. The tests have databases of their own on one server, copies of one
that was made without any fault; but for faults in what makes a database.
"""

import ast
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Column, Table

from ledger_project.database.embedded import EmbeddedPostgres
from tests import (
    planted_faults,
    planted_faults_of_answers,
    planted_faults_of_batches,
    planted_faults_of_bulk,
    planted_faults_of_claims,
    planted_faults_of_days,
    planted_faults_of_dry_runs,
    planted_faults_of_files,
    planted_faults_of_holds,
    planted_faults_of_in_process,
    planted_faults_of_lists,
    planted_faults_of_office_lists,
    planted_faults_of_operators,
    planted_faults_of_parts,
    planted_faults_of_people,
    planted_faults_of_posting,
    planted_faults_of_preconditions,
    planted_faults_of_search,
    planted_faults_of_settings,
    planted_faults_of_statements,
    planted_faults_of_texts,
    planted_faults_of_the_feed,
    planted_faults_of_the_office,
    planted_faults_of_the_proof,
    planted_faults_of_thresholds,
    planted_faults_of_tokens,
    planted_faults_of_who_is_who,
)
from tests.database import FAST_AND_UNSAFE
from tests.planted_faults import Mutant
from tests.servers import PROJECT

MUTANTS = [
    *planted_faults.MUTANTS,
    *planted_faults_of_answers.MUTANTS,
    *planted_faults_of_batches.MUTANTS,
    *planted_faults_of_bulk.MUTANTS,
    *planted_faults_of_claims.MUTANTS,
    *planted_faults_of_days.MUTANTS,
    *planted_faults_of_dry_runs.MUTANTS,
    *planted_faults_of_files.MUTANTS,
    *planted_faults_of_holds.MUTANTS,
    *planted_faults_of_in_process.MUTANTS,
    *planted_faults_of_lists.MUTANTS,
    *planted_faults_of_office_lists.MUTANTS,
    *planted_faults_of_operators.MUTANTS,
    *planted_faults_of_parts.MUTANTS,
    *planted_faults_of_people.MUTANTS,
    *planted_faults_of_posting.MUTANTS,
    *planted_faults_of_preconditions.MUTANTS,
    *planted_faults_of_search.MUTANTS,
    *planted_faults_of_settings.MUTANTS,
    *planted_faults_of_statements.MUTANTS,
    *planted_faults_of_the_feed.MUTANTS,
    *planted_faults_of_the_office.MUTANTS,
    *planted_faults_of_the_proof.MUTANTS,
    *planted_faults_of_thresholds.MUTANTS,
    *planted_faults_of_tokens.MUTANTS,
    *planted_faults_of_who_is_who.MUTANTS,
    *planted_faults_of_texts.MUTANTS,
]
PRODUCT = ("ledger", "rest", "events", "accounts", "transactions", "office", "ledger_project")
SECONDS_MAX, SECONDS_MAX_OF_ALL = 300, 1500
WORKERS = 2
MAKES_DATABASES = re.compile(r"/(migrations|models|database)/|/(groups|apps|settings)\.py$")
ANY_TEST = "tests/test_worked_examples.py::test_the_story_of_the_original_service"  # leaves nothing behind


class Place(NamedTuple):
    """A function, class or constant of the product, with the lines that it has."""

    name: str
    file: Path
    first: int
    last: int


@cache
def list_places() -> list[Place]:
    return [
        place
        for package in PRODUCT
        for file in sorted((PROJECT / package).rglob("*.py"))
        for place in _list_places(
            ast.parse(file.read_text()), ".".join(file.relative_to(PROJECT).with_suffix("").parts), file
        )
    ]


def _list_places(node: ast.AST, inside: str, file: Path) -> Iterator[Place]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            name = f"{inside}.{child.name}"
            yield Place(name, file, child.lineno, child.end_lineno or 0)
            yield from _list_places(child, name, file)
        elif isinstance(child, ast.Assign | ast.AnnAssign) and not isinstance(node, ast.FunctionDef):
            for target in getattr(child, "targets", [getattr(child, "target", None)]):
                if isinstance(target, ast.Name):
                    yield Place(f"{inside}.{target.id}", file, child.lineno, child.end_lineno or 0)


def plant(mutant: Mutant) -> tuple[Path, str]:
    """The file of the fault, and its text with the fault in it."""
    # Of a function that is overloaded the last one, which has the body.
    places = {place.name: place for place in list_places() if f".{place.name}".endswith(f".{mutant.where}")}
    if len(places) != 1:
        raise SystemExit(f"{mutant.name}: {mutant.where} is {len(places)} places")
    [place] = places.values()
    lines = place.file.read_text().splitlines(keepends=True)
    text = "".join(lines[place.first - 1 : place.last])
    if text.count(mutant.old) != 1 or mutant.old == mutant.new:
        raise SystemExit(f"{mutant.name}: its text stands {text.count(mutant.old)} times in {mutant.where}")
    lines[place.first - 1 : place.last] = [text.replace(mutant.old, mutant.new)]
    return place.file, "".join(lines)


def run_tests(
    *tests: str, seconds_max: int = SECONDS_MAX, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The outcome of the tests, with databases of their own."""
    own = {
        "DATABASE_URL",
        "SECRET_KEY",
        "CHAIN_KEY",
        "WEBHOOK_KEY",
        "ANCHOR_KEY",
        "SECOND_FACTOR_KEY",
        "LEDGER_VAR",
    }
    environment |= {name: value for name, value in os.environ.items() if name not in own}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=seconds_max
    )


@contextmanager
def serve_databases() -> Iterator[Callable[[], dict[str, str]]]:
    """What lends the address of a database that is still to be made, and of what it is a copy."""
    with tempfile.TemporaryDirectory(prefix="ledger-faults-") as folder:
        postgres = EmbeddedPostgres(Path(folder), settings=FAST_AND_UNSAFE)
        address = f"postgres://postgres@/{postgres.socket_folder}/"
        postgres.start()
        try:
            made = run_tests("--reuse-db", ANY_TEST, DATABASE_URL=f"{address}sound")
            if made.returncode:
                raise SystemExit(f"No database can be made:\n{made.stdout[-2000:]}")
            numbers = count(1)
            yield lambda: {
                "DATABASE_URL": f"{address}faulty_{next(numbers)}",
                "LEDGER_TEST_TEMPLATE": "test_sound",
            }
        finally:
            postgres.stop()


def run_with(lend: Callable[[], dict[str, str]], mutant: Mutant) -> subprocess.CompletedProcess[str]:
    """Plant the fault and run its test, which should end with 1, pytest's code for a test that failed."""
    file, text = plant(mutant)
    database = {} if MAKES_DATABASES.search(str(file)) else lend()
    with tempfile.NamedTemporaryFile("w", suffix=".py") as changed:
        changed.write(text)
        changed.flush()
        return run_tests(
            mutant.test,
            LEDGER_FAULT_IN=str(file),
            LEDGER_FAULT_AS=changed.name,
            PYTHONPATH=str(PROJECT / "tests" / "planting"),
            **database,
        )


def main() -> int:
    wanted = sys.argv[1:]
    if unknown := set(wanted) - {mutant.name for mutant in MUTANTS}:
        raise SystemExit(f"There are no such faults: {', '.join(sorted(unknown))}")
    mutants = [mutant for mutant in MUTANTS if not wanted or mutant.name in wanted]
    sound = run_tests(*sorted({mutant.test for mutant in mutants}), seconds_max=SECONDS_MAX_OF_ALL)
    if sound.returncode:
        raise SystemExit(f"Without any fault the tests fail already:\n{sound.stdout[-2000:]}")
    table = Table("planted fault", "where", Column("seen by", overflow="fold"))
    with serve_databases() as lend, ThreadPoolExecutor(WORKERS) as pool:
        outcomes = list(pool.map(partial(run_with, lend), mutants))
    unseen = []
    for mutant, outcome in zip(mutants, outcomes, strict=True):
        if outcome.returncode != 1:
            unseen.append(
                f"{mutant.name}: {mutant.test} ended with {outcome.returncode}\n{outcome.stdout[-500:]}"
            )
        seen_by = mutant.test.rpartition("::")[2] if outcome.returncode == 1 else "NOBODY"
        table.add_row(mutant.name, mutant.where, seen_by)
    console = Console()
    console.print(table)
    for line in unseen:  # last, where one looks
        console.print(line, markup=False)
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
