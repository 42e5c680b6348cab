"""What somebody reads on a page of the back office, and every page that a member of staff can walk to."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

HIDDEN = {"script", "style", "template"}
VOID = {"input", "img", "br", "hr", "meta", "link", "col", "source", "wbr"}
# Not words: names of icons, data of the ledger and of the outside world.
SILENT_CLASSES = {"material-symbols-outlined", "material-symbols-sharp"}
SILENT_TAGS = {"code", "pre"}
SPOKEN = ("title", "placeholder", "aria-label", "alt", "data-label")


class Reader(HTMLParser):
    """Collects the texts and the links of a page."""

    def __init__(self):
        super().__init__()
        self.texts, self.links, self.open = [], [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        silent = tag in HIDDEN | SILENT_TAGS or not SILENT_CLASSES.isdisjoint(
            (found.get("class") or "").split()
        )
        if tag not in VOID:
            self.open.append((tag, silent))
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag not in ("time", "meta"):
            self.texts += [text for name in SPOKEN if (text := found.get(name))]
        if tag == "input" and found.get("type") in ("submit", "button"):
            self.texts.append(found.get("value") or "")

    def handle_endtag(self, tag):
        while self.open and self.open[-1][0] != tag and any(name == tag for name, _ in self.open):
            self.open.pop()
        if self.open and self.open[-1][0] == tag:
            self.open.pop()

    def handle_data(self, text):
        if text.strip() and not any(silent for _, silent in self.open):
            self.texts.append(" ".join(text.split()))


def read(response):
    reader = Reader()
    reader.feed(response.content.decode())
    return reader


def walk(client, start="/admin/", **headers):
    """(address, page) of every page that links lead to; of those that differ in ids alone, of one."""
    waiting, seen = [start], set()
    while waiting:
        address = waiting.pop(0)
        response = client.get(address, headers=headers)
        if response.status_code in (301, 302):
            waiting.append(urljoin(address, response["Location"]))
            continue
        assert response.status_code == 200, (address, response.status_code)
        if not response.get("Content-Type", "").startswith("text/html"):
            continue
        page = read(response)
        yield address, page
        for link in page.links:
            parts = urlsplit(urljoin(address, link))
            kind = _find_kind(parts.path)
            if parts.path.startswith("/admin/") and not parts.netloc and kind not in seen:
                seen.add(kind)
                waiting.append(parts.path)


def _find_kind(path):
    """The address without ids: no two rows of a list are visited."""
    parts = path.split("/")
    return tuple("…" if any(c.isdigit() for c in part) else part for part in parts)
