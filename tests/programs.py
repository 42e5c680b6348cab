"""Programs of Debian's that some tests need. CI has all of them, and skips nothing."""

import os
import shutil
from pathlib import Path

import pytest


def require(program: str | Path, package: str) -> str:
    """Where the program is, by its name or path. Without it the test is skipped, or fails in CI."""
    found = shutil.which(program)
    if found is None:
        if "LEDGER_SKIP_NOTHING" in os.environ:
            pytest.fail(f"There is no {program}.")
        pytest.skip(f"there is no {program}: apt-get install {package}")
    return found
