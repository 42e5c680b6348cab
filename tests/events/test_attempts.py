"""What came of sending: since when a subscription fails, the newest attempts, and what people do about it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from events import attempts, deliveries, feed, subscriptions
from events.delivery import send_test
from events.models import Attempt, Event, Health, RecordEntry, Subscription
from events.models.subscriptions import mask_url
from events.relay import Relay
from tests.cast import CALLER, deposit
from tests.events.conftest import deposit_times, fetch, relay_once, subscribe
from tests.events.test_relay import make_due
from tests.receivers import answering, taking
from tests.service import find_free_port


def tell(subscription):
    return [(each.position, each.status_code, each.error) for each in attempts.read(subscription)]


def test_a_webhook_is_failing_from_its_first_failure_until_something_is_taken(hook, account, subscription):
    assert fetch(subscription).health == Health.ACTIVE
    hook.behaviour = answering(500)
    deposit(account, "1")
    relay_once()
    first = fetch(subscription)
    assert (first.health, first.failing_since) == (Health.FAILING, first.last_error_at)
    make_due(subscription)
    relay_once()
    again = fetch(subscription)
    assert (again.health, again.attempts, again.failing_since) == (Health.FAILING, 2, first.failing_since)
    assert again.last_error_at > first.last_error_at
    hook.behaviour = taking
    make_due(subscription)
    relay_once()
    mended = fetch(subscription)
    assert (mended.health, mended.failing_since) == (Health.ACTIVE, None)
    assert mended.last_error_at < mended.last_sent_at


def test_what_is_resumed_is_failing_until_something_is_taken(hook, account, subscription):
    hook.behaviour = answering(410)
    deposit(account, "1")
    relay_once()
    disabled = fetch(subscription)
    assert disabled.health == Health.DISABLED
    subscriptions.resume(id=subscription.id, caller=CALLER)
    resumed = fetch(subscription)
    assert (resumed.health, resumed.attempts) == (Health.FAILING, 0)
    assert resumed.failing_since == disabled.failing_since
    hook.behaviour = taking
    relay_once()
    assert fetch(subscription).health == Health.ACTIVE


def test_a_batch_that_ends_with_a_failure_is_failing_since_then(hook, account, subscription):
    taken = iter([500, 204, 500])
    hook.behaviour = lambda handler: handler.answer(next(taken))
    deposit_times(account, 2)
    relay_once()
    first = fetch(subscription).failing_since
    make_due(subscription)
    relay_once()
    assert fetch(subscription).failing_since > first
    assert tell(subscription) == [
        (4, 500, "The receiver answered 500."),
        (3, 204, None),
        (3, 500, "The receiver answered 500."),
    ]


def test_paused_is_paused_and_what_nobody_sends_is_behind(hook, account, subscription):
    deposit(account, "1")
    feed.place_pending()
    waiting = fetch(subscription)
    assert waiting.health == Health.ACTIVE
    waiting.clock += timedelta(seconds=61)
    assert waiting.health == Health.BEHIND
    Subscription.objects.filter(id=subscription.id).update(status="PAUSED", failing_since=timezone.now())
    assert fetch(subscription).health == Health.PAUSED


def test_each_attempt_is_noted_with_its_answer_and_how_long_it_took(hook, account, subscription):
    hook.behaviour = answering(503)
    deposit(account, "1")
    before = timezone.now()
    relay_once()
    [failed] = attempts.read(subscription)
    assert (failed.position, failed.status_code, failed.error) == (3, 503, "The receiver answered 503.")
    assert before <= failed.began_at <= timezone.now()
    assert 0 <= failed.milliseconds <= (timezone.now() - before) / timedelta(milliseconds=1)


def test_nobody_there_is_an_attempt_without_an_answer(loopback, account):
    subscription = subscribe(f"http://127.0.0.1:{find_free_port()}/hook")
    deposit(account, "1")
    relay_once()
    [attempt] = attempts.read(subscription)
    assert (attempt.position, attempt.status_code) == (3, None)
    assert "ConnectError" in attempt.error


def test_of_many_the_newest_are_kept_and_failures_longer_than_successes(hook, account, subscription):
    hook.behaviour = answering(500)
    deposit(account, "1")
    relay_once()
    hook.behaviour = taking
    make_due(subscription)
    for _ in range(3):
        deposit_times(account, attempts.KEPT)
        relay_once()
    told = tell(subscription)
    last = fetch(subscription).position
    assert [position for position, _, error in told if error is None] == list(
        range(last, last - attempts.KEPT, -1)
    )
    assert told[-1] == (3, 500, "The receiver answered 500.")
    assert Attempt.objects.count() <= 2 * attempts.KEPT + 1


def test_attempts_of_one_push_out_none_of_another(hook, account):
    one = subscribe(f"{hook.url}/one")
    deposit(account, "1")
    relay_once()
    subscriptions.pause(id=one.id, caller=CALLER)
    other = subscribe(f"{hook.url}/other")
    for _ in range(2):
        deposit_times(account, attempts.KEPT)
        relay_once()
    assert len(attempts.read(one)) == 1
    assert len(attempts.read(other)) == attempts.KEPT


def test_who_lost_the_lease_notes_what_it_sent_all_the_same(hook, account, subscription):
    deposit(account, "1")
    running = Relay()
    running.step()
    subscriptions.replay(id=subscription.id, after=None, caller=CALLER)
    while running.sending:
        running.collect()
    assert tell(subscription) == [(3, 204, None)]


def test_of_a_subscription_that_is_deleted_meanwhile_nothing_is_noted(hook, account, subscription):
    deposit(account, "1")
    relay_once()
    deposit(account, "1")
    running = Relay()
    running.step()
    subscriptions.delete(id=subscription.id, caller=CALLER)
    while running.sending:
        running.collect()
    assert Attempt.objects.count() == 0


def test_when_an_event_was_delivered_is_told_while_it_is_known(hook, account, subscription):
    deposit(account, "1")
    relay_once()
    [event] = Event.objects.filter(stream=account.id, type="transaction.posted")
    [delivery] = deliveries.trace([event])[0].deliveries
    [attempt] = attempts.read(subscription)
    assert delivery.state == "SENT"
    assert delivery.delivered_at == attempt.began_at + timedelta(milliseconds=attempt.milliseconds)
    Attempt.objects.all().delete()
    [delivery] = deliveries.trace([event])[0].deliveries
    assert (delivery.state, delivery.delivered_at) == ("SENT", None)


def test_what_was_sent_again_to_a_later_subscription_is_sent(hook, account):
    deposit(account, "1")
    feed.place_pending()
    subscription = subscribe(hook.url)
    event = Event.objects.get(stream=account.id, type="transaction.posted")
    assert deliveries.trace([event])[0].deliveries[0].state == "EARLIER"
    subscriptions.replay(id=subscription.id, after=None, caller=CALLER)
    relay_once()
    assert deliveries.trace([event])[0].deliveries[0].state == "SENT"


def test_try_now_tries_at_once_what_failed_and_skips_nothing(hook, account, subscription):
    hook.behaviour = answering(500)
    deposit_times(account, 2)
    relay_once()
    hook.behaviour = taking
    relay_once()
    assert hook.positions == [3]
    tried = subscriptions.try_now(id=subscription.id, caller=CALLER, reason="they have mended it")
    assert (tried.position, tried.attempts, tried.status) == (2, 1, "ACTIVE")
    relay_once()
    assert hook.positions == [3, 3, 4]
    assert RecordEntry.objects.filter(type="subscription.tried_now", subject_id=tried.id).count() == 1


def test_a_try_that_fails_again_counts(hook, account, subscription):
    hook.behaviour = answering(500)
    deposit(account, "1")
    relay_once()
    subscriptions.try_now(id=subscription.id, caller=CALLER)
    relay_once()
    assert fetch(subscription).attempts == 2
    assert fetch(subscription).next_attempt_at > timezone.now() + timedelta(minutes=4)


def test_where_nothing_has_failed_nothing_is_tried_sooner(hook, account, subscription):
    tried = subscriptions.try_now(id=subscription.id, caller=CALLER)
    assert (tried.next_attempt_at, tried.attempts) == (None, 0)
    relay_once()
    assert hook.requests == []


def test_a_test_is_an_attempt_like_any_other_but_with_no_event(hook, account, subscription):
    deposit(account, "1")
    relay_once()
    assert send_test(fetch(subscription), caller=CALLER) is None
    hook.behaviour = answering(404)
    assert send_test(fetch(subscription), caller=CALLER) == "The receiver answered 404."
    assert tell(subscription) == [
        (None, 404, "The receiver answered 404."),
        (None, 204, None),
        (3, 204, None),
    ]
    [event] = Event.objects.filter(stream=account.id, type="transaction.posted")
    assert [each["event"] for each in attempts.describe(attempts.read(subscription))] == [
        None,
        None,
        event.id,
    ]
    after = fetch(subscription)
    assert (after.failing_since, after.failed, after.sent) == (None, 0, 1)


def test_tests_push_out_older_attempts_and_are_pushed_out(hook, account, subscription):
    for _ in range(attempts.KEPT + 1):
        send_test(fetch(subscription), caller=CALLER)
    assert Attempt.objects.count() == attempts.KEPT + 1  # what is let go is of before
    deposit_times(account, attempts.KEPT)
    relay_once()
    assert [position for position, *_ in tell(subscription)] == list(range(2 + attempts.KEPT, 2, -1))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ads.example.com/hook", "https://ads.example.com/…"),
        ("https://ads.example.com/services/T0/B0/s3cret", "https://ads.example.com/…"),
        ("https://ads.example.com:8443/hook?key=1", "https://ads.example.com:8443/…"),
        ("https://ads.example.com?key=1", "https://ads.example.com/…"),
        ("https://ads.example.com", "https://ads.example.com/"),
        ("https://ads.example.com/?", "https://ads.example.com/"),
        ("https://user:word@ads.example.com/hook?a=b@c", "https://…@ads.example.com/…"),
        ("https://user@ads.example.com/", "https://…@ads.example.com/"),
        ("https://[2001:db8::1]:8443/h?x", "https://[2001:db8::1]:8443/…"),
    ],
)
def test_what_may_be_a_secret_in_a_url_is_masked(url, shown):
    assert mask_url(url) == shown
    assert str(Subscription(kind="webhook", url=url)) == f"webhook {shown}"


def test_the_record_has_no_secret_of_a_url_and_says_that_it_changed(hook):
    subscription = subscribe(f"{hook.url}/s3cret?key=s3cret")
    subscriptions.change(id=subscription.id, url=f"{hook.url}/0ther?key=0ther", caller=CALLER)
    subscriptions.delete(id=subscription.id, caller=CALLER)
    entries = list(RecordEntry.objects.filter(subject_id=subscription.id).order_by("id"))
    assert [each.type.partition(".")[2] for each in entries] == ["created", "changed", "deleted"]
    assert not [each for each in entries if "s3cret" in str(each.data) or "0ther" in str(each.data)]
    assert entries[1].data["detail"] == "url"
