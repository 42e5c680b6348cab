"""The history of a user, an account, a hold and a transaction: who, when, from what to what and why."""

import re
from decimal import Decimal

import pytest

from accounts import operations
from ledger.callers import ActorKind, Caller
from office.pages.people import history
from tests import asking
from tests.cast import CALLER, AccountFactory, UserFactory, deposit, hold, new_id
from tests.office.account_pages import find_address, look, read_text
from tests.office.correcting import adjust, ask_to_reverse
from tests.office.notes import note
from tests.office.staff import make_staff, open_office
from transactions import corrections, posting
from transactions.posting.commands import Release, SetLimits, SetStatus

pytestmark = pytest.mark.django_db


def act(member):
    return Caller(member.pk, ActorKind.STAFF, str(new_id()))


def set_limits(account, member, reason="", **limits):
    posting.post(SetLimits(account_id=account.id, limits=limits, reason=reason), caller=act(member))


def list_lines(html):
    """The texts of the cells of each row of the table."""
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, flags=re.DOTALL)
    return [
        [read_text(cell).strip() for cell in re.findall(r"<td.*?>(.*?)</td>", row, flags=re.DOTALL)]
        for row in rows
    ]


def read_history(client, page):
    answer = client.get(page, {"show": "history"})
    assert answer.status_code == 200
    return list_lines(answer.content.decode())


@pytest.fixture
def account():
    return AccountFactory(name="Ivan")


def test_a_changed_limit_says_by_whom_from_what_to_what_and_why(support, account):
    anna, boris = make_staff("operations", name="Anna"), make_staff("operations", name="Boris")
    set_limits(account, anna, credit_limit=Decimal(100), reason="a good customer")
    set_limits(account, boris, credit_limit=Decimal(250), withdraw_max=Decimal(50), reason="a better one")
    newest, older, opened = read_history(support, find_address(account))
    assert newest[1:3] == ["Boris", "Limits changed"]
    assert "Credit limit: 100.00 USD → 250.00 USD" in newest[3]
    assert "Most in one withdrawal: – → 50.00 USD" in newest[3]
    assert newest[4] == "a better one"
    assert (older[1], older[4]) == ("Anna", "a good customer")
    assert "Credit limit: 0.00 USD → 100.00 USD" in older[3]
    assert opened[2] == "Opened"


def test_a_frozen_account_says_who_froze_it_and_when(support, account):
    anna = make_staff("operations", name="Anna")
    command = SetStatus(account_id=account.id, status="FROZEN", reason="a stolen card")
    posting.post(command, caller=act(anna))
    deposit(account, "1")
    head = read_text(look(support, account).partition("office-head")[2].partition("<dl")[0])
    assert "a stolen card Anna ·" in head
    [newest, _opened] = read_history(support, find_address(account))
    assert newest[1:5] == ["Anna", "Frozen", newest[3], "a stolen card"]
    assert "Status: active → frozen" in newest[3]
    posting.post(SetStatus(account_id=account.id, status="ACTIVE", reason="found"), caller=act(anna))
    assert "Anna ·" not in read_text(look(support, account).partition("<dl")[0])


def test_what_the_office_did_is_told_once(operations, account):
    operations.post(find_address(account, "freeze"), {"reason": "a stolen card"})
    lines = read_history(operations, find_address(account))
    assert [line[2] for line in lines] == ["Frozen", "Opened"]


def test_who_has_looked_is_in_no_history(support, account):
    for _ in range(3):
        look(support, account)
    note(make_staff("support", name="Curious"), "account", account.id)
    lines = read_history(support, find_address(account))
    assert [line[2] for line in lines] == ["Opened"]


def test_corrections_are_in_it_from_asking_to_approving(support, account, first, second):
    waiting = adjust(account, "500", first)
    lines = read_history(support, find_address(account))
    assert lines[0][1:3] == ["first", "Correction asked for"]
    assert "Amount: 500.00 USD" in lines[0][3]
    assert lines[0][4] == "goodwill"
    corrections.approve(id=waiting.id, caller=act(second))
    lines = read_history(support, find_address(account))
    assert lines[0][1:3] == ["second", "Correction approved"]


def test_a_waiting_correction_shows_on_its_account(support, account, first, second):
    assert "waits for a second person" not in look(support, account)
    asked = [adjust(account, amount, first) for amount in ("500", "700")]
    page = look(support, account)
    assert "2 corrections wait for a second person:" in page
    assert "500.00\xa0USD" in page.partition("office-head")[0]
    for each in asked:
        assert f"/admin/transactions/correction/{each.id}/change/" in page
    corrections.approve(id=asked[0].id, caller=act(second))
    assert "1 correction waits for a second person:" in look(support, account)
    assert "waits for a second person" not in look(support, AccountFactory())


def test_a_posted_correction_is_labelled_in_the_statement_with_who(support, account, first, second):
    deposit(account, "5")
    asked = adjust(account, "500", first)
    corrections.approve(id=asked.id, caller=act(second))
    page = look(support, account)
    rows = list_lines(page[page.index('id="statement"') :])
    assert [("correction" in row[0], "first , second" in row[0]) for row in rows] == [
        (True, True),
        (False, False),
    ]


