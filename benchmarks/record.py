"""One whole run, kept as JSON with all its rounds, so that anybody can reckon again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figures import Figures, Round

FOLDER = Path(__file__).parent / "runs"


@dataclass
class Record:
    """`singles` are figures measured once, by name; `idle` percent of a core by class, `memory` MiB by
    process; `failed` the runs that had errors and were taken again; `books` what was found in the end.
    """

    machine: dict[str, Any]
    settings: dict[str, Any]
    rounds: list[Round] = field(default_factory=list)
    singles: dict[str, float] = field(default_factory=dict)
    idle: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    books: dict[str, Any] = field(default_factory=dict)

    @property
    def cells(self) -> Sequence[str]:
        return list(self.rounds[0]) if self.rounds else []

    def save(self, folder: Path = FOLDER) -> Path:
        """Into a new file named by date and commit."""
        folder.mkdir(exist_ok=True)
        name = f"{self.machine['at'][:10]}-{self.machine['commit']}"
        number = 1
        while (file := folder / f"{name}-{number}.json").exists():
            number += 1
        rounds = [{name: figures.to_dict() for name, figures in row.items()} for row in self.rounds]
        kept = {**vars(self), "rounds": rounds}
        file.write_text(
            json.dumps(kept, indent=None, separators=(",", ":")).replace('{"rate"', '\n{"rate"') + "\n"
        )
        return file


def load(file: Path) -> Record:
    kept = json.loads(file.read_text())
    kept["rounds"] = [{name: Figures(**figures) for name, figures in row.items()} for row in kept["rounds"]]
    return Record(**kept)
