"""What a ledger can be charged with."""

from tests.faults.replies import UNEXPECTED

LOST, DOUBLED, WRONG, GHOSTS = "lost", "doubled", "wrong", "ghosts"
NEGATIVE, DRIFT, UNRESOLVED = "negative moments", "drift", "unresolved"
TORN = "torn"  # a transfer or an atomic batch of which only a part is there
LEAKED = "money from nowhere"
AUDIT = "audit"  # what the ledger's own audit finds
HELD = "held"  # what is set aside is not what the holds say
CHARGES = (LOST, DOUBLED, WRONG, GHOSTS, TORN, LEAKED, HELD, NEGATIVE, DRIFT, AUDIT, UNRESOLVED, UNEXPECTED)

Charge = tuple[str, str]
