"""The service killed in the middle of groups: every request of them is posted once, and none is lost."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil
import pytest

from tests.faults.conftest import Place
from tests.faults.hammer import run_service_behind_proxy
from tests.servers import wait_for

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(300)]

CLIENTS, ACCOUNTS, KILLS = 24, 3, 4
REQUESTS = 150  # between two kills
PROGRESS_SECONDS_MAX = 60
SIZES = re.compile(r'^ledger_group_size_(sum|count)\{of="payments"\} (\S+)$', re.MULTILINE)


def count_who_came_second(place):
    """How many requests shared the commit of another one, as the metrics of the service tell."""
    _, text, _ = place.service.send("GET", "/metrics")
    sizes = {name: float(value) for name, value in SIZES.findall(text)}
    return sizes["sum"] - sizes["count"]


def kill_all_workers(place):
    """With signal 9."""
    with suppress(ValueError, AssertionError, psutil.Error):  # some have just ended
        for worker in place.service.find_workers():
            worker.kill()


def test_workers_killed_while_groups_are_posted_lose_and_double_nothing(tmp_path):
    with run_service_behind_proxy(tmp_path) as parts, ThreadPoolExecutor(CLIENTS) as pool:
        place = Place(*parts)
        accounts = [place.make_account() for _ in range(ACCOUNTS)]
        count = (KILLS + 1) * REQUESTS
        deposits = [pool.submit(place.deposit, accounts[n % ACCOUNTS]) for n in range(count)]

        def wait_for_progress(done):
            wait_for(lambda: sum(deposit.done() for deposit in deposits) >= done, PROGRESS_SECONDS_MAX)

        wait_for_progress(REQUESTS)
        assert count_who_came_second(place) > 0
        for number in range(KILLS):
            wait_for_progress((number + 1) * REQUESTS)
            kill_all_workers(place)
        for deposit in deposits:
            deposit.result()
        place.require_exactly_what_was_acknowledged()
