"""Short trials of the relay, with kills, and what their verdict sees: the same with one thing changed."""

import os
from copy import deepcopy

import pytest

from events import relay
from tests.faults.conftest import run_program
from tests.faults.relay_kills import BROKER_URL
from tests.faults.relay_verdict import (
    BACKWARDS,
    BATCH,
    DEADLOCKS,
    DISORDER,
    DOUBLE,
    INVENTED,
    LOST,
    MISSING,
    REPEATED,
    WRONG,
    judge,
    read_trials,
)

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(300)]

KILLS, STOPS = 2, 1  # at each of the four points
POINTS = 4


def kill_relays(folder, *arguments, broker_url=""):
    counts = ["--kills", str(KILLS), "--stops", str(STOPS)]
    ended = run_program("relay_kills", folder, *counts, *arguments, **{BROKER_URL: broker_url})
    assert "verdict" in ended.stdout, ended.stdout + ended.stderr
    return read_trials(folder), ended.stdout


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    return kill_relays(tmp_path_factory.mktemp("relays"))


@pytest.fixture
def trials(ended):
    """Free to be damaged."""
    return deepcopy(ended[0])


def test_a_relay_killed_at_any_point_loses_nothing_and_repeats_a_batch_at_most(trials):
    assert BATCH == relay.BATCH
    trial = trials["webhook-kills"]
    assert judge(trial) == []
    assert (trial.ends, trial.is_alone) == (KILLS * POINTS, True)
    assert trial.count_repeats() > 0


def test_the_same_of_a_broker(tmp_path, request):
    url = os.environ.get(BROKER_URL) or request.getfixturevalue("broker").url
    trials, _ = kill_relays(tmp_path, "--only", "broker", broker_url=url)
    trial = trials["broker-kills"]
    assert judge(trial) == []
    assert (trial.ends, trial.is_alone) == (KILLS * POINTS, True)
    assert trial.count_repeats() > 0


def test_without_a_broker_the_program_says_so(ended):
    assert "Without a broker" in ended[1]


def test_two_relays_double_nothing_and_when_one_is_killed_the_other_goes_on(trials):
    served = [trials[name] for name in ("fast-1", "fast-2", "slow")]
    for trial in served:
        assert judge(trial) == []
        assert trial.quiet > 0
    assert max(trial.count_relays() for trial in served) == 2


def test_a_relay_that_wakes_up_after_its_lease_moves_nothing_back(trials):
    trial = trials["stops"]
    assert judge(trial) == []
    assert trial.count_relays() >= POINTS


def lose_one(trial):
    once = next(arrival for arrival in trial.arrivals if trial.arrivals.count(arrival) == 1)
    trial.arrivals.remove(once)


def invent_one(trial):
    trial.arrivals.append(trial.arrivals[-1]._replace(id=10**6))


def swap_two(trial):
    trial.arrivals[:2] = reversed(trial.arrivals[:2])


def jump_within_a_repeat(trial):
    trial.is_alone = True
    trial.arrivals += [trial.events[0], trial.events[5]]


def repeat_before_the_kill(trial):
    trial.arrivals.insert(5, trial.arrivals[3])


def repeat_more_than_a_batch(trial):
    trial.arrivals += trial.events[: BATCH + 1]


def repeat_more_than_a_batch_after_one_of_many_kills(trial):
    trial.is_alone, trial.ends = True, 50
    trial.arrivals += trial.events[: BATCH + 1]


def go_back_without_a_kill(trial):
    trial.is_alone, trial.ends = True, 0
    trial.arrivals.append(trial.arrivals[-1])


def move_the_cursor_back(trial):
    before, after, lease = trial.moves[-1]
    trial.moves += [(after, before, lease), (before, after, lease)]


def leave_the_cursor_behind(trial):
    trial.moves.pop()


def have_an_effect_twice(trial):
    trial.effects.append(trial.effects[3])


def have_an_effect_never(trial):
    trial.effects.pop(3)


def add_a_cent(trial):
    trial.totals[next(iter(trial.totals))] += "1"


def have_a_deadlock(trial):
    trial.deadlocks = 1


@pytest.mark.parametrize(
    ("damage", "charge", "words"),
    [
        (lose_one, LOST, "was never told"),
        (invent_one, INVENTED, "is not in the feed"),
        (swap_two, DISORDER, "was due"),
        (jump_within_a_repeat, DISORDER, "was told after"),
        (repeat_before_the_kill, REPEATED, "before anything was killed"),
        (repeat_more_than_a_batch, REPEATED, "after 1 kills"),
        (repeat_more_than_a_batch_after_one_of_many_kills, REPEATED, "after one kill"),
        (go_back_without_a_kill, REPEATED, "went back"),
        (move_the_cursor_back, BACKWARDS, "from"),
        (leave_the_cursor_behind, LOST, "did not come to the end"),
        (have_an_effect_twice, DOUBLE, "2 times"),
        (have_an_effect_never, MISSING, "had no effect"),
        (add_a_cent, WRONG, "comes to"),
        (have_a_deadlock, DEADLOCKS, "1"),
    ],
)
def test_the_verdict_sees(trials, damage, charge, words):
    trial = trials["fast-1"]
    damage(trial)
    assert any(name == charge and words in what for name, what in judge(trial)), judge(trial)
