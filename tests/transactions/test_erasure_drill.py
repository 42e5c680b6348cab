"""The erasure drill: a person about whom there is everything, forgotten, and then searched for by bytes."""

import json

import pytest

from accounts.models import Account
from events import feed
from tests import asking
from tests.accounts.erasing import forget
from tests.cast import UserFactory, deposit, hold, issue_token, withdraw
from tests.conftest import make_client
from tests.database import execute
from tests.events.conftest import subscribe
from tests.office.account_pages import find_address
from tests.office.staff import make_staff, open_office
from tests.receivers import receiver
from tests.searching import follow
from tests.transactions.conftest import run_command
from tests.transactions.correcting import adjust, reverse
from tests.transactions.test_audit import prove
from transactions import search
from transactions.posting.commands import Release, SetMetadata

pytestmark = pytest.mark.django_db(transaction=True)

NAME, HANDLE, MAIL = "Ivan Konstantinov", "crm-4711-konst", "ivan@konstantinov.example"
NEW_NAME = "Ivan Petrovich Konstantinov"
GONE = (NAME, NEW_NAME, HANDLE, MAIL)
COLUMNS = """
SELECT table_name, string_agg(format('coalesce(%I::text, '''')', column_name), ' || '' '' || ')
FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name
"""


def find_bytes():
    """Table and row of whatever holds what is gone, in any column of any table, as text or as bytes."""
    found = []
    for table, row in execute(COLUMNS):
        for (text,) in execute(f"SELECT {row} FROM {table}"):
            for word in GONE:
                raw = word.encode().hex()
                if word.lower() in text.lower() or raw in text:
                    found.append((table, word, text))
    return found


def make_person(admin):
    user = UserFactory(name=NAME, external_id=HANDLE, metadata={"mail": MAIL})
    account = user.accounts.with_held_due().get()
    deposit(account, "100", reference="order 7")
    withdraw(account, "1000")
    hold(account, "10")
    placed = hold(account, "5")
    asking.ask(Release(hold_id=placed.id, account_id=account.id, reason=f"{NAME} has called"))
    reverse(deposit(account, "3"), make_staff("operations"))
    adjust(account, make_staff("operations"), "99999")
    asking.ask(SetMetadata(account_id=account.id, metadata={"contact": MAIL}))
    asking.freeze(id=account.id, reason=f"{NAME} has lost his card", request_id="")
    admin.patch(f"/api/v1/users/{user.id}", {"name": NEW_NAME})
    issue_token(user=user)
    return user, account


def make_staff_look(account):
    browser = open_office(make_staff("support"))
    for word in (NAME, HANDLE, NAME.upper(), f"{NEW_NAME} "):
        assert browser.get("/admin/accounts/user/", {"q": word}).status_code == 200
        assert browser.get("/admin/find/", {"q": word}).status_code in (200, 302)
    assert browser.get(find_address(account)).status_code == 200
    other = UserFactory(name="Somebody Else").accounts.get()
    reason = {"reason": f"the same as with {NAME}"}
    operator = open_office(make_staff("operations"))
    assert operator.post(f"/admin/accounts/account/{other.id}/freeze/", reason).status_code == 302


def read_books(reader, account):
    """The balance and the statement, as the API shows them."""
    day = {"from": "2020-01-01", "to": "2030-01-01"}
    then = {"at": "2026-01-01T00:00:00Z", "known_at": "2026-01-02T00:00:00Z"}
    return [
        reader.get(f"/api/v1/accounts/{account.id}/{what}", query).json()
        for what, query in (("balance", then), ("statement", day))
    ]


@pytest.fixture
def hook(settings):
    settings.WEBHOOK_LOOPBACK = True
    with receiver() as made:
        yield made


def test_after_it_nobody_finds_the_person(tmp_path, hook):
    admin = make_client("api-admin")
    subscribe(hook.url)
    user, account = make_person(admin)
    make_staff_look(account)
    anchor, before, after = (tmp_path / name for name in ("anchor", "before.json", "after.json"))
    assert run_command("export_anchor", str(anchor))[0] == 0
    assert run_command("export_person", str(user.id), "--output", str(before))[0] == 0
    assert all(word in before.read_text() for word in GONE)
    books, balances = read_books(admin, account), list(Account.objects.order_by("id").values_list("balance"))
    follow()
    assert {"transactions_searchedperson"} < {table for table, *_ in find_bytes()}
    listed = run_command("erase_person", str(user.id), "--list")[1]

    forget(user, reason=f"a letter of {NAME}")

    follow()
    search.begin_rebuilding()
    follow()
    # Another one's account has a reason that names the person: it is listed, and stays.
    stays = [(table, word) for table, word, _ in find_bytes()]
    assert {table for table, _ in stays} == {"accounts_account", "events_text"}
    [theirs] = Account.objects.filter(status_reason__contains=NAME)
    assert theirs.user.name == "Somebody Else"
    assert f"accounts_account {theirs.id}" in listed
    told = json.dumps(feed.read(limit=500).events, ensure_ascii=False)
    mine = [e for e in feed.read(limit=500).events if e["stream"] in (str(user.id), str(account.id))]
    assert not [word for word in GONE if word in json.dumps(mine, ensure_ascii=False)]
    assert not [word for word in (HANDLE, MAIL, NEW_NAME) if word in told]
    assert run_command("export_person", str(user.id), "--output", str(after))[0] == 0
    assert not [word for word in GONE if word in after.read_text()]

    run_command("relay_events", "--once")
    sent = [json.dumps(event, ensure_ascii=False) for event in hook.events]
    assert sent
    assert not [word for word in (HANDLE, MAIL, NEW_NAME) if any(word in each for each in sent)]
    assert any("[erased]" in each for each in sent)

    boss = open_office(make_staff("auditor"))
    for address in (
        find_address(account),
        f"/admin/accounts/user/{user.id}/change/",
        "/admin/accounts/user/",
        "/admin/accounts/account/",
        "/admin/events/placement/",
        "/admin/events/recordentry/",
        "/admin/transactions/correction/?state=all",
    ):
        page = boss.get(address).content.decode()
        assert not [word for word in (HANDLE, MAIL, NEW_NAME) if word in page], address

    assert prove().findings == []
    assert run_command("verify_anchor", str(anchor))[0] == 0
    assert read_books(admin, account) == books
    assert list(Account.objects.order_by("id").values_list("balance")) == balances
