"""No command of the pages of operations is only shown: blocks are run, spans in sentences are looked up."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from tests.operations.machines import EMBEDDED
from tests.operations.pages import DOCS, PLACED, RUN, find_pages, read_blocks, read_prose
from tests.operations.world import world_of
from tests.servers import PROJECT

TESTS = Path(__file__).parent
PAGES = find_pages()
SPAN = re.compile(r"`([^`]+)`")
OPTION = re.compile(r"(?<!\S)--?[a-z][a-z-]*")
LINK = re.compile(r"\]\(([^)#:]*\.md)?(?:#([^)]+))?\)")


def find_commands(text: str) -> list[list[str]]:
    """The spans that are commands of `manage.py` or programs of PostgreSQL; no others are looked at."""
    found = []
    for span in SPAN.findall(text):
        words = span.replace("\\", " ").split()
        while words and words[0] in ("python", "manage.py"):
            words.pop(0)
        if words and (words[0] in get_commands() or (EMBEDDED / words[0]).is_file()):
            found.append(words)
    return found


def find_unknown(words: list[str]) -> list[str]:
    """The options of a command that it does not have."""
    name, *arguments = words
    given = set(OPTION.findall(" ".join(arguments)))
    if not given:
        return []
    if name in get_commands():
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        known = set(parser._option_string_actions)
    else:
        help = subprocess.run([EMBEDDED / name, "--help"], capture_output=True, text=True, check=True).stdout
        known = set(re.findall(r"--?[A-Za-z][a-z-]*", help))
    return sorted(given - known)


def test_every_page_has_its_test_that_leaves_nothing_out():
    stories = {path: path.read_text() for path in TESTS.glob("test_*.py") if path != Path(__file__)}
    for page in PAGES:
        own = [text for text in stories.values() if f'"{page}"' in text]
        assert len(own) == 1, page
        assert "world.require_all_run()" in own[0], page
    assert len(stories) == len(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_of_a_kind_that_is_run(page):
    for block in read_blocks(page):
        assert block.language == RUN or (block.language in PLACED and block.file), str(block)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_in_a_sentence_has_the_options_that_it_is_given(page):
    assert {
        " ".join(words): find_unknown(words)
        for words in find_commands(read_prose(page))
        if find_unknown(words)
    } == {}


def test_an_option_that_is_misspelt_is_found():
    sentence = (
        "Run `manage.py audit_balances --sinse last`, `pg_amcheck --heapalindexed` or `initdb -k --no-sync`."
    )
    commands = find_commands(sentence)
    assert [find_unknown(words) for words in commands] == [["--sinse"], ["--heapalindexed"], []]


@pytest.mark.serve
def test_every_statement_in_a_sentence_is_one():
    with world_of("operations.md") as world:
        world.start()
        statements = [span for page in PAGES for span in SPAN.findall(read_prose(page))]
        queries = [each for each in statements if re.match(r"(SELECT|ALTER SYSTEM)\s", each)]
        assert len(queries) >= 3
        for query in queries:
            world.machines["db"].run(
                f"psql -v ON_ERROR_STOP=1 <<'END'\n{'EXPLAIN ' * (query[0] == 'S')}{query}\nEND"
            )


def find_anchors(page: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", (DOCS / page).read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def find_links(path: Path) -> Iterator[tuple[str, str]]:
    """The page of operations, by its path below docs/, and the anchor of each link that leads to one."""
    for target, anchor in LINK.findall(path.read_text()):
        to = (path.parent / target).resolve() if target else path
        if to == DOCS / "operations.md" or to.parent == DOCS / "operations":
            yield str(to.relative_to(DOCS)), anchor


def test_every_link_to_a_page_leads_to_a_heading_of_it():
    paths = [*PROJECT.glob("*.md"), *DOCS.rglob("*.md")]
    links = {(str(path.relative_to(PROJECT)), *link) for path in paths for link in find_links(path)}
    assert len(links) > 30
    lost = {
        (path, page, anchor)
        for path, page, anchor in links
        if page not in PAGES or (anchor and anchor not in find_anchors(page))
    }
    assert lost == set()
