import re

import pytest
from django.core.management import call_command

from events import attempts, delivery, feed, subscriptions
from events.models import Cursor, FeedState, Subscription, parse_cursor
from events.relay import Relay
from ledger.callers import Caller
from ledger.values import format_time
from tests.cast import AccountFactory, deposit, new_id
from tests.events.test_upkeep import age
from tests.office.answers import find_accesses, read
from tests.office.staff import make_staff, open_office
from tests.receivers import answering, taking

SUBSCRIPTIONS = "/admin/events/subscription/"


def subscribe(url, actor=None, **fields):
    made, _ = subscriptions.create(kind="webhook", url=url, caller=Caller(actor or new_id()), **fields)
    return made


def do(client, subscription, command, **asked):
    return client.post(f"{SUBSCRIPTIONS}{subscription.pk}/{command}/", {"reason": "because", **asked})


def find(subscription):
    return Subscription.objects.with_lag().get(pk=subscription.pk)


def page(client, subscription):
    return read(client.get(f"{SUBSCRIPTIONS}{subscription.pk}/change/"))


def test_a_page_says_how_far_it_has_come_and_who_made_it(hook, superuser, boss):
    made = subscribe(hook.url, actor=boss.pk, types=["transaction.posted"])
    deposit(AccountFactory(), "1")
    hook.behaviour = answering(500)
    Relay().run(once=True)
    made = find(made)
    assert made.lag_events > 0
    text = page(superuser, made)
    assert made.cursor in {parse_cursor(word) for word in re.findall(r"[\w-]{76}", text)}
    for shown in (
        hook.url,
        "transaction.posted",
        f"<dd>{made.lag_events}</dd>",
        "The receiver answered 500.",
        f"/admin/accounts/user/{boss.pk}/change/",
    ):
        assert shown in text, shown
    assert "The receiver answered 500." in read(superuser.get(SUBSCRIPTIONS))


def test_a_paused_one_is_sent_nothing_until_it_is_resumed(hook, operations):
    made, account = subscribe(hook.url), AccountFactory()
    assert f"{made.pk}/resume/" not in page(operations, made)
    do(operations, made, "pause")
    deposit(account, "1")
    Relay().run(once=True)
    assert (find(made).status, hook.requests) == ("PAUSED", [])
    assert f"{made.pk}/pause/" not in page(operations, made)
    do(operations, made, "resume")
    Relay().run(once=True)
    assert find(made).status == "ACTIVE"
    assert [event["type"] for event in hook.events][-1] == "transaction.posted"
    paused, resumed = find_accesses(action="CHANGE", actor_kind="staff")
    assert (paused.type, resumed.type) == ("subscription.paused", "subscription.resumed")
    assert (paused.reason, paused.after, resumed.before) == ("because", {"status": "PAUSED"}, paused.after)


def test_it_is_replayed_from_the_beginning_or_after_a_cursor(hook, operations):
    AccountFactory()
    feed.place_pending()
    made = subscribe(hook.url)
    start = find(made).position
    assert start > 0
    do(operations, made, "replay")
    assert find(made).position == 0
    cursor = Cursor(made.epoch, 1)
    do(operations, made, "replay", after=cursor.text)
    assert find(made).position == 1
    replays = find_accesses(type="subscription.replayed")
    assert [each.after["cursor"] for each in replays] == [str(Cursor(made.epoch, 0)), str(cursor)]


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (lambda epoch: "x", "not a cursor"),
        (lambda epoch: str(Cursor(epoch, 1)), "not a cursor"),
        (lambda epoch: Cursor(epoch, 1).text + "\x00", "Null characters"),
        (lambda epoch: Cursor(epoch, 999_999).text, "ahead of the feed"),
        (lambda epoch: Cursor(epoch, 10**18 - 1).text, "ahead of the feed"),
        (lambda epoch: Cursor(new_id(), 0).text, "a restore or a failover"),
        (lambda epoch: "x" * 5000, "not a cursor"),
    ],
)
def test_a_cursor_that_is_none_is_refused_in_words(hook, operations, after, says):
    made = subscribe(hook.url)
    assert says in read(do(operations, made, "replay", after=after(made.epoch)), 422)
    assert find(made).position == made.position
    assert find_accesses(action="CHANGE", actor_kind="staff") == []


def test_what_the_feed_refuses_is_said_in_words(hook, operations):
    AccountFactory()
    feed.place_pending()
    made = subscribe(hook.url)
    do(operations, made, "pause")
    age(100)
    call_command("prune_events")
    Subscription.objects.filter(pk=made.pk).update(position=0)
    assert "not kept any more" in read(do(operations, made, "resume"), 422)
    after = Cursor(made.epoch, 0).text
    assert "not kept any more" in read(do(operations, made, "replay", after=after), 422)
    FeedState.objects.update(system_identifier=1)
    assert "waits for an operator" in read(do(operations, made, "replay"), 422)
    assert find(made).status == "PAUSED"


