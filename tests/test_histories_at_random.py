"""Histories at random: whatever is asked, engine and HTTP answer as the reference ledger does.

`LEDGER_EXAMPLES` makes more of them (`make soak` does).
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test as run_at_random

from tests.histories.clock import moving_clock
from tests.histories.reading import Reading
from tests.histories.selling import Selling
from tests.histories.spending import Spending
from tests.histories.verdict import Verdict
from tests.histories.watching import Watching
from tests.transactions.conftest import require_clean

pytestmark = pytest.mark.drill

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "30"))
STEPS = 40


class Histories(Selling, Spending, Watching, Reading, Verdict):
    pass


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(0)
def test_engine_and_api_answer_as_the_reference_ledger_does():
    with moving_clock():
        run_at_random(
            Histories,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
    require_clean()
