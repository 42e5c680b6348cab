"""Build the site: python -m website FOLDER.

Lays the pages out, makes the reference of docs/openapi.json and llms.txt, has Sphinx build each language with
warnings as errors, and looks every link of what was built up.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from website import links, llms
from website.contents import ENGLISH, MORE, RUSSIAN, Contents, write_all, write_toctree
from website.pages import Site, read_title
from website.reference import write_reference

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    [output] = [Path(argument).resolve() for argument in sys.argv[1:]]
    pages = output.with_name(output.name + "-pages")
    for folder in (output, pages):
        shutil.rmtree(folder, ignore_errors=True)
    english, russian = find_sites()
    english.write(pages / "en")
    russian.write(pages / "ru")
    add_reference(pages / "en")
    add_decisions(pages / "en")
    build(pages / "en", "en", ENGLISH, output)
    build(pages / "ru", "ru", RUSSIAN, output / "ru")
    shutil.copyfile(ROOT / "docs/openapi.json", output / "openapi.json")
    llms.write(output, [(pages / "en", "", ENGLISH), (pages / "ru", "ru/", RUSSIAN)])
    if broken := [*links.find_broken(output)]:
        sys.exit("\n".join(broken))


def find_sites() -> tuple[Site, Site]:
    """The English site and the Russian one, which is a folder in it."""
    docs = {
        str(path.relative_to(ROOT)): str(path.relative_to(ROOT / "docs"))
        for path in sorted((ROOT / "docs").rglob("*"))
        if path.suffix in (".md", ".png")
    }
    russian = {name: place.removeprefix("ru/") for name, place in docs.items() if place.startswith("ru/")}
    russian["README.ru.md"] = "index.md"
    english = {name: place for name, place in docs.items() if name not in russian} | MORE
    pictures = {name: place for name, place in english.items() if place.endswith(".png")}
    return (
        Site(ROOT, english, see(russian, "ru/")),
        Site(ROOT, russian | pictures, see(english, "../")),
    )


def see(places: dict[str, str], root: str) -> dict[str, str]:
    """The addresses of pages in the other language."""
    return {
        name: f"{root}{place.removesuffix('.md')}.html"
        for name, place in places.items()
        if place.endswith(".md")
    }


def add_reference(folder: Path) -> None:
    pages = write_reference(json.loads((ROOT / "docs/openapi.json").read_text()))
    (folder / "reference").mkdir()
    for name, text in pages.items():
        more = write_toctree([other for other in pages if other != name]) if name == "index" else ""
        (folder / "reference" / f"{name}.md").write_text(f"{text}\n{more}")


def add_decisions(folder: Path) -> None:
    """A page that leads to all of them."""
    pages = sorted((folder / "adr").glob("*.md"))
    lines = [f"- [{read_title(page.read_text())}](adr/{page.name})" for page in pages]
    about = "What was decided, why, and what follows, on a page each."
    text = "\n".join(["# Decisions", "", about, "", *lines])
    (folder / "decisions.md").write_text(
        text + "\n\n" + write_toctree([f"adr/{page.stem}" for page in pages])
    )


def build(folder: Path, language: str, contents: Contents, output: Path) -> None:
    with (folder / "index.md").open("a") as index:
        index.write(write_all(contents))
    sphinx = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    folders = ["-d", str(folder.with_name(f"{language}-read")), str(folder), str(output)]
    settings = ["-c", str(ROOT / "website"), "-D", f"language={language}"]
    if status := subprocess.run([*sphinx, *settings, *folders], cwd=folder).returncode:
        sys.exit(status)


if __name__ == "__main__":
    main()
