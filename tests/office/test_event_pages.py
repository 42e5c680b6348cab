import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events import feed, subscriptions
from events.models import Event
from events.relay import Relay
from tests.cast import AccountFactory, UserFactory, deposit, new_id
from tests.office.answers import FORGED_IDS, find_accesses, read
from tests.office.staff import make_staff, open_office
from tests.receivers import receiver

pytestmark = pytest.mark.django_db
EVENTS = "/admin/events/event/"


def list_shown(client, **query):
    """The ids on the list, from its links."""
    parts = read(client.get(EVENTS, query)).split(f'href="{EVENTS}')[1:]
    return list(dict.fromkeys(int(part.split("/")[0]) for part in parts if part[0].isdigit()))


def test_who_has_no_right_to_see_events_sees_none(account):
    client, event = open_office(make_staff()), Event.objects.earliest("id")
    for address in ("", f"{event.pk}/change/", "add/", f"{event.pk}/delete/"):
        assert client.get(EVENTS + address).status_code == 403
        assert client.post(EVENTS + address, {"post": "yes"}).status_code == 403


def test_the_newest_come_first(support, account):
    deposit(account, "1")
    ids = sorted(Event.objects.values_list("id", flat=True), reverse=True)
    assert list_shown(support) == ids


def test_an_event_is_found_by_its_id_and_by_its_account(support, account):
    other = AccountFactory()
    deposit(account, "1")
    deposit(other, "1")
    own = [id for (id,) in Event.objects.filter(account_id=account.id).order_by("-id").values_list("id")]
    assert len(own) == 2
    assert list_shown(support, q=str(account.id)) == own
    assert list_shown(support, q=f" {str(account.id).upper()} ") == own
    assert list_shown(support, q=str(own[0])) == [own[0]]
    assert list_shown(support, q="posted") == list_shown(support, q=str(new_id())) == []
    assert find_accesses(action="SEARCH")[0].detail == str(account.id)


def test_the_events_of_an_account_are_read_from_their_index(support, account):
    """In its order, too: an account of millions is not sorted."""
    deposit(account, "1")
    with CaptureQueriesContext(connection) as queries:
        list_shown(support, q=str(account.id))
    [text] = [
        each["sql"] for each in queries if "ORDER BY" in each["sql"] and '"events_event"' in each["sql"]
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {text}")
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert "event_account_sequence_is_used_once" in plan
    assert "Sort" not in plan


def test_a_page_shows_the_event_its_place_and_who_was_told(support, account, settings):
    settings.WEBHOOK_LOOPBACK = True
    feed.place_pending()
    with receiver() as hook:
        subscriptions.create(kind="webhook", url=hook.url, actor=account.user_id)
        deposit(account, "12.34")
        event = Event.objects.latest("id")
        address = f"{EVENTS}{event.pk}/change/"
        assert "It waits for one" in read(support.get(address))
        Relay().run(once=True)
        text = read(support.get(address))
    assert f"<dd>{event.placement.position}</dd>" in text
    assert f"/admin/accounts/account/{account.id}/change/" in text
    assert "&quot;12.34&quot;" in text
    assert hook.url in text
    assert "sent" in text
    [first, *_] = find_accesses(action="VIEW")
    assert (first.subject, first.subject_id) == ("event", str(event.pk))


def test_who_may_not_see_subscriptions_is_not_told_their_urls(account, settings):
    settings.WEBHOOK_LOOPBACK = True
    member = make_staff()
    member.user_permissions.add(Permission.objects.get(codename="view_event"))
    with receiver() as hook:
        subscriptions.create(kind="webhook", url=hook.url, actor=account.user_id)
    deposit(account, "5")
    text = read(open_office(member).get(f"{EVENTS}{Event.objects.latest('id').pk}/change/"))
    assert "transaction.posted" in text
    assert hook.url not in text


def test_data_are_shown_and_not_run(support):
    script = "</pre><script>alert(1)</script>"
    UserFactory(name=script)
    event = Event.objects.get(type="user.created")
    text = read(support.get(f"{EVENTS}{event.pk}/change/"))
    assert script not in text
    assert "&lt;script&gt;alert(1)" in text


def test_an_event_cannot_be_changed(superuser, account):
    event = Event.objects.earliest("id")
    before = Event.objects.values().get(pk=event.pk)
    for address in (f"{event.pk}/change/", f"{event.pk}/delete/", "add/"):
        assert superuser.post(EVENTS + address, {"type": "x", "post": "yes"}).status_code == 403
    asked = {"action": "delete_selected", "_selected_action": event.pk, "post": "yes"}
    superuser.post(EVENTS, asked)
    assert Event.objects.values().get(pk=event.pk) == before


def test_pages_cost_the_same_for_few_and_for_many(support, account, django_assert_num_queries):
    first = Event.objects.earliest("id")

    def ask():
        list_shown(support)
        list_shown(support, q=str(account.id))
        read(support.get(f"{EVENTS}{first.pk}/change/"))

    ask()
    with CaptureQueriesContext(connection) as few:
        ask()
    for _ in range(30):
        deposit(account, "1")
    with django_assert_num_queries(len(few)):
        ask()
    assert len(few) < 45


def test_forged_addresses_and_questions_are_no_faults(support, account):
    for id in (*FORGED_IDS, 2**63, 2**63 - 1, "1e3", "١٢"):
        assert support.get(f"{EVENTS}{id}/change/").status_code in (302, 404), id
    for words in ("\x00", "a\x00b"):
        read(support.get(EVENTS, {"q": words}))
    for words in ("9" * 400, "²", "١٢", "-1", "{}", "0x10", "'", "%"):
        assert list_shown(support, q=words) == [], words
    for query in ("p=x", "p=10000", "all=1", "o=2", "e=1", "nonsense=1", "q=1&q=2", "p=1&p=2"):
        assert support.get(f"{EVENTS}?{query}").status_code in (200, 302), query
    for lookup in ("data__icontains=x", "account_id=x", "type=user.created", "request_id__contains=x"):
        assert support.get(f"{EVENTS}?{lookup}").status_code == 400, lookup
