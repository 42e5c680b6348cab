"""The pages of operations, and their blocks."""

import re
from dataclasses import dataclass

from tests.servers import PROJECT

DOCS = PROJECT / "docs"
FENCE = re.compile(r" *```(.*)")
BLOCKS = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
# By its language a block is run by a shell, or is a file whose name its first line has. Marks behind the
# language are not shown: `runs on` for a server, or the machine on which it is run.
RUN, PLACED = "sh", ("ini", "cron", "yaml")
SERVER = "runs on"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, under its heading."""

    page: str
    section: str
    line: int
    language: str
    marks: str
    text: str

    def __str__(self) -> str:
        return f"docs/{self.page}:{self.line} ({self.section})"

    @property
    def file(self) -> str:
        """The name of what it is, if it is a file."""
        return re.match(r"# (\S+)", self.text)[1]

    @property
    def is_server(self) -> bool:
        return self.marks == SERVER


def find_pages() -> list[str]:
    """By their paths below docs/."""
    found = [DOCS / "operations.md", *(DOCS / "operations").glob("*.md")]
    return sorted(str(path.relative_to(DOCS)) for path in found)


def read_blocks(page: str) -> list[Block]:
    """Every fenced block of the page, in order, without its indentation."""
    blocks: list[Block] = []
    section, language, marks, began = "", "", "", 0
    lines = (DOCS / page).read_text().splitlines()
    for number, line in enumerate(lines, start=1):
        fence = FENCE.fullmatch(line)
        if fence and began:
            indent = re.match(" *", lines[began - 1])[0]
            text = "\n".join(each.removeprefix(indent) for each in lines[began : number - 1])
            blocks.append(Block(page, section, began, language, marks, text))
            began = 0
        elif fence:
            began, (language, _, marks) = number, fence[1].partition(" ")
        elif not began and line.startswith("##"):
            section = line.lstrip("#").strip()
    return blocks


def read_prose(page: str) -> str:
    """The page without its blocks."""
    return BLOCKS.sub("", (DOCS / page).read_text())
