"""The Markdown of the repository, laid out as the site wants it.

Pages stay where they are read in the repository, and their links too. Here each gets its place in the site,
and a link to what the site has not (code, tests) becomes the name of the file.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# Languages of blocks that no lexer knows, or none reads as they stand here.
PLAIN = re.compile(r"^( *```)(?:http|cron|conf)$", re.MULTILINE)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"^<!--.*?-->\n", re.MULTILINE | re.DOTALL)
EXTERNAL = ("http://", "https://", "mailto:")


class BrokenLink(Exception):
    """A link of a page to a file that is not in the repository."""


@dataclass(frozen=True)
class Site:
    """One language: `places` has for files of the repository their place in it, `elsewhere` for pages in
    another language their address, seen from the root of this one."""

    root: Path
    places: Mapping[str, str]
    elsewhere: Mapping[str, str]

    def write(self, folder: Path) -> None:
        """Lay all of it into the folder."""
        for source, place in self.places.items():
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.endswith(".md"):
                target.write_text(self.rewrite((self.root / source).read_text(), source))
            else:
                shutil.copyfile(self.root / source, target)

    def rewrite(self, text: str, source: str) -> str:
        """The page with links as the site has them."""

        def rewrite_part(part: str) -> str:
            return LINK.sub(lambda found: self.rewrite_link(found, source), part)

        return "".join(
            PLAIN.sub(r"\1text", part) if part.lstrip().startswith("```") else rewrite_part(part)
            for part in split_fences(text)
        )

    def rewrite_link(self, found: re.Match[str], source: str) -> str:
        mark, text, target = found.groups()
        path, hash, anchor = target.partition("#")
        if target.startswith(EXTERNAL) or not path:
            return found[0]
        wanted = os.path.normpath(PurePosixPath(source).parent / path)
        here = PurePosixPath(self.places[source]).parent
        if place := self.places.get(wanted):
            return f"{mark}[{text}]({os.path.relpath(place, here)}{hash}{anchor})"
        if address := self.elsewhere.get(wanted):
            return f'<a href="{os.path.relpath(address, here)}{hash}{anchor}">{text}</a>'
        if not (self.root / wanted).exists():
            raise BrokenLink(f"{source}: there is no {wanted}.")
        name = text.strip("`/")
        return f"`{wanted}`" if wanted.endswith(name) else f"{text} (`{wanted}`)"


def split_fences(text: str) -> Iterator[str]:
    """The text in parts: fenced blocks, and what is between them."""
    begin = 0
    for fence in FENCE.finditer(text):
        yield text[begin : fence.start()]
        yield fence[0]
        begin = fence.end()
    yield text[begin:]


def read_title(text: str) -> str:
    """The heading of a page."""
    return str(re.findall(r"^# (.+)$", text, re.MULTILINE)[0]).strip()


def read_lead(text: str) -> str:
    """What a page is about: the first sentence of it, as plain text."""
    for paragraph in re.split(r"\n\s*\n", COMMENT.sub("", text)):
        line = " ".join(paragraph.split())
        if (line and line[0] not in "#|`![<-*") or line.startswith("**"):
            plain = LINK.sub(r"\2", line).replace("**", "").replace("`", "")
            return re.split(r"(?<=[.!?])\s+(?=[*A-Z\u0410-\u042f])", plain)[0]
    return ""