def test_a_hold_has_its_own_changes_and_no_others(support, account):
    deposit(account, "100")
    placed, other = hold(account, "10", reference="hotel"), hold(account, "20")
    asking.change_hold(id=placed.id, changes={"amount": Decimal(15)})
    anna = make_staff("operations", name="Anna")
    command = Release(hold_id=placed.id, account_id=account.id, reason="left")
    posting.post(command, caller=act(anna))
    lines = read_history(support, f"/admin/accounts/hold/{placed.id}/change/")
    assert [line[2] for line in lines] == ["Hold released", "Hold changed", "Hold placed"]
    assert lines[0][1] == "Anna"
    assert "Amount: 10.00 USD → 15.00 USD" in lines[1][3]
    [only] = read_history(support, f"/admin/accounts/hold/{other.id}/change/")
    assert only[2] == "Hold placed"


def test_a_hold_far_back_says_that_its_beginning_was_not_looked_for(support, account, monkeypatch):
    deposit(account, "100")
    placed = hold(account, "10")
    for _ in range(3):
        hold(account, "1")
    asking.release_hold(id=placed.id)
    page = f"/admin/accounts/hold/{placed.id}/change/"
    assert "earlier changes" not in support.get(page, {"show": "history"}).content.decode()
    short = history.OF_HOLD.replace(f"LIMIT {history.WALK_MAX}", "LIMIT 2")
    monkeypatch.setattr(history, "OF_HOLD", short)
    text = support.get(page, {"show": "history"}).content.decode()
    assert "earlier changes" in text
    assert [line[2] for line in list_lines(text)] == ["Hold released"]


def test_a_user_has_their_changes_with_the_old_name(support):
    user = UserFactory(name="Ivan", metadata={"city": "Kazan"})
    operations.change_user(id=user.id, changes={"name": "Pyotr"}, caller=CALLER)
    [changed, created] = read_history(support, f"/admin/accounts/user/{user.id}/change/")
    assert (changed[2], changed[3]) == ("Changed", "Name: Ivan → Pyotr")
    assert created[2] == "Created"


def test_a_transaction_says_who_has_asked_to_take_it_back(account, first):
    row = deposit(account, "500")
    client = open_office(first)
    ask_to_reverse(client, row)
    page = f"/admin/transactions/transaction/{row.id}/change/"
    lines = read_history(client, page)
    assert [line[1:3] for line in lines] == [["first", "Reverse"], ["first", "Correction asked for"]] or [
        line[1:3] for line in lines
    ] == [["first", "Correction asked for"]]
    assert lines[-1][4] == "Booked twice"


def test_support_sees_nothing_of_what_is_not_theirs_to_see(support, superuser, boss):
    member = make_staff("support")
    superuser.post(
        f"/admin/accounts/staff/{member.pk}/groups/", {"groups": ["auditor"], "reason": "moves on"}
    )
    page = f"/admin/accounts/user/{member.pk}/change/"
    assert read_history(support, page) == []
    lines = read_history(superuser, page)
    assert lines[0][1] == "boss"
    assert "moves on" in lines[0][4]


def test_every_change_is_on_one_page_of_several_and_on_one_only(support, account, monkeypatch):
    monkeypatch.setattr(history, "PAGE_SIZE", 4)
    anna = make_staff("operations", name="Anna")
    for number in range(1, 12):
        set_limits(account, anna, credit_limit=Decimal(number), reason=f"change {number:02}")
        if number <= 6:  # a page of the one is older than a page of the other
            note(anna, "account", account.id, action="CHANGE", reason=f"entry {number:02}")
    page, found = find_address(account) + "?show=history", []
    while page:
        html = support.get(page).content.decode()
        found += [line[4] for line in list_lines(html)]
        older = re.findall(r'href="(\?show=history&amp;before=[^"]+)"', html)
        page = find_address(account) + older[0].replace("&amp;", "&") if older else ""
    wanted = []
    for number in range(11, 0, -1):
        wanted += [f"entry {number:02}"] * (number <= 6) + [f"change {number:02}"]
    assert found == [*wanted, ""]


@pytest.mark.parametrize("before", ["", "x", "1", "-", "1-", "-1", "99999999999999999999-1", "1-2-3", "١-٢"])
def test_a_place_that_is_none_is_the_newest(support, account, before):
    assert support.get(find_address(account), {"show": "history", "before": before}).status_code == 200


def test_the_address_of_a_history_leads_to_it(support, account):
    placed = hold(AccountFactory(funds="5"), "1")
    row = deposit(account, "1")
    for model, thing in (
        ("accounts/account", account),
        ("accounts/user", account.user),
        ("accounts/hold", placed),
        ("transactions/transaction", row),
    ):
        answer = support.get(f"/admin/{model}/{thing.pk}/history/", follow=True)
        assert answer.status_code == 200
        assert "History" in read_text(answer.content.decode())
