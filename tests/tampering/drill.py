"""What becomes of a change: it is refused; or the audit names the row; or only an anchor does; or nobody."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

from django.db import DatabaseError

from tests.database import execute
from tests.tampering import changes, hands
from tests.tampering.changes import Row
from tests.tampering.columns import Table
from tests.tampering.hands import Hands
from tests.tampering.outcomes import Outcome
from transactions.proof import anchors, audit

# They are looked at in a test of their own: no change of a row is one of them.
CHECKS = frozenset(audit.CHECKS) - {"guards"}
# By these columns a row is named, or what it belongs to.
NAMES = ("id", "account_id", "user_id", "maker_id", "stream", "owner", "position", "part", "token_key")
# Other names of a row: of whom a personal text is told, and the entries of the record in its stream.
ALSO = {
    "events_text": """
SELECT concat(stream, '.', sequence), stream::text FROM events_event WHERE text::text = %(id)s
UNION ALL SELECT id::text, stream::text FROM events_recordentry WHERE text::text = %(id)s""",
    "events_recordentry": "SELECT id::text FROM events_recordentry WHERE stream::text = %(stream)s",
}
WORST = list(Outcome).index
Anchor = list[dict[str, Any]]


def make_anchor() -> Anchor:
    """The lines of an anchor of the ledger as it is."""
    file = StringIO()
    anchors.write(file)
    file.seek(0)
    return list(anchors.read(file, [anchors.get_public_key()]))


def find_wrong(anchor: Anchor) -> Iterator[tuple[Outcome, list[audit.Finding]]]:
    """What the audit finds, then what the anchor does."""
    result, _ = audit.run(audit.Scope(checks=CHECKS))
    yield Outcome.FOUND, result.findings
    yield Outcome.ANCHOR, list(anchors.verify(anchor))


def drill(table: Table, what: str, who: Hands, anchor: Anchor) -> Outcome:
    """The worst that comes of the change, done to a row of each kind."""
    outcomes = [
        attempt(who, table.name, each.statement, anchor, each.row) for each in changes.find_tries(table, what)
    ]
    return max(outcomes, key=WORST, default=Outcome.REFUSED)


def attempt(who: Hands, table: str, statement: str, anchor: Anchor, row: Row | None = None) -> Outcome:
    """Do it, look, and take it back. The statement returns the row as it has become."""
    with hands.taken_back():
        try:
            changed = hands.change(who, table, statement)
        except DatabaseError:
            return Outcome.REFUSED
        if not changed:
            return Outcome.REFUSED
        names = list_names(table, *[row] if row else [], *changed)
        for outcome, findings in find_wrong(anchor):
            if findings:
                return outcome if any(is_named(finding, names) for finding in findings) else Outcome.UNNAMED
        return Outcome.UNSEEN


def list_names(table: str, *rows: Row) -> set[str]:
    """What a finding may call a row: itself, or what it belongs to."""
    names = {str(row[name]) for row in rows for name in NAMES if row.get(name) is not None}
    if table in ALSO:
        for row in rows:
            found = execute(ALSO[table], id=row.get("id"), stream=row.get("stream"))
            names |= {name for also in found for name in also}
    return names


def is_named(finding: audit.Finding, names: set[str]) -> bool:
    """An event is named by its stream and its number."""
    return bool({finding.row, finding.row.partition(".")[0], finding.account} & names)
