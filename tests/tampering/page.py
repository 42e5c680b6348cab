"""The table of docs/proof.md: what becomes of a change of each column, out of `declared`."""

from tests.servers import PROJECT
from tests.tampering.declared import DECLARED, OF_OTHERS
from tests.tampering.outcomes import ADDED, REMOVED, Entry, Outcome

PAGE = PROJECT / "docs/proof.md"
BEGIN = "<!-- Written by `python -m tests.tampering` out of tests/tampering/declared.py. -->\n"
END = "<!-- End of what is written. -->\n"
HEAD = "| table | columns | changed as the service's role | as a superuser | why |\n|---|---|---|---|---|\n"
ALLOWED = "allowed"  # to the service's role, and nobody finds it
ROWS = {REMOVED: "a row removed", ADDED: "a row put in"}


def write_page(page: str) -> str:
    """The page with the table of today in it."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, "The page has no place for the table."
    return f"{before}{BEGIN}{write_table()}{END}{after}"


def write_table() -> str:
    """What comes to the same stands in one line."""
    lines = []
    for table, entries in sorted(DECLARED.items()):
        alike: dict[Entry, list[str]] = {}
        for name, entry in entries.items():
            alike.setdefault(entry, []).append(ROWS.get(name) or f"`{name}`")
        for number, (entry, names) in enumerate(alike.items()):
            first = "" if number else f"`{table}`"
            lines.append((first, ", ".join(names), *_describe(entry), entry.reason))
    lines += [
        (f"`{table}`", "all", "not tried", Outcome.UNSEEN.value, reason)
        for table, reason in sorted(OF_OTHERS.items())
    ]
    return HEAD + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _describe(entry: Entry) -> tuple[str, str]:
    service = ALLOWED if entry.service is Outcome.UNSEEN else entry.service.value
    return service, entry.superuser.value
