"""The table of docs/back-office.md: every task of it is walked, and none takes long."""

import re
from pathlib import Path
from statistics import median

from tests.browser.day.page import read_tasks


def test_each_task_of_the_page_is_walked_and_none_else():
    folder = Path(__file__).parent
    walked = [
        int(number)
        for path in folder.glob("test_*.py")
        for number in re.findall(r"day\.task\((\d+)", path.read_text())
    ]
    assert sorted(walked) == list(read_tasks()) == list(range(1, 27))


def test_half_of_the_tasks_take_four_clicks_or_fewer_and_none_more_than_eight():
    clicks = {number: task.clicks for number, task in read_tasks().items()}
    bulk = clicks.pop(13)
    assert bulk <= 12
    assert max(clicks.values()) <= 8
    assert median([*clicks.values(), bulk]) <= 4
