"""llms.txt: what the pages are about, for programs that read; and the pages as they were written."""

import shutil
from pathlib import Path

from website.contents import Contents
from website.pages import read_lead, read_title

ABOUT = Path(__file__).with_name("about.md").read_text()


def write(site: Path, languages: list[tuple[Path, str, Contents]]) -> None:
    """Each language is a folder of pages, where it is in the site, and the order of its pages."""
    lines, full = [ABOUT], [ABOUT]
    for folder, address, contents in languages:
        for written in sorted(folder.rglob("*.md")):
            place = site / address / written.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(written, place)
        for caption, pages in contents.items():
            lines.append(f"\n## {caption or ('Русский' if address else 'Start')}\n")
            for page in map("{}.md".format, pages):
                text = (folder / page).read_text()
                lead = read_lead(text)
                lines.append(f"- [{read_title(text)}]({address}{page})" + (f": {lead}" if lead else ""))
                full.append(f"\n\n<!-- {address}{page} -->\n\n{text}")
    (site / "llms.txt").write_text("\n".join(lines) + "\n")
    (site / "llms-full.txt").write_text("".join(full))
