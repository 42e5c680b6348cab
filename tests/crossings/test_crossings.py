"""Histories by chance, each judged from its events: one event for every crossing, none missing, none extra.

`python -m tests.crossings` runs many more of them, and kills some in the middle.
"""

from copy import deepcopy

import pytest

from tests.cast import new_id
from tests.crossings.history import History
from tests.crossings.oracle import FELL, ROSE, Oracle, Units
from tests.transactions.conftest import require_clean

HISTORIES = 6


def judge(events, account):
    return list(Oracle().judge(Units(events).split(account)))


@pytest.mark.django_db(transaction=True)
def test_every_crossing_is_told_once_whatever_happens():
    crossings = 0
    for seed in range(HISTORIES):
        history = History(seed, str(new_id()))
        history.run()
        events = history.read_events()
        units = Units(events)
        for account in events:
            oracle = Oracle()
            assert list(oracle.judge(units.split(account))) == [], seed
            crossings += oracle.crossings
    assert crossings > 10 * HISTORIES
    require_clean()


@pytest.mark.django_db(transaction=True)
def test_the_oracle_sees_what_is_missing_doubled_moved_or_told_otherwise():
    """Or it would find nothing wrong, whatever is told."""
    history = History(1, str(new_id()))
    history.run()
    told = history.read_events()
    for account, events in told.items():
        assert judge(told, account) == []
        places = [number for number, event in enumerate(events) if event["type"] in (FELL, ROSE)]
        for place in places[:5]:
            crossing = events[place]
            other = {**crossing, "type": ROSE if crossing["type"] == FELL else FELL}
            figures = deepcopy(crossing)
            figures["data"]["available"] = "12345.67"
            elsewhere = {**crossing, "request_id": "another"}
            rest = [*events[:place], *events[place + 1 :]]
            for wrong in (
                rest,
                [*events[: place + 1], crossing, *events[place + 1 :]],
                [*rest[: place - 1], crossing, *rest[place - 1 :]],
                *([*events[:place], each, *events[place + 1 :]] for each in (other, figures, elsewhere)),
            ):
                assert judge({**told, account: wrong}, account), crossing
