import pytest

from tests.tampering import drill, hands
from tests.tampering.ledger import make_everything
from tests.transactions.conftest import small_steps  # noqa: F401, a fixture


@pytest.fixture
def everything(db, small_steps):  # noqa: F811
    """A ledger with everything in it, and an anchor of it. Nothing is wrong with it."""
    make_everything()
    hands.prepare()
    anchor = drill.make_anchor()
    assert {outcome: findings for outcome, findings in drill.find_wrong(anchor) if findings} == {}
    return anchor
