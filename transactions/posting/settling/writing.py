"""The arms of the writing statement for what follows of what was decided."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import orjson

from accounts.models import THRESHOLD_TABLE, Threshold
from ledger.values import write_ids
from transactions.posting.state import AccountState

# Of thresholds that were removed, and of those that were set or have changed: in this order, since an amount
# may be removed and set again in one commit.
WRITE_THRESHOLDS = f"""removed AS (
    DELETE FROM accounts_threshold WHERE id = ANY((SELECT %s::uuid[])::uuid[]) RETURNING id
), thresholds AS ({THRESHOLD_TABLE.insert}
    WHERE (SELECT count(*) FROM removed) >= 0
    ON CONFLICT (account_id, id) DO UPDATE
    SET below = excluded.below, since = excluded.since, event_sequence = excluded.event_sequence
)"""  # noqa: S608, of names, never of values
# Of their accounts, in the update of all accounts.
SET_NEAREST = ", nearest = CASE WHEN around.id IS NULL THEN account.nearest ELSE around.nearest END"
BESIDE_NEAREST = """
LEFT JOIN jsonb_to_recordset(%s::jsonb) AS around (id uuid, nearest numeric[]) ON around.id = new.id"""


def write_thresholds(changes: Mapping[UUID, Threshold | None]) -> list[str]:
    """The parameters of `WRITE_THRESHOLDS`."""
    there = [each for each in changes.values() if each]
    rows = [THRESHOLD_TABLE.to_row(each, orjson.dumps(each.to_dict())) for each in there]
    return [write_ids(id for id, each in changes.items() if each is None), "[" + ",".join(rows) + "]"]


def write_nearest(accounts: Iterable[AccountState]) -> str:
    """The parameter of `BESIDE_NEAREST`."""
    return orjson.dumps([{"id": each.id, "nearest": each.nearest} for each in accounts], default=str).decode()
