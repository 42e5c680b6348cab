from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events import feed, subscriptions
from events.models import Event
from events.relay import Relay
from tests.cast import AccountFactory, deposit, new_id
from tests.names import NOBODY
from tests.office.answers import find_accesses, read
from tests.office.staff import make_staff, open_office

EVENTS = "/admin/events/event/"


def list_shown(client, **query):
    """The ids on the list, from its links."""
    parts = read(client.get(EVENTS, query)).split(f'href="{EVENTS}')[1:]
    return list(dict.fromkeys(int(part.split("/")[0]) for part in parts if part[0].isdigit()))


def test_the_newest_come_first(support, account):
    deposit(account, "1")
    assert list_shown(support) == sorted(Event.objects.values_list("id", flat=True), reverse=True)


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


def test_a_page_shows_the_event_its_place_and_who_was_told(support, account, hook):
    feed.place_pending()
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


def test_who_may_not_see_subscriptions_is_not_told_their_urls(account):
    member = make_staff()
    member.user_permissions.add(Permission.objects.get(codename="view_event"))
    subscriptions.create(kind="webhook", url=NOBODY, actor=account.user_id)
    deposit(account, "5")
    text = read(open_office(member).get(f"{EVENTS}{Event.objects.latest('id').pk}/change/"))
    assert "transaction.posted" in text
    assert NOBODY not in text


def test_words_that_are_no_id_find_nothing(support, account):
    for words in ("9" * 400, "²", "١٢", "-1", "{}", "0x10", "'", "%"):
        assert list_shown(support, q=words) == [], words
