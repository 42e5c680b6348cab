"""Hearing by asking: read the feed from a cursor, wait for more, keep the cursor."""

from examples.ad_engine.engine import Engine
from examples.ad_engine.ledger import PAGE, Refused

WAIT_SECONDS = 10
HISTORY_HAS_CHANGED = ("feed_epoch_changed", "cursor_ahead_of_feed")


def listen(engine: Engine) -> None:
    """For ever. Raises `LedgerAway` and `Refused`."""
    while True:
        read_on(engine, wait=WAIT_SECONDS)


def read_on(engine: Engine, *, wait: int = 0) -> bool:
    """A page of the feed from where the engine is; whether there is more.

    The cursor is kept after the events: a killed engine hears some again, and knows them by their sequence.
    """
    try:
        page = engine.ledger.get("/events", after=engine.recall("cursor"), limit=PAGE, wait=wait)
    except Refused as refused:
        if refused.code not in HISTORY_HAS_CHANGED:
            raise
        engine.begin_again(engine.ledger.read_epoch())  # and without a cursor, from the oldest event kept
        return True
    for event in page["events"]:
        engine.hear(event)
    engine.remember(cursor=page["cursor"])
    return bool(page["has_more"])
