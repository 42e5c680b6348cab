"""The site of the documentation, without Sphinx: what is laid out for it. `make site` builds it."""

import re

import pytest

from tests.document import read_document
from tests.servers import PROJECT
from website.__main__ import find_sites
from website.contents import ENGLISH, RUSSIAN
from website.links import find_broken
from website.pages import BrokenLink, Site, read_lead
from website.reference import METHODS, make_slug, write_reference


def test_every_page_has_a_place_in_the_sidebar():
    """Decisions and the reference have pages of their own that lead to them."""
    for site, contents in zip(find_sites(), (ENGLISH, RUSSIAN), strict=True):
        pages = {place.removesuffix(".md") for place in site.places.values() if place.endswith(".md")}
        listed = {page for pages in contents.values() for page in pages}
        made = {"reference/index", "decisions"} if contents is ENGLISH else set()
        assert {page for page in pages if not page.startswith("adr/")} | made == listed | {"index"}


def test_every_link_of_a_page_is_to_a_file_that_is_there():
    for site in find_sites():
        for source in site.places:
            if source.endswith(".md"):
                site.rewrite((PROJECT / source).read_text(), source)


@pytest.fixture
def site(tmp_path):
    for name in ("README.md", "docs/a.md", "docs/deep/b.md", "docs/ru/a.md", "src/code.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# A title\n")
    places = {"README.md": "index.md", "docs/a.md": "a.md", "docs/deep/b.md": "deep/b.md"}
    return Site(tmp_path, places, {"docs/ru/a.md": "ru/a.html"})


@pytest.mark.parametrize(
    ("source", "text", "wanted"),
    [
        ("README.md", "[a](docs/a.md#here)", "[a](a.md#here)"),
        ("docs/deep/b.md", "[home](../../README.md), [a](../a.md)", "[home](../index.md), [a](../a.md)"),
        ("docs/deep/b.md", "[code.py](../../src/code.py)", "`src/code.py`"),
        ("docs/a.md", "[the code](../src/code.py)", "the code (`src/code.py`)"),
        ("docs/deep/b.md", "[по-русски](../ru/a.md)", '<a href="../ru/a.html">по-русски</a>'),
        ("docs/a.md", "[out](https://example.com/x) [here](#x)", "[out](https://example.com/x) [here](#x)"),
        ("docs/a.md", "```sh\n[a](nowhere.md)\n```\n", "```sh\n[a](nowhere.md)\n```\n"),
        ("docs/a.md", "```http\nGET /\n```\n", "```text\nGET /\n```\n"),
    ],
)
def test_a_link_leads_to_the_same_from_its_place_in_the_site(site, source, text, wanted):
    assert site.rewrite(text, source) == wanted


def test_a_link_to_nothing_is_refused(site):
    with pytest.raises(BrokenLink, match=r"docs/a.md: there is no docs/nowhere.md"):
        site.rewrite("[a](nowhere.md)", "docs/a.md")


def test_what_a_page_is_about_is_its_first_sentence():
    assert read_lead("# A\n\n![x](x.png)\n\nIt *keeps* [money](b.md). More.\n") == "It *keeps* money."
    assert read_lead("# Деньги\n\n**Счёт** есть. Ещё.\n") == "Счёт есть."
    assert read_lead("# A\n\n- b\n") == ""


def test_a_link_of_the_built_site_that_leads_nowhere_is_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="top-of-a">A</h1><a href="b.html#x">b</a> <a href="#top-of-a">a</a>'
    )
    (tmp_path / "b.html").write_text('<p id="x">B</p><a href="https://example.com/">out</a>')
    assert list(find_broken(tmp_path)) == []
    (tmp_path / "b.html").write_text('<p id="y">B</p><img src="c.png">')
    assert list(find_broken(tmp_path)) == ["a.html: b.html#x has no such place", "b.html: c.png is not there"]


def test_the_reference_has_every_operation_and_every_schema():
    document = read_document()
    pages = write_reference(document)
    index = pages["index"]
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                assert f"`{method.upper()} {path}`" in index
    for page, anchor in re.findall(r"\(([\w-]+)\.md#([\w-]+)\)", "\n".join(pages.values())):
        titles = re.findall(r"^## (.+)$", pages[page], re.MULTILINE)
        assert anchor in map(make_slug, titles)
