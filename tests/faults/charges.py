"""What a ledger can be charged with."""

from tests.faults.replies import UNEXPECTED

LOST, DOUBLED, WRONG, GHOSTS = "lost", "doubled", "wrong", "ghosts"
NEGATIVE, DRIFT, UNRESOLVED = "negative moments", "drift", "unresolved"
TORN = "torn"  # a transfer or an atomic batch of which only a part is there
LEAKED = "money from nowhere"
AUDIT = "audit"  # what the ledger's own audit finds
HELD = "held"  # what is set aside is not what the holds say
OWED = "owed"  # what an account owes is not what its claims say, or was not taken though it was there
CROSSINGS = "crossings"  # one that was not told, told twice, or told though there was none
OF_MONEY = (LOST, DOUBLED, WRONG, GHOSTS, TORN, LEAKED, HELD, OWED, CROSSINGS, NEGATIVE, DRIFT)
CHARGES = (*OF_MONEY, AUDIT, UNRESOLVED, UNEXPECTED)

Charge = tuple[str, str]
