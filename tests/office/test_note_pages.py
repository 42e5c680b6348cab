"""Notes in the office: written where one looks, shown on all that is the customer's, done once, and kept."""

import re

import pytest

from accounts.models import Note
from tests.accounts.erasing import forget
from tests.cast import AccountFactory, UserFactory, deposit
from tests.office.answers import find_accesses, read
from tests.office.staff import make_staff, open_office

pytestmark = pytest.mark.django_db

LIST = "/admin/accounts/note/"
WORDS = "He says he never had the card. <b>Ask</b> the shop."
SHOWN = "He says he never had the card. &lt;b&gt;Ask&lt;/b&gt; the shop."
PAGES = {"user": "accounts/user", "account": "accounts/account", "transaction": "transactions/transaction"}


@pytest.fixture
def account():
    return AccountFactory(name="Ivan Konstantinov")


@pytest.fixture
def things(account):
    return {"user": account.user, "account": account, "transaction": deposit(account, "5")}


def find_page(kind, thing, name="change"):
    return f"/admin/{PAGES[kind]}/{thing.pk}/{name}/"


def write(client, kind, thing, **asked):
    return client.post(find_page(kind, thing, "note"), {"text": WORDS, "link": "", **asked}, follow=True)


@pytest.mark.parametrize("kind", PAGES)
def test_a_note_is_written_on_a_page_and_shown_on_all_that_is_the_customers(olga, things, kind):
    client = open_office(olga)
    answer = write(client, kind, things[kind], link="https://tickets.example/7?a=1&b=2")
    assert "The note is written." in read(answer)
    note = Note.objects.get()
    assert (note.author, note.user_id, note.subject) == (olga, things["user"].pk, kind)
    assert note.subject_id == things[kind].pk
    for each, thing in things.items():
        page = read(client.get(find_page(each, thing)))
        assert "Notes (1)" in page
        page = read(client.get(find_page(each, thing), {"show": "notes"}))
        assert SHOWN in page
        assert "<b>Ask</b>" not in page
        assert "<bdi>olga</bdi>" in page
        assert (
            'href="https://tickets.example/7?a=1&amp;b=2" target="_blank" rel="noopener noreferrer"' in page
        )
        assert ("about another" in page) == (each != kind)


def test_writing_one_is_one_entry_of_the_record_and_looking_another(olga, account):
    client = open_office(olga)
    write(client, "account", account)
    [entry] = find_accesses(action="CHANGE")
    assert (entry.type, entry.actor, entry.detail) == ("note.written", olga.pk, WORDS)
    client.get(LIST)
    assert find_accesses()[-1].subject == "note"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//tickets.example",
        "tickets.example/7",
        "https://",
        "https:///x",
        "http://[",
        "https://a b",
        "https://x/\\y",
        "ftp://x/y",
        "https://" + "x" * 500,
        "https://x\u202ey",
    ],
)
def test_what_is_no_address_of_the_web_is_refused_and_the_text_stays_in_the_form(support, account, link):
    answer = write(support, "account", account, link=link)
    assert answer.status_code == 422
    assert SHOWN in answer.content.decode()
    assert not Note.objects.exists()


def test_a_long_note_is_refused_with_its_length_and_not_cut(support, account):
    page = read(support.get(find_page("account", account, "note")))
    [field] = re.findall(r"<textarea[^>]*>", page)
    assert "maxlength" not in field
    answer = write(support, "account", account, text="x" * 2001)
    assert answer.status_code == 422
    assert "2001" in answer.content.decode()
    assert not Note.objects.exists()
    assert "The note is written." in read(write(support, "account", account, text="я" * 2000))


def test_what_is_to_be_done_is_in_the_list_until_somebody_has_done_it(olga, account):
    author, other = open_office(olga), open_office(make_staff("auditor", name="Boris"))
    write(author, "account", account, is_task="on")
    note = Note.objects.get()
    assert SHOWN in read(other.get(LIST))
    sidebar = other.get("/admin/").context["sidebar_navigation"]
    badges = {str(item["title"]): item.get("badge") for group in sidebar for item in group["items"]}
    assert badges["Notes"] == "1"
    assert "Mark as done" in read(other.get(find_page("account", account), {"show": "notes"}))
    done = other.post(f"{LIST}{note.pk}/done/", follow=True)
    assert "Marked as done." in read(done)
    assert SHOWN not in read(other.get(LIST))
    page = read(author.get(find_page("account", account), {"show": "notes"}))
    assert "done by <bdi>Boris</bdi>" in page
    again = author.post(f"{LIST}{note.pk}/done/", follow=True)
    assert again.status_code == 200
    note.refresh_from_db()
    assert note.done_by.name == "Boris"


def test_the_lists_are_what_is_open_ones_own_and_all(olga, account):
    mine, theirs = open_office(olga), open_office(make_staff("operations"))
    write(mine, "account", account, text="first of mine")
    write(theirs, "account", account, text="second of theirs", is_task="on")
    write(theirs, "account", AccountFactory(), text="third of theirs")
    wanted = {
        "": ["second"],
        "?which=mine": ["first"],
        "?which=all": ["third", "second", "first"],
        f"?q={account.user_id}": ["second", "first"],
        "?q=nobody": [],
    }
    for query, found in wanted.items():
        page = read(mine.get(LIST + query))
        assert re.findall(r"(\w+) of (?:mine|theirs)", page) == found, query


def test_nobody_changes_or_removes_a_note(superuser, olga, account):
    write(open_office(olga), "account", account)
    note = Note.objects.get()
    for name in ("change", "delete"):
        asked = {"text": "other", "post": "yes", "_save": "1"}
        assert superuser.post(f"{LIST}{note.pk}/{name}/", asked).status_code == 403
    assert superuser.get(f"{LIST}add/").status_code == 403
    assert SHOWN in read(superuser.get(f"{LIST}{note.pk}/change/"))


def test_of_who_was_forgotten_nothing_is_shown_and_nothing_is_added(support, account):
    write(support, "account", account, link="https://tickets.example/7")
    forget(account.user)
    page = read(support.get(find_page("account", account), {"show": "notes"}))
    assert "[erased]" in page
    assert "never had" not in page
    assert "tickets.example" not in page
    answer = write(support, "account", account)
    assert answer.status_code == 422
    assert "This person was forgotten" in read_any(answer)
    assert Note.objects.count() == 1


def read_any(answer):
    return answer.content.decode()


def test_staff_without_a_group_neither_see_nor_write_them(account):
    client = open_office(make_staff())
    assert client.get(LIST).status_code == 403
    assert client.get(find_page("account", account, "note")).status_code == 403


def test_many_notes_are_cut_with_a_word(support, olga):
    user = UserFactory()
    client = open_office(olga)
    write(client, "user", user, text="note")
    first = Note.objects.get()
    Note.objects.bulk_create(
        Note(
            author=olga, user=user, subject="user", subject_id=user.pk, text=first.text, is_task=False,
            written_at=first.written_at,
        )
        for _ in range(100)
    )  # fmt: skip
    page = read(client.get(find_page("user", user), {"show": "notes"}))
    assert "Notes (100+)" in page
    assert "The newest 100 are shown." in page
