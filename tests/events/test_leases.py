"""A relay leases a subscription while it sends: who lost the lease moves nothing, and the cursor follows."""

import time
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from events import relay, subscriptions
from events.models import Subscription
from events.relay import Relay
from tests.cast import CALLER, deposit
from tests.events.conftest import deposit_times, fetch, relay_once, subscribe, take_seconds
from tests.receivers import answering, taking


def test_in_the_middle_of_a_batch_the_cursor_has_not_moved(hook, account, subscription):
    seen, running = [], Relay()
    deposit_times(account, 3)
    hook.behaviour = take_seconds(0.2)
    while running.step():
        seen.append((len(hook.requests), fetch(subscription).position))
    assert {position for sent, position in seen if sent < 3} == {2}
    assert seen[-1] == (3, 5)


def test_who_lost_the_lease_moves_no_cursor(hook, account, subscription):
    deposit_times(account, 3)
    running = Relay()
    running.step()
    subscriptions.replay(id=subscription.id, after=None, caller=CALLER)
    while running.sending:
        running.collect()
    assert fetch(subscription).position == 0
    relay_once()
    assert fetch(subscription).position == 5
    assert hook.positions[-5:] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "act",
    [
        subscriptions.resume,
        subscriptions.rotate_secret,
        partial(subscriptions.replay, after=None),
    ],
)
def test_a_failure_that_was_on_its_way_does_not_undo_what_people_did(hook, account, act, subscription):
    hook.behaviour = answering(500)
    deposit(account, "1")
    running = Relay()
    running.step()
    act(id=subscription.id, caller=CALLER)
    while running.sending:
        running.collect()
    after = fetch(subscription)
    assert (after.attempts, after.next_attempt_at, after.status) == (0, None, "ACTIVE")


def test_what_another_relay_is_sending_is_left_to_it_until_its_lease_is_over(hook, account, subscription):
    deposit(account, "1")
    first = Relay()
    first.claim = lambda: 0  # to hold a lease without sending
    Subscription.objects.filter(id=subscription.id).update(
        lease=first.lease, leased_until=timezone.now() + timedelta(seconds=60)
    )
    relay_once()
    assert hook.requests == []
    Subscription.objects.filter(id=subscription.id).update(leased_until=timezone.now() - timedelta(seconds=1))
    relay_once()
    assert hook.positions == [3]


def test_the_lease_is_renewed_while_the_receiver_takes_its_time(hook, account, settings):
    settings.RELAY_LEASE_SECONDS = 0.4
    subscription = subscribe(hook.url)
    hook.behaviour = take_seconds(1.5)
    deposit(account, "1")
    running, other = Relay(), Relay()
    while running.step():
        other.claim()
    assert hook.positions == [3]
    assert fetch(subscription).sent == 1


def test_told_to_stop_it_ends_after_the_event_that_is_being_sent_and_gives_its_lease_back(
    hook, account, subscription
):
    deposit_times(account, 5)
    running = Relay()

    def slow(handler):
        running.stop()
        time.sleep(0.5)
        handler.answer(204)

    hook.behaviour = slow
    running.run()
    after = fetch(subscription)
    assert (hook.positions, after.position, after.sent, after.lease) == ([3], 3, 1, None)
    hook.behaviour = taking
    relay_once()
    assert hook.positions == [3, 4, 5, 6, 7]


def test_a_slow_receivers_batch_ends_early_so_that_the_cursor_moves(hook, account, monkeypatch):
    monkeypatch.setattr(relay, "BATCH_SECONDS_MAX", 0)
    subscription = subscribe(hook.url)
    deposit_times(account, 3)
    running = Relay()
    for _ in range(20):
        running.step()
    assert fetch(subscription).position == 2  # nothing fits in no time at all; and nothing is lost
    monkeypatch.undo()
    running.run(once=True)
    assert hook.positions == [3, 4, 5]
