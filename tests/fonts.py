"""The fonts of the back office: of unfold's, what its pages show. Run: python -m tests.fonts

Again after unfold was raised, and when a page shows a new icon: a test says so.
"""

import re
import sys
from importlib.util import find_spec
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from tests.servers import PROJECT

UNFOLD = Path(find_spec("unfold").origin).parent
FONTS = UNFOLD / "static/unfold/fonts"
FOLDER = PROJECT / "office/static/office/fonts"
ICONS = FONTS / "material-symbols/Material-Symbols-Outlined.woff2"
WEIGHTS = {"Regular": 400, "Medium": 500, "SemiBold": 600, "Bold": 700}
# Latin, Cyrillic, punctuation, currencies, arrows. For other scripts there is the system's own font.
CHARACTERS = [*range(0x20, 0x180), *range(0x400, 0x460), *range(0x490, 0x494), *range(0x2000, 0x2070)]
CHARACTERS += [*range(0x20A0, 0x20C1), *range(0x2190, 0x2194), *map(ord, "№™−≈≠≤≥")]
SHOWN = re.compile(
    r"""material-symbols[^<>]*>\s*([a-z0-9_]+)\s*<|icon["']?\s*[=:]\s*["']([a-z0-9_]+)"""
    r"""|_lead\(\s*_\([^)]*\),\s*"([a-z0-9_]+)"""
)
LIKELY = re.compile(r"""["'>\s]([a-z0-9_]{3,})(?=["'<\s])""")
FACE = """@font-face {{
    font-family: "{family}"; font-style: normal; font-weight: {weight}; font-display: {display};
    src: url("{file}") format("woff2");
}}
"""


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    style = FACE.format(family="Material Symbols Outlined", weight=400, display="block", file="icons.woff2")
    cut(ICONS, FOLDER / "icons.woff2", glyphs=find_icons(likely=True))
    for name, weight in WEIGHTS.items():
        file = f"inter-{name.lower()}.woff2"
        cut(FONTS / f"inter/Inter-{name}.woff2", FOLDER / file, unicodes=CHARACTERS)
        style += FACE.format(family="Inter", weight=weight, display="swap", file=file)
    (FOLDER / "fonts.css").write_text(style)
    for licence, of in (("inter", "inter"), ("material-symbols", "icons")):
        (FOLDER / f"LICENSE.{of}").write_text((FONTS / licence / "LICENSE").read_text())


def cut(source, target, *, glyphs=(), unicodes=()):
    """Write what of a font is asked for; icons are the ligatures of their names' letters."""
    options = subset.Options()
    options.flavor, options.layout_closure, options.glyph_names = "woff2", not glyphs, bool(glyphs)
    options.layout_features = ["*"] if glyphs else ["kern", "tnum", "calt", "ccmp", "mark"]
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    letters = [ord(letter) for letter in "abcdefghijklmnopqrstuvwxyz0123456789_"] if glyphs else []
    subsetter.populate(glyphs=glyphs, unicodes=[*unicodes, *letters])
    subsetter.subset(font)
    subset.save_font(font, str(target), options)
    sys.stdout.write(f"{target.name}: {target.stat().st_size // 1000} kB\n")


def find_icons(*, likely=False):
    """Names of icons that our pages show; `likely` ones besides, which templates may come to show."""
    known = set(TTFont(ICONS).getGlyphOrder())
    sources = [*(PROJECT / "templates").rglob("*.html"), *(PROJECT / "office").rglob("*.py")]
    found = {name for path in sources for match in SHOWN.findall(path.read_text()) for name in match}
    if likely:
        sources += [*(UNFOLD / "templates").rglob("*.html"), UNFOLD / "static/unfold/js/app.js"]
        found |= {name for path in sources for name in LIKELY.findall(path.read_text())}
    return found & known


def list_icons():
    """Those of the font that was cut."""
    return set(TTFont(FOLDER / "icons.woff2").getGlyphOrder())


if __name__ == "__main__":
    main()
