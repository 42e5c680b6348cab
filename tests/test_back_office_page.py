"""docs/back-office.md: its pictures are there, and all of them are shown."""

import re

from tests.servers import PROJECT

PAGE = PROJECT / "docs/back-office.md"
SIZE_MAX = 250_000  # bytes


def test_every_picture_of_the_page_exists_and_every_picture_is_on_the_page():
    shown = re.findall(r"!\[[^\]]+\]\(images/([^)]+)\)", PAGE.read_text())
    pictures = {path.name: path.stat().st_size for path in (PAGE.parent / "images").iterdir()}
    assert sorted(shown) == sorted(pictures)
    assert {name: size for name, size in pictures.items() if size > SIZE_MAX} == {}
