"""The Russian catalogue: what it must translate, and its compiled form. Run: make messages.

In Python alone, so that neither a fresh machine nor CI needs gettext. A new text comes into the file with an
empty translation; the tests fail until somebody has written it.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from tests.servers import PROJECT

SOURCES = ("accounts", "events", "ledger", "ledger_project", "office", "rest", "transactions", "templates")
PO = PROJECT / "locale/ru/LC_MESSAGES/django.po"
MO = PO.with_suffix(".mo")
HEADER = r"""# The back office in Russian. `make messages` adds what is new, sorted; people translate it.
msgid ""
msgstr ""
"POT-Creation-Date: 2026-11-26 00:00+0000\n"
"PO-Revision-Date: 2026-11-26 00:00+0000\n"
"Language: ru\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || "
"n%100>=20) ? 1 : 2);\n"

"""
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def find_messages():
    """Of all texts in the code and the templates."""
    found = Catalog()
    for folder in SOURCES:
        for path in sorted((PROJECT / folder).rglob("*")):
            if path.suffix in (".py", ".html", ".txt"):
                for id, context in read_messages(path):
                    found.add(id, context=context)
    return found


def read_messages(path: Path):
    """(text or texts, context) of one file; a template is turned into Python first, as Django does it."""
    text = path.read_text()
    if path.suffix != ".py":
        text = "\n".join(line.strip() for line in templatize(text, origin=str(path)).splitlines())
    for _line, id, _comments, context in extract("python", BytesIO(text.encode()), KEYWORDS):
        yield id, context


def read_catalogue():
    with PO.open("rb") as file:
        return read_po(file, locale="ru", charset="utf-8")


def compile_catalogue():
    """The bytes of the `.mo` that belongs to the `.po`."""
    compiled = BytesIO()
    write_mo(compiled, read_catalogue())
    return compiled.getvalue()


def is_translated(message):
    texts = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(texts) and not message.fuzzy


def main():
    catalogue = read_catalogue()
    catalogue.update(find_messages(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    body = BytesIO()
    write_po(body, catalogue, width=100, no_location=True, sort_output=True, omit_header=True)
    PO.write_text(HEADER + body.getvalue().decode().strip() + "\n")
    MO.write_bytes(compile_catalogue())
    missing = [message.id for message in catalogue if message.id and not is_translated(message)]
    sys.stdout.write(f"{len(catalogue)} messages, {len(missing)} without a translation\n")
    sys.stdout.writelines(f"  {id}\n" for id in missing)


if __name__ == "__main__":
    main()
