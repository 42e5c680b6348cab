"""What the roll's verdict sees; the roll itself is run by `.ci/image`."""

import pytest

from tests.deploy.clients import Clients
from tests.deploy.containers import read_documented_memory

ROWS = [("1", "a"), ("2", "a"), ("3", "b")]
ACCOUNTS = [("a", 2, 2), ("b", 1, 1), ("c", 0, 0)]


@pytest.fixture
def clients():
    """Three were sent and acknowledged; of a fourth nobody knows."""
    clients = Clients(None, "", [], 0)
    clients.acknowledged = dict(ROWS)
    clients.sent = {"1", "2", "3", "4"}
    return clients


@pytest.mark.parametrize(
    ("rows", "accounts", "seen"),
    [
        (ROWS, ACCOUNTS, ([], [], [], [])),
        ([*ROWS, ("4", "c")], [*ACCOUNTS[:2], ("c", 1, 1)], ([], [], [], [])),
        (ROWS[1:], [("a", 1, 1), ("b", 1, 1)], (["1"], [], [], [])),
        ([*ROWS, ("3", "b")], [("a", 2, 2), ("b", 2, 2)], ([], ["3"], [], [])),
        ([*ROWS, ("5", "b")], [("a", 2, 2), ("b", 2, 2)], ([], [], ["5"], [])),
        (ROWS, [("a", 3, 2), ("b", 1, 1)], ([], [], [], ["a"])),
        (ROWS, [("a", 2, 2), ("b", 1, 2)], ([], [], [], ["b"])),
    ],
    ids=["right", "unheard", "lost", "doubled", "strange", "a balance", "a version"],
)
def test_the_verdict_sees_what_is_lost_doubled_or_strange(clients, rows, accounts, seen):
    assert clients.compare(rows, accounts) == seen


def test_the_page_tells_the_memory_of_each_kind_of_pod():
    kinds = [(kind, when) for kind in ("web", "relay") for when in ("idle", "under load")]
    assert sorted(read_documented_memory()) == sorted(kinds)
