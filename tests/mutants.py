"""Can the tests see the faults that matter? `make mutants` plants each, and names the test that saw it.

Each fault goes into a copy of the project. The test named for it passes on the project as it is, and must
fail on the copy. Exit code 1 if one does not.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from tests import (
    planted_faults,
    planted_faults_of_posting,
    planted_faults_of_the_feed,
    planted_faults_of_the_office,
    planted_faults_of_the_proof,
)
from tests.planted_faults import Mutant
from tests.servers import PROJECT

MUTANTS = [
    *planted_faults.MUTANTS,
    *planted_faults_of_posting.MUTANTS,
    *planted_faults_of_the_feed.MUTANTS,
    *planted_faults_of_the_office.MUTANTS,
    *planted_faults_of_the_proof.MUTANTS,
]
SECONDS_MAX = 300
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".hypothesis", ".*_cache")


def run_tests(project: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """The outcome of the tests on that copy, with a database of its own."""
    own = {"DATABASE_URL", "SECRET_KEY", "CHAIN_KEY", "WEBHOOK_KEY", "ANCHOR_KEY", "LEDGER_VAR"}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX
    )


def is_seen(mutant: Mutant) -> bool:
    """Plant the fault and run its test: 1 is pytest's exit code for a test that failed."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder) / "ledger"
        shutil.copytree(PROJECT, copy, ignore=NOT_COPIED)
        file = copy / mutant.file
        text = file.read_text()
        if text.count(mutant.old) != 1 or mutant.old == mutant.new:
            raise SystemExit(
                f"{mutant.name}: its line stands {text.count(mutant.old)} times in {mutant.file}"
            )
        file.write_text(text.replace(mutant.old, mutant.new))
        return run_tests(copy, mutant.test).returncode == 1


def main() -> int:
    wanted = sys.argv[1:]
    mutants = [mutant for mutant in MUTANTS if not wanted or mutant.name in wanted]
    sound = run_tests(PROJECT, *{mutant.test for mutant in mutants})
    if sound.returncode:
        raise SystemExit(f"Without any fault the tests fail already:\n{sound.stdout[-2000:]}")
    table = Table("planted fault", "where", Column("seen by", overflow="fold"))
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(is_seen, mutants))
    for mutant, seen in zip(mutants, outcomes, strict=True):
        table.add_row(mutant.name, mutant.file, mutant.test.rpartition("::")[2] if seen else "NOBODY")
    Console().print(table)
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
