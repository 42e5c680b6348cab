"""The Russian pages say what the English ones say: the same commands, the same words as the back office."""

import re

import pytest
from babel.messages.pofile import read_po

from tests.servers import PROJECT

DOCS = PROJECT / "docs"
PAIRS = [("README.md", "README.ru.md"), ("docs/quick-start.md", "docs/ru/quick-start.md")]
CATALOGUE = PROJECT / "locale/ru/LC_MESSAGES/django.po"
NAMES = re.compile(r"\*{1,2}([^*\n]+?)\*{1,2}")


@pytest.mark.parametrize(("english", "russian"), PAIRS)
def test_the_blocks_are_the_same(english, russian):
    blocks = [
        re.findall(r"```sh\n.*?```|^    \S[^\n]*$", (PROJECT / page).read_text(), re.DOTALL | re.MULTILINE)
        for page in (english, russian)
    ]
    assert blocks[0] == blocks[1]
    assert blocks[0]


@pytest.fixture(scope="module")
def words():
    """What the back office calls something in Russian, by what it calls it in English, in small letters."""
    found = {}
    with CATALOGUE.open("rb") as file:
        for message in read_po(file):
            texts = [message.id, message.string]
            [id, string] = [each[0] if isinstance(each, tuple) else each for each in texts]
            found.setdefault(id.lower(), set()).add(string.lower())
    return found


def find_missing(english, russian, words):
    """Names of the office on the English page, whose Russian ones are not on the Russian page."""
    names = {name.strip().lower() for name in NAMES.findall(english)} & words.keys()
    assert len(names) > 50
    return [name for name in sorted(names) if not any(word in russian.lower() for word in words[name])]


def test_the_back_office_is_told_in_its_own_words(words):
    english, russian = [(DOCS / name).read_text() for name in ("back-office.md", "ru/back-office.md")]
    assert find_missing(english, russian, words) == []
    assert find_missing(english, russian.replace("Сторнировать", "Отменить"), words) == [
        "reverse",
        "reverse as a claim",
        "reverse these",
    ]


def test_the_back_office_has_the_same_chapters_and_pictures():
    english, russian = [(DOCS / name).read_text() for name in ("back-office.md", "ru/back-office.md")]
    assert len(re.findall(r"^## ", russian, re.MULTILINE)) == len(re.findall(r"^## ", english, re.MULTILINE))
    shown = [re.findall(r"images/([\w-]+\.png)", page) for page in (english, russian)]
    assert shown[1] == [name for name in shown[0] if not name.endswith("-en.png")]
