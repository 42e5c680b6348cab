"""What can become of a change in the database, and how it is decided what must."""

from enum import StrEnum
from typing import NamedTuple

REMOVED, ADDED = "removed", "added"  # of a row, beside the columns


class Outcome(StrEnum):
    """From the best to the worst. The last one is never meant: something is found, but not what it is."""

    REFUSED = "refused"
    FOUND = "found"
    ANCHOR = "only an anchor"
    UNSEEN = "not proven"
    UNNAMED = "found under other names"


class Entry(NamedTuple):
    """What becomes of a change as the service's role and of one as a superuser, and why."""

    service: Outcome
    superuser: Outcome
    reason: str = ""


def decide(*decisions: tuple[str, Outcome, Outcome, str]) -> dict[str, Entry]:
    """Of a table: by the columns, their names with spaces between them."""
    return {
        name: Entry(service, superuser, reason)
        for names, service, superuser, reason in decisions
        for name in names.split()
    }
