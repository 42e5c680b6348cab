"""The relay: in order, at least once, patient with who fails, and held up by nobody."""

import time
from datetime import timedelta

import pytest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import operations
from accounts.models import Hold
from events import attempts, errors, feed, relay, subscriptions
from events.models import Event, FeedState, Placement, Subscription
from events.relay import WEBHOOK_DELAYS, Relay
from ledger_project.management.commands import relay_events
from tests.cast import CALLER, AccountFactory, deposit, hold_that_expires, withdraw
from tests.events.conftest import deposit_times, fetch, relay_once, subscribe
from tests.receivers import answering, receiver, silent, taking


def make_due(subscription):
    Subscription.objects.filter(id=subscription.id).update(next_attempt_at=timezone.now() - timedelta(days=2))


def test_everything_after_the_subscription_is_sent_once_in_order(hook, account):
    deposit(account, "1")
    subscription = subscribe(hook.url)
    deposit_times(account, relay.BATCH + 20)
    relay_once()
    relay_once()
    assert hook.positions == list(range(4, 4 + relay.BATCH + 20))
    after = fetch(subscription)
    assert (after.position, after.sent, after.failed, after.lag_events) == (3 + relay.BATCH + 20, 120, 0, 0)
    assert (after.lease, after.last_error) == (None, None)


def test_only_the_types_it_asked_for_are_sent_and_its_cursor_passes_the_others(hook, account):
    subscription = subscribe(hook.url, types=["transaction.declined"])
    deposit(account, "1")
    withdraw(account, "9")
    deposit(account, "1")
    relay_once()
    assert [event["type"] for event in hook.events] == ["transaction.declined"]
    assert fetch(subscription).lag_events == 0


def test_of_an_account_its_events_alone_are_sent(hook, account):
    other = AccountFactory()
    subscription = subscribe(hook.url, account=account.id)
    for each in (other, account, other):
        deposit(each, "1")
    operations.change_user(id=account.user_id, changes={"name": "Ana"}, caller=CALLER)
    relay_once()
    assert [event["stream"] for event in hook.events] == [str(account.id)]
    assert fetch(subscription).lag_events == 0
    assert [each.position for each in attempts.read(subscription)] == hook.positions


def test_of_a_user_their_own_events_and_those_of_all_their_accounts_are_sent(hook, account):
    other = AccountFactory()
    subscription = subscribe(hook.url, user=account.user_id)
    deposit(other, "1")
    second, _ = operations.create_account(
        user_id=account.user_id, name="second", currency="USD", caller=CALLER
    )
    for each in (other, account, second):
        deposit(each, "1")
    operations.change_user(id=account.user_id, changes={"name": "Ana"}, caller=CALLER)
    operations.change_user(id=other.user_id, changes={"name": "Bob"}, caller=CALLER)
    relay_once()
    assert [(event["type"], event["stream"]) for event in hook.events] == [
        ("account.opened", str(second.id)),
        ("transaction.posted", str(account.id)),
        ("transaction.posted", str(second.id)),
        ("user.changed", str(account.user_id)),
    ]
    assert fetch(subscription).lag_events == 0


def test_account_and_types_narrow_it_together_and_no_event_is_sent_twice(hook, account):
    subscribe(hook.url, account=account.id, types=["transaction.declined"])
    for _ in range(3):
        withdraw(account, "9")
        deposit(account, "1")
        withdraw(AccountFactory(), "9")
        relay_once()
    declined = Event.objects.filter(stream=account.id, type="transaction.declined").order_by("sequence")
    assert [event["id"] for event in hook.events] == [event.id for event in declined]


def test_an_account_costs_a_claim_no_question_and_a_user_one(hook, account):
    whose = [{}, {"account": account.id}, {"user": account.user_id}]
    made = [subscribe(f"{hook.url}/{number}", **each) for number, each in enumerate(whose)]
    deposit(account, "1")
    feed.place_pending()
    asked = []
    for subscription in made:
        Subscription.objects.update(status="PAUSED")
        Subscription.objects.filter(id=subscription.id).update(status="ACTIVE")
        running = Relay()
        with CaptureQueriesContext(relay.connection) as captured:
            assert running.claim() == 1
        asked.append(len(captured))
        while running.sending:
            running.collect()
    assert hook.positions == [3, 3, 3]
    assert asked == [asked[0], asked[0], asked[0] + 1]


def test_what_fails_is_tried_again_later_and_nothing_overtakes_it(hook, account, subscription):
    hook.behaviour = answering(500)
    deposit_times(account, 3)
    relay_once()
    relay_once()
    assert hook.positions == [3]
    waiting = fetch(subscription)
    assert (waiting.attempts, waiting.failed, waiting.lag_events) == (1, 1, 3)
    assert waiting.last_error == "The receiver answered 500."
    hook.behaviour = taking
    make_due(subscription)
    relay_once()
    assert hook.positions == [3, 3, 4, 5]
    done = fetch(subscription)
    assert (done.attempts, done.next_attempt_at, done.status) == (0, None, "ACTIVE")


def test_the_ten_attempts_of_the_standard_and_then_it_is_disabled(hook, account, subscription):
    hook.behaviour = answering(503)
    deposit(account, "1")
    for delay in WEBHOOK_DELAYS:
        relay_once()
        waiting = fetch(subscription)
        assert waiting.status == "ACTIVE"
        seconds = (waiting.next_attempt_at - waiting.last_error_at).total_seconds()
        assert delay - 1 < seconds < delay * 1.11
        make_due(subscription)
    relay_once()
    assert len(hook.requests) == 10
    assert fetch(subscription).status == "DISABLED"
    relay_once()
    assert len(hook.requests) == 10
    subscriptions.resume(id=subscription.id, caller=CALLER)
    hook.behaviour = taking
    relay_once()
    assert hook.positions == [3] * 11


