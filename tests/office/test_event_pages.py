from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import operations
from events import feed, subscriptions
from events.models import Placement
from events.relay import Relay
from ledger.callers import ActorKind, Caller
from tests.cast import CALLER, AccountFactory, deposit, new_id, withdraw
from tests.events.test_upkeep import age
from tests.names import NOBODY
from tests.office import reading
from tests.office.answers import find_accesses, read
from tests.office.staff import make_staff, open_office

EVENTS = "/admin/events/placement/"


def place_all():
    while feed.place_pending():
        pass


def list_shown(client, **query):
    """The positions on the list, from its links."""
    parts = read(client.get(EVENTS, query)).split(f'href="{EVENTS}')[1:]
    return list(dict.fromkeys(int(part.split("/")[0]) for part in parts if part[0].isdigit()))


def test_the_newest_come_first(support, account):
    deposit(account, "1")
    place_all()
    deposit(account, "1")  # which waits for its position
    assert list_shown(support) == [3, 2, 1]


def test_it_is_a_list_of_events_and_says_who_did_what(support, account):
    deposit(account, "1")
    withdraw(account, "9")
    operations.change_user(
        id=account.user_id, changes={"name": "Petya"}, caller=CALLER._replace(actor_kind=ActorKind.STAFF)
    )
    place_all()
    texts = {
        page: " ".join(reading.read(support.get(EVENTS + page)).texts)
        for page in ("", "3/change/", "5/change/")
    }
    for page, shown in (
        ("", ["Events", "transaction.posted", "transaction.declined", "user.changed"]),
        ("3/change/", ["event", "transaction.posted", "Petya", "(service)", "test"]),
        ("5/change/", ["user.changed", "(member of staff)"]),
    ):
        assert [word for word in shown if word not in texts[page]] == [], page
        assert "lacement" not in texts[page]


def test_an_event_is_found_by_its_position_and_by_its_account_or_user(support, account):
    other = AccountFactory()
    deposit(account, "1")
    deposit(other, "1")
    place_all()
    placed = Placement.objects.filter(stream=account.id).order_by("-position")
    own = list(placed.values_list("position", flat=True))
    assert len(own) == 2
    [of_user] = Placement.objects.filter(stream=account.user_id).values_list("position", flat=True)
    assert list_shown(support, q=str(account.user_id)) == [of_user]
    assert list_shown(support, q=str(account.id)) == own
    assert list_shown(support, q=f" {str(account.id).upper()} ") == own
    assert list_shown(support, q=str(own[0])) == [own[0]]
    assert list_shown(support, q="posted") == list_shown(support, q=str(new_id())) == []
    assert [access.detail for access in find_accesses(action="SEARCH", subject="event")][:2] == [
        str(account.user_id),
        str(account.id),
    ]


def test_the_events_of_an_account_are_read_from_their_index(support, account):
    """In its order, too: an account of millions is not sorted."""
    deposit(account, "1")
    place_all()
    with CaptureQueriesContext(connection) as queries:
        list_shown(support, q=str(account.id))
    texts = [
        each["sql"] for each in queries if "ORDER BY" in each["sql"] and '"events_placement"' in each["sql"]
    ]
    assert len(texts) == 1
    for text in texts:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            cursor.execute(f"EXPLAIN {text}")
            plan = " ".join(line for (line,) in cursor.fetchall())
        assert "event_has_one_position" in plan
        assert "Sort" not in plan


def test_a_page_shows_the_event_its_place_and_who_was_told(support, account, hook):
    subscriptions.create(kind="webhook", url=hook.url, caller=Caller(account.user_id))
    row = deposit(account, "12.34")
    address = f"{EVENTS}3/change/"
    assert support.get(address)["Location"] == "/admin/events/placement/"  # it waits for its position
    events = f"/admin/accounts/account/{account.id}/change/?show=events"
    assert "waits for one" in read(support.get(events))
    Relay().run(once=True)
    text = read(support.get(address))
    assert address in read(support.get(events))
    assert "<dd>3</dd>" in text
    assert f"<dd>{row.request_id}</dd>" in text
    assert f"/admin/accounts/account/{account.id}/change/" in text
    assert "&quot;12.34&quot;" in text
    assert hook.url.replace("/hook", "/…") in text
    assert "sent" in text
    assert [access.subject_id for access in find_accesses(subject="event", action="VIEW")] == ["3"]


def test_the_access_log_leads_to_the_event(superuser, account):
    place_all()
    superuser.get(f"{EVENTS}2/change/")
    assert f'event <a class="text-link" href="{EVENTS}2/change/">2</a>' in read(
        superuser.get("/admin/events/recordentry/")
    )


def test_what_was_pruned_has_no_page_and_does_not_wait_for_one(support, account):
    place_all()
    age(100)
    assert feed.prune(days=30) == 2
    text = read(support.get(f"/admin/accounts/account/{account.id}/change/?show=events"))
    assert "account.opened" in text
    assert "waits for one" not in text
    assert EVENTS not in text.replace(f'"{EVENTS}"', "")


def test_who_may_not_see_subscriptions_is_not_told_their_urls(account):
    member = make_staff()
    member.user_permissions.add(Permission.objects.get(codename="view_event"))
    subscriptions.create(kind="webhook", url=NOBODY, caller=Caller(account.user_id))
    deposit(account, "5")
    place_all()
    text = read(open_office(member).get(f"{EVENTS}3/change/"))
    assert "transaction.posted" in text
    assert NOBODY not in text


def test_words_that_are_no_id_find_nothing(support, account):
    for words in ("9" * 400, "²", "١٢", "-1", "{}", "0x10", "'", "%"):
        assert list_shown(support, q=words) == [], words
