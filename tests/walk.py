"""The way of a request through the house: which functions of ours it passes, in which files."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings

ROOT = str(settings.BASE_DIR)
PACKAGES = ("ledger", "rest", "events", "accounts", "transactions", "office", "ledger_project")
OURS = tuple(f"{ROOT}/{package}/" for package in PACKAGES)
INVISIBLE = ("<module>", "<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>", "<lambda>")


@dataclass
class Walk:
    """Every function of ours in the order of its first call, with the file it stands in."""

    functions: list[tuple[str, str]] = field(default_factory=list)
    seen: set[Any] = field(default_factory=set)

    @property
    def files(self) -> list[str]:
        return list(dict.fromkeys(file for file, _ in self.functions))

    @property
    def changes(self) -> int:
        """How often a function is in another file than the one that was called before it."""
        return sum(one != other for (one, _), (other, _) in pairwise(self.functions))

    def see(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code not in self.seen and code.co_filename.startswith(OURS):
            self.seen.add(code)
            if code.co_name not in INVISIBLE:
                self.functions.append((str(Path(code.co_filename).relative_to(ROOT)), code.co_qualname))

    def describe(self) -> str:
        lines, before = [], ""
        for file, function in self.functions:
            lines.append(f"  {file if file != before else '':40} {function}")
            before = file
        counted = f"{len(self.functions)} functions, {len(self.files)} files, {self.changes} changes of file"
        return "\n".join([*lines, counted])


@contextmanager
def walking() -> Iterator[Walk]:
    """What is called in this thread, and in threads that begin meanwhile."""
    walk = Walk()
    threading.setprofile(walk.see)
    sys.setprofile(walk.see)
    try:
        yield walk
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