def test_retry_after_is_honoured(hook, account, subscription):
    hook.behaviour = answering(429, Retry_After="3600")
    deposit(account, "1")
    relay_once()
    waiting = fetch(subscription)
    assert 3595 < (waiting.next_attempt_at - waiting.last_error_at).total_seconds() <= 3601


def test_gone_disables_at_once(hook, account, subscription):
    hook.behaviour = answering(410)
    deposit(account, "1")
    relay_once()
    assert (fetch(subscription).status, len(hook.requests)) == ("DISABLED", 1)


def test_attempts_count_for_one_event_only(hook, account, subscription):
    taken = iter([500, 204, 500])
    hook.behaviour = lambda handler: handler.answer(next(taken))
    deposit(account, "1")
    deposit(account, "1")
    relay_once()
    make_due(subscription)
    relay_once()
    after = fetch(subscription)
    assert (after.attempts, after.failed, after.sent) == (1, 2, 1)
    assert hook.positions == [3, 3, 4]


def test_who_does_not_answer_holds_up_nobody_else(hook, account):
    with receiver(silent) as dead:
        blocked = [subscribe(f"{dead.url}/{number}") for number in range(20)]
        subscribe(hook.url)
        deposit_times(account, 10)
        running = Relay()
        started = time.monotonic()
        while len(hook.requests) < 10:
            running.step()
            assert time.monotonic() - started < 10
        running.collect()
        assert {subscription.url for subscription in running.sending.values()} >= {
            each.url for each in blocked
        }


def test_paused_nothing_is_sent_and_resumed_all_of_it(hook, account, subscription):
    subscriptions.pause(id=subscription.id, caller=CALLER)
    deposit(account, "1")
    relay_once()
    assert hook.requests == []
    assert fetch(subscription).lag_events == 1
    subscriptions.resume(id=subscription.id, caller=CALLER)
    relay_once()
    assert hook.positions == [3]


def test_a_replay_sends_again(hook, account, subscription):
    deposit(account, "1")
    relay_once()
    subscriptions.replay(id=subscription.id, after=None, caller=CALLER)
    relay_once()
    assert hook.positions == [3, 1, 2, 3]


def test_a_fault_of_ours_is_kept_to_its_subscription(hook, account, monkeypatch):
    with receiver() as other:
        broken, whole = subscribe(hook.url), subscribe(other.url)
        deposit(account, "1")

        def open_channel(subscription, real=relay.open_channel):
            return 1 / 0 if subscription.id == broken.id else real(subscription)

        monkeypatch.setattr(relay, "open_channel", open_channel)
        relay_once()
        assert other.positions == [3]
        assert (fetch(broken).attempts, fetch(whole).attempts) == (1, 0)
        assert "ZeroDivisionError" in fetch(broken).last_error


def test_an_idle_relay_asks_one_question_a_round(hook, account, django_assert_num_queries):
    subscribe(hook.url)
    deposit(account, "1")
    relay_once()
    idle = Relay()
    idle.step()  # says that it works, which it does every ten seconds
    with django_assert_num_queries(1):
        assert not idle.step()


def test_what_is_posted_within_a_moment_is_placed_together(account, monkeypatch):
    monkeypatch.setattr(relay, "PAUSE_SECONDS", 3600)
    running = Relay()
    deposit(account, "1")
    assert running.step()
    placed = Placement.objects.count()
    for _ in range(3):
        deposit(account, "1")
        assert running.step()  # there is something to do, but not yet
    assert Placement.objects.count() == placed
    running.place_at = time.monotonic()
    assert running.step()
    assert Placement.objects.count() == placed + 3
    assert not running.step()


def test_without_subscriptions_events_get_their_places_all_the_same(account):
    deposit(account, "1")
    relay_once()
    assert Placement.objects.count() == 3


def test_in_another_database_nothing_is_sent(hook, account):
    subscribe(hook.url)
    deposit(account, "1")
    FeedState.objects.update(system_identifier=7)
    with pytest.raises(errors.FeedStopped):
        relay_once()
    assert hook.requests == []


def test_a_subscription_whose_events_are_gone_is_disabled(hook, account, subscription):
    deposit(account, "1")
    relay_once()
    Subscription.objects.filter(id=subscription.id).update(position=0, status="DISABLED")
    with relay.connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events_feed_state DISABLE TRIGGER feed_goes_forward")
        cursor.execute("UPDATE events_feed_state SET pruned_through = 2")
        cursor.execute("ALTER TABLE events_feed_state ENABLE ALWAYS TRIGGER feed_goes_forward")
    Subscription.objects.filter(id=subscription.id).update(status="ACTIVE")
    relay_once()
    after = fetch(subscription)
    assert (after.status, after.last_error) == ("DISABLED", "Events after this cursor are not kept any more.")


def test_the_command_ends_due_holds_too(capsys):
    from django.core.management import call_command

    account = AccountFactory()
    deposit(account, "5")
    placed = hold_that_expires(account, "3")
    call_command("relay_events", "--once")
    assert Hold.objects.get(id=placed.id).status == "EXPIRED"
    assert Placement.objects.latest("position").event.type in ("hold.placed", "hold.expired")
    assert relay_events.Command.help
