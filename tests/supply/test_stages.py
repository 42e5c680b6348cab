"""A stage of CI says how long it took, and fails when that was longer than it may."""

import os
import re
import subprocess

import pytest

from tests.servers import PROJECT


def run_stages(script, **environment):
    """Run bash as CI runs, with its stages; `SECONDS` is bash's own clock, which a stage can put forward."""
    command = ["bash", "-c", f"set -euo pipefail\nsource {PROJECT}/.ci/stage.sh\n{script}"]
    clean = {name: value for name, value in os.environ.items() if name != "LEDGER_NO_BUDGET"}
    return subprocess.run(command, capture_output=True, text=True, env={**clean, **environment})


def test_stages_run_in_order_and_a_table_tells_what_each_used():
    outcome = run_stages("stage first 5 eval SECONDS=150\nstage 'second one' 3 echo done")
    assert outcome.returncode == 0
    *_, heading, first, second = outcome.stdout.splitlines()
    assert heading.split() == ["stage", "min", "used", "budget"]
    assert first.split() == ["first", "2.5", "5"]
    assert second.split() == ["second", "one", "0.0", "3"]


def test_a_stage_over_its_budget_fails_and_nothing_follows():
    outcome = run_stages("stage slow 2 eval SECONDS=200\nstage next 1 echo reached")
    assert outcome.returncode == 1
    assert outcome.stderr == "slow took 3.3 minutes, and has 2.\n"
    assert "reached" not in outcome.stdout
    assert outcome.stdout.splitlines()[-1].split() == ["slow", "3.3", "2"]


def test_a_developers_slow_machine_only_says_so():
    outcome = run_stages("stage slow 2 eval SECONDS=200\nstage next 1 echo reached", LEDGER_NO_BUDGET="1")
    assert outcome.returncode == 0
    assert outcome.stderr == "slow took 3.3 minutes, and has 2.\n"
    assert "reached" in outcome.stdout


@pytest.mark.parametrize("script", ["stage bad 5 false", "bad() { false; true; }\nstage bad 5 bad"])
def test_a_stage_that_fails_ends_the_run(script):
    outcome = run_stages(f"{script}\nstage next 1 echo reached")
    assert outcome.returncode == 1
    assert "reached" not in outcome.stdout


def test_all_budgets_together_leave_five_minutes_of_ninety():
    script = (PROJECT / ".ci" / "run").read_text()
    budgets = [int(minutes) for minutes in re.findall(r'stage "[^"]+" (\d+) ', script)]
    assert len(budgets) == script.count("stage ") - script.count("a stage ")
    assert sum(budgets) <= 85
