"""The tasks of a day, as docs/back-office.md tells them: whose each is, and how many clicks it takes."""

import re
from functools import cache
from typing import NamedTuple

from tests.servers import PROJECT

PAGE = PROJECT / "docs/back-office.md"
ROW = re.compile(r"\| (\d+) \| (.+) \| (\w+) \| (\d+) \|")


class Task(NamedTuple):
    what: str
    role: str
    clicks: int


@cache
def read_tasks() -> dict[int, Task]:
    [section] = re.findall(r"\n## A day\n(.*?)\n## ", PAGE.read_text(), re.DOTALL)
    return {int(number): Task(what, role, int(clicks)) for number, what, role, clicks in ROW.findall(section)}
