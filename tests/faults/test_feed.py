"""A short trial of the feed, with kills, and what its verdict sees: the same run with one thing changed."""

from copy import deepcopy

import pytest

from tests.faults.conftest import run_program
from tests.faults.feed_verdict import (
    DIFFERENT,
    DISORDER,
    GAPS,
    INVENTED,
    LOST,
    PAGE,
    REPEATED,
    judge,
    measure_lags,
    read_run,
)

pytestmark = [pytest.mark.serve, pytest.mark.timeout(300)]

EVENTS, KILLS, SEED = 1500, 8, 4
LAG_SECONDS_MAX = 5.0


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """Of three careful readers, some of them killed, and of a careless one."""
    folder = tmp_path_factory.mktemp("feed")
    counts = ["--events", str(EVENTS), "--kills", str(KILLS), "--seed", str(SEED)]
    ended = run_program("feed", folder, "--careless", *counts)
    assert "verdict" in ended.stdout, ended.stdout + ended.stderr
    assert ended.returncode == 1  # because of the careless one
    return read_run(folder)


@pytest.fixture
def run(whole_run):
    """Without the careless reader, and free to be damaged."""
    run = deepcopy(whole_run)
    del run.readers["careless-0"]
    return run


def test_nothing_is_lost_invented_or_out_of_order_while_readers_sequencers_and_writers_are_killed(run):
    assert judge(run) == []
    assert len(run.events) >= EVENTS
    assert len(run.rolled_back) > 0
    assert sum(len(lives) - 1 for lives in run.readers.values()) > 0
    assert measure_lags(run)[-1] < LAG_SECONDS_MAX


def test_a_reader_by_time_loses_what_commits_late(whole_run):
    charges = judge(whole_run)
    assert any(charge == LOST for charge, _ in charges)
    assert all(what.startswith("careless-0") for _, what in charges)


def find_life(run, name="reader-1"):
    """The longest of a reader, and a place in the middle of it."""
    life = max(run.readers[name], key=len)
    assert len(life) > 2 * PAGE
    return life, len(life) // 2


def find_two_of_a_stream(life, start):
    last = {}
    for number, told in enumerate(life[start:], start):
        if told.stream in last:
            return last[told.stream], number
        last[told.stream] = number
    raise AssertionError("No account has two events.")


def drop_a_page(run):
    life, middle = find_life(run)
    del life[middle - PAGE // 2 : middle + PAGE // 2]


def tell_of_what_is_not_there(run):
    last = run.readers["reader-1"][-1][-1]
    run.readers["reader-1"][-1].append(last._replace(id=f"{last.stream}.{10**6}"))


def swap_two_events_of_an_account(run):
    life, middle = find_life(run)
    first, second = find_two_of_a_stream(life, middle)
    life[first], life[second] = life[second], life[first]


def swap_two_events_of_different_accounts(run):
    life, middle = find_life(run)
    first = next(n for n in range(middle, len(life)) if life[n].stream != life[n + 1].stream)
    life[first], life[first + 1] = life[first + 1], life[first]


def change_a_sequence_number(run):
    life, middle = find_life(run)
    life[middle] = life[middle]._replace(sequence=life[middle].sequence + 10**6)


def begin_anew_two_pages_back(run):
    lives = run.readers["reader-1"]
    lives.append([told for life in lives for told in life][-2 * PAGE :])


def tell_a_page_twice_in_a_life(run):
    life, _ = find_life(run)
    life += life[-PAGE:]


def forget_an_event_of_a_commit(run):
    del run.events[500]


def give_a_place_to_nothing(run):
    run.places[500] = (run.places[500][0], f"{run.events[500].stream}.{10**6}")


def skip_a_position(run):
    run.places = [(position + (position > 500), id) for position, id in run.places]


def swap_two_places_of_an_account(run):
    life, middle = find_life(run)
    numbers = find_two_of_a_stream(life, middle)
    first, second = (run.places.index((life[n].position, life[n].id)) for n in numbers)
    (p, one), (q, other) = run.places[first], run.places[second]
    run.places[first], run.places[second] = (p, other), (q, one)


def leave_one_pending(run):
    run.pending = 1


def write_what_was_rolled_back(run):
    run.events[500] = run.events[500]._replace(about=next(iter(run.rolled_back)))


@pytest.mark.parametrize(
    ("damage", "charge", "words"),
    [
        (drop_a_page, LOST, "reader-1: event"),
        (tell_of_what_is_not_there, INVENTED, "reader-1: there is no event"),
        (swap_two_events_of_an_account, DISORDER, "reader-1"),
        (swap_two_events_of_different_accounts, DIFFERENT, "reader-1"),
        (change_a_sequence_number, DIFFERENT, "is not that of the ledger"),
        (begin_anew_two_pages_back, REPEATED, "were told again"),
        (tell_a_page_twice_in_a_life, REPEATED, "something twice"),
        (forget_an_event_of_a_commit, LOST, "was committed"),
        (forget_an_event_of_a_commit, GAPS, "the sequence numbers"),
        (forget_an_event_of_a_commit, INVENTED, "there is no event"),
        (give_a_place_to_nothing, LOST, "event"),
        (skip_a_position, GAPS, "the positions"),
        (swap_two_places_of_an_account, DISORDER, "the events of"),
        (leave_one_pending, LOST, "wait for a place"),
        (write_what_was_rolled_back, INVENTED, "was rolled back"),
    ],
)
def test_the_verdict_sees(run, damage, charge, words):
    damage(run)
    assert any(name == charge and words in what for name, what in judge(run)), judge(run)
