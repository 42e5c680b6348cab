"""Every link inside the built site leads somewhere: to a file, and to a place in it."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINKS = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src"}


class Page(HTMLParser):
    """What a page links to, and the places in it that can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places = {"", "__top", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        for name in ("id", "name"):
            if place := values.get(name):
                self.places.add(place)
        if link := values.get(LINKS.get(tag, "")):
            self.links.append(link)


def find_broken(site: Path) -> Iterator[str]:
    """A line for each link of a page that leads nowhere. What is outside of the site is not asked."""
    site = site.resolve()
    built = (path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts)
    pages = {path: Page(path.read_text()) for path in built}
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            place = unquote(parts.fragment)
            if not target.exists():
                yield f"{path.relative_to(site)}: {link} is not there"
            elif target in pages and place not in pages[target].places:
                yield f"{path.relative_to(site)}: {link} has no such place"