def test_a_test_says_what_came_of_it(hook, operations):
    made = subscribe(hook.url)
    answer = operations.post(f"{SUBSCRIPTIONS}{made.pk}/test/", {"reason": "does it work?"}, follow=True)
    assert "Delivered" in read(answer)
    assert [event["type"] for event in hook.events] == ["subscription.test"]
    hook.behaviour = answering(404)
    assert "The receiver answered 404." in read(do(operations, made, "test"), 422)
    text = squeeze(page(operations, made).partition("Last attempts")[2])
    assert text.count(">test<") == 2
    for shown in (">204<", ">taken<", ">404<", ">failed<", "The receiver answered 404."):
        assert shown in text, shown
    assert [each.detail for each in find_accesses(type="subscription.command_given")] == ["test", "test"]
    assert find(made).failed == 0


def test_tests_take_no_more_threads_than_waiting_may(hook, operations, monkeypatch):
    made = subscribe(hook.url)
    monkeypatch.setattr(delivery, "waiting", delivery.BoundedSemaphore(1))
    with delivery.waiting:
        assert "waiting already" in read(do(operations, made, "test"), 422)
    assert hook.requests == []
    assert do(operations, made, "test").status_code == 302


def test_what_fails_is_said_to_fail_in_the_list_on_its_page_and_on_the_dashboard(hook, operations):
    made = subscribe(hook.url)
    deposit(AccountFactory(), "1")
    hook.behaviour = answering(500)
    Relay().run(once=True)
    for address in (SUBSCRIPTIONS, f"{SUBSCRIPTIONS}{made.pk}/change/", "/admin/operations/"):
        assert ">failing<" in squeeze(read(operations.get(address))), address
    assert "failed attempts: 1; events behind: 3; next attempt" in " ".join(page(operations, made).split())
    assert "mended since" not in page(operations, made)
    hook.behaviour = taking
    do(operations, made, "try-now")
    Relay().run(once=True)
    for address in (SUBSCRIPTIONS, f"{SUBSCRIPTIONS}{made.pk}/change/"):
        text = read(operations.get(address))
        assert ">failing<" not in squeeze(text.partition("Last attempts")[0]), address
        assert ">active<" in squeeze(text), address
        assert "The receiver answered 500." in text, address
        assert "mended since" in text, address
    assert "hook" not in read(operations.get("/admin/operations/")).partition("Subscriptions in trouble")[2]


def test_the_attempts_are_listed_with_time_status_and_duration(hook, operations):
    made, account = subscribe(hook.url), AccountFactory()
    assert "Nothing was sent to it yet." in page(operations, made)
    hook.behaviour = answering(503)
    deposit(account, "1")
    Relay().run(once=True)
    [attempt] = attempts.read(made)
    text = page(operations, made).partition("Last attempts")[2]
    assert f"/admin/events/placement/{attempt.position}/change/" in text
    for shown in (">503<", "The receiver answered 503.", format_time(attempt.began_at), ">failed<"):
        assert shown in squeeze(text), shown


def test_try_now_does_not_wait(hook, operations, support):
    made = subscribe(hook.url)
    assert f"{made.pk}/try-now/" not in page(operations, made)
    deposit(AccountFactory(), "1")
    hook.behaviour = answering(500)
    Relay().run(once=True)
    assert f"{made.pk}/try-now/" in page(operations, made)
    assert f"{made.pk}/try-now/" not in page(support, made)
    hook.behaviour = taking
    before = find(made)
    assert do(operations, made, "try-now").status_code == 302
    assert find(made).position == before.position
    Relay().run(once=True)
    assert hook.positions == [
        before.position + 1,
        before.position + 1,
        before.position + 2,
        before.position + 3,
    ]
    [entry] = find_accesses(type="subscription.tried_now")
    assert entry.reason == "because"


def test_a_paused_one_is_not_tried(hook, operations):
    made = subscribe(hook.url)
    do(operations, made, "pause")
    assert "resume it" in read(do(operations, made, "try-now"), 422)


def test_a_secret_in_a_url_is_shown_to_who_may_change_it_and_to_nobody_else(hook, operations, support):
    made = subscribe(f"{hook.url}/s3cret?key=s3cret")
    deposit(AccountFactory(), "1")
    Relay().run(once=True)
    event = f"/admin/events/placement/{find(made).position}/change/"
    do(operations, made, "pause")
    auditor = open_office(make_staff("auditor"))
    log = "/admin/events/recordentry/"
    pages = ["/admin/", SUBSCRIPTIONS, f"{SUBSCRIPTIONS}{made.pk}/change/", event]
    for browser, addresses in ((support, pages), (auditor, [*pages, log, f"{log}?q={made.pk}"])):
        for address in addresses:
            assert "s3cret" not in read(browser.get(address)), address
    assert "/hook" not in page(support, made)
    assert hook.url.replace("/hook", "/…") in page(support, made)
    assert f"{hook.url}/s3cret?key=s3cret" in page(operations, made)
    assert "s3cret" not in read(operations.get(SUBSCRIPTIONS))


def test_a_page_says_whose_events_are_sent(hook, operations):
    account = AccountFactory()
    made = [
        subscribe(f"{hook.url}/1"),
        subscribe(f"{hook.url}/2", account=account.id),
        subscribe(f"{hook.url}/3", user=account.user_id),
    ]
    links = [
        f"/admin/accounts/account/{account.id}/change/",
        f"/admin/accounts/user/{account.user_id}/change/",
    ]
    shown = [[link in page(operations, each) for link in links] for each in made]
    assert shown == [[False, False], [True, False], [False, True]]
    assert account.user.name in page(operations, made[2])


def squeeze(text):
    return re.sub(r"\s*([<>])\s*", r"\1", text)
