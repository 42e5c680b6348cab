"""What an actor did, what a team changed, and the filters of the access log."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tokens
from accounts.models import Token, User
from events import subscriptions
from office.pages.people import done
from tests.cast import CALLER, AccountFactory, deposit, issue_token, new_id
from tests.conftest import make_client
from tests.names import NOBODY
from tests.office.answers import find_accesses, read
from tests.office.correcting import adjust
from tests.office.notes import note
from tests.office.staff import make_staff, open_office
from tests.office.test_histories import list_lines
from tests.transactions.test_plans import count_rows_touched

pytestmark = pytest.mark.django_db

CHANGES, LOG = "/admin/changes/", "/admin/events/recordentry/"


@pytest.fixture
def auditor():
    return open_office(make_staff("auditor", username="ann"))


@pytest.fixture
def account():
    return AccountFactory(name="Ivan", funds="100")


def find_page(user):
    return f"/admin/accounts/user/{user.pk}/change/"


def list_ids(html, model="transactions/transaction"):
    ids = re.findall(rf"/admin/{model}/([0-9a-f-]{{36}})/change/", html)
    return list(dict.fromkeys(ids))


def act(client, path, body):
    answer = client.post(path, body, headers={"Idempotency-Key": str(new_id())})
    assert answer.status_code in (200, 201), answer.content
    return answer.json()


def deposit_over_http(client, account):
    return act(client, "/api/v1/transactions", {"account": str(account.id), "type": "DEPOSIT", "amount": "5"})


@pytest.fixture
def service():
    return make_client("api-post")


def find_service():
    return User.objects.filter(is_staff=False, groups__name="api-post").latest("created_at")


def test_of_a_service_its_transactions_and_holds_are_shown_and_nobody_elses(operations, account, service):
    made = deposit_over_http(service, account)
    placed = act(service, "/api/v1/holds", {"account": str(account.id), "amount": "1"})
    other = deposit(account, "7")
    user = find_service()
    page = read(operations.get(find_page(user), {"show": "done"}))
    assert list_ids(page) == [made["id"]]
    assert str(other.id) not in page
    assert "names the service and not which of its tokens" in page
    page = read(operations.get(find_page(user), {"show": "done", "kind": "holds"}))
    assert list_ids(page, "accounts/hold") == [placed["id"]]


def test_it_is_of_the_days_that_are_asked_for(operations, account, service):
    deposit_over_http(service, account)
    user, today = find_service(), timezone.now().date()
    yesterday = (today - timedelta(days=1)).isoformat()
    for days, count in (
        ({}, 1),
        ({"since": today.isoformat(), "until": today.isoformat()}, 1),
        ({"since": yesterday, "until": yesterday}, 0),
        ({"since": yesterday, "until": today.isoformat()}, 1),
    ):
        page = read(operations.get(find_page(user), {"show": "done", **days}))
        assert len(list_ids(page)) == count, days


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ({"since": "2024-02-30"}, "This is not a day like 2026-12-31."),
        ({"since": "x"}, "This is not a day like 2026-12-31."),
        ({"since": "2024-03-02", "until": "2024-03-01"}, "The first day is after the last one."),
        ({"since": "2024-01-01", "until": "2024-02-01"}, "At most 31 days."),
        ({"since": "9999-12-31"}, "This is not a day like 2026-12-31."),
        ({"until": "\x00"}, "Null characters are not allowed."),
    ],
)
def test_days_that_are_none_are_refused_in_a_sentence(operations, days, sentence):
    member = make_staff("support")
    for page in (find_page(member), CHANGES):
        answer = operations.get(page, {"show": "done", **days})
        assert answer.status_code == 200
        assert sentence in read(answer)


def test_a_long_list_goes_on_where_it_ended_and_a_walk_says_how_far_it_came(
    operations, account, service, monkeypatch
):
    made = []
    for number in range(7):
        made.insert(0, deposit_over_http(service, account)["id"])
        for _ in range(5 if number == 3 else number % 2):
            deposit(account, "3")
    monkeypatch.setattr(done, "PAGE_SIZE", 2)
    monkeypatch.setattr(done, "WALK_MAX", 4)
    monkeypatch.setattr(done, "TRANSACTIONS", done._write_walk("transactions_transaction", "recorded_at"))
    page, found, was_cut = f"{find_page(find_service())}?show=done", [], False
    while page:
        html = read(operations.get(page))
        found += list_ids(html)
        was_cut |= "were looked through, back to" in html
        older = re.findall(r'href="(\?show=done[^"]*before=[^"]+)"', html)
        page = find_page(find_service()) + older[0].replace("&amp;", "&") if older else ""
    assert found == made
    assert was_cut


def test_a_walk_touches_no_more_than_it_may_and_a_page_of_them(account):
    for _ in range(30):
        deposit(account, "1")
    values = {
        "actor": new_id(),
        "since": timezone.now() - timedelta(days=1),
        "before": timezone.now() + timedelta(days=1),
        "before_id": new_id(),
    }
    statement = done.TRANSACTIONS.replace(f"LIMIT {done.WALK_MAX}", "LIMIT 10")
    assert count_rows_touched(statement, values) <= 4 * 10  # walked, and read twice


def test_of_staff_their_changes_and_their_last_login(operations, account):
    anna = make_staff("operations", name="Anna")
    adjust(account, "500", anna)
    note(anna, "account", account.id)  # a look
    User.objects.filter(pk=anna.pk).update(last_login=timezone.now())
    page = read(operations.get(find_page(anna), {"show": "done", "kind": "changes"}))
    assert [line[2].split(" correction ")[0] for line in list_lines(page)] == ["Correction asked for"]
    assert "Last login:" in page


def test_a_token_leads_to_what_its_user_did_and_its_last_use_is_there(superuser, operations):
    token = Token.objects.get(token_key=issue_token("api-post")[:15])
    tokens.note_uses({token.digest: timezone.now()})
    page = read(superuser.get(f"/admin/accounts/token/{token.token_key}/change/"))
    assert f'href="{find_page(token.user)}?show=done"' in page
    shown = read(superuser.get(find_page(token.user), {"show": "done"}))
    assert "A token was last used:" in shown
    assert token.token_key in shown
    shown = read(operations.get(find_page(token.user), {"show": "done"}))
    assert "A token was last used:" in shown
    assert token.token_key not in shown


def test_support_does_not_see_what_others_did_and_a_holder_has_no_such_tab(support, operations, account):
    member = make_staff("support")
    assert "What they did" not in read(support.get(find_page(member)))
    assert 'id="done"' not in read(support.get(find_page(member), {"show": "done"}))
    assert "What they did" in read(operations.get(find_page(member)))
    assert "What they did" not in read(operations.get(find_page(account.user)))


def test_a_supervisor_sees_todays_changes_of_staff_without_what_they_looked_at(operations, account):
    anna, boris = make_staff("operations", name="Anna Petrova"), make_staff("support", name="Boris")
    adjust(account, "500", anna)
    open_office(boris).post(f"/admin/accounts/account/{account.id}/freeze/", {"reason": "a stolen card"})
    for _ in range(5):
        note(boris, "account", account.id)
    subscriptions.create(kind="webhook", url=NOBODY, caller=CALLER)  # of a service
    lines = list_lines(read(operations.get(CHANGES)))
    assert [line[1] for line in lines] == ["Boris", "Anna Petrova"]
    assert lines[0][4] == "a stolen card"
    assert [line[1] for line in list_lines(read(operations.get(CHANGES, {"who": "PETR"})))] == [
        "Anna Petrova"
    ]
    assert list_lines(read(operations.get(CHANGES, {"who": "nobody"}))) == []
    yesterday = (timezone.now() - timedelta(days=1)).date().isoformat()
    assert list_lines(read(operations.get(CHANGES, {"since": yesterday, "until": yesterday}))) == []
    assert find_accesses(subject="changes")[1].detail == "PETR"


def test_changes_name_the_customer_and_the_values_in_their_currency(operations, account):
    boris = make_staff("operations", name="Boris")
    limits = {"credit_limit": "25", "withdraw_max": "40", "withdraw_day_max": "", "reason": "as agreed"}
    open_office(boris).post(f"/admin/accounts/account/{account.id}/limits/", limits)
    [line] = list_lines(read(operations.get(CHANGES)))
    assert "Ivan" in line[2]
    assert str(account.id) not in line[2]
    for said in ("Credit limit: 25.00 USD", "Most in one withdrawal: 40.00 USD"):
        assert said in line[3].replace("\xa0", " ")
    assert "credit_limit=" not in "".join(line)


def test_a_supervisor_sees_no_changes_of_what_is_not_theirs_to_see(operations, superuser):
    member = make_staff("support")
    superuser.post(f"/admin/accounts/staff/{member.pk}/groups/", {"groups": ["auditor"], "reason": "x"})
    assert list_lines(read(operations.get(CHANGES))) == []
    assert len(list_lines(read(superuser.get(CHANGES)))) == 1


def test_the_access_log_is_filtered_by_person_action_and_day_together(auditor, account):
    bob, rob = (
        make_staff("support", username="bob"),
        make_staff("support", username="rx", name="Robert Bobov"),
    )
    note(bob, "account", account.id, detail="entry-1")
    note(bob, "account", account.id, action="CHANGE", detail="entry-2")
    note(rob, "account", account.id, action="CHANGE", detail="entry-3")
    note(rob, "hold", new_id(), action="EXPORT", detail="entry-4")
    today = timezone.now().date()
    tomorrow, yesterday = ((today + timedelta(days=d)).isoformat() for d in (1, -1))
    today = today.isoformat()
    for asked, found in [
        ({"who": "BOB"}, [4, 3, 2, 1]),
        ({"who": "robert"}, [4, 3]),
        ({"who": "bob", "action": "CHANGE"}, [3, 2]),
        ({"action": "CHANGE"}, [3, 2]),
        ({"action": "EXPORT"}, [4]),
        ({"q": str(account.id), "action": "CHANGE"}, [3, 2]),
        ({"q": str(account.id), "who": "robert"}, [3]),
        ({"q": "bob", "action": "VIEW"}, [1]),
        ({"q": "bob", "who": "robert"}, []),
        ({"who": "nobody at all"}, []),
        ({"action": "CHANGE", "since": today, "until": today}, [3, 2]),
        ({"action": "CHANGE", "until": yesterday}, []),
        ({"action": "CHANGE", "since": tomorrow}, []),
        ({"since": "x"}, []),
        ({"action": "GUESS"}, []),
    ]:
        text = read(auditor.get(LOG, asked))
        assert re.findall(r"entry-(\d)", text) == [str(number) for number in found], asked


def test_older_lines_and_the_csv_keep_the_filters(auditor):
    bob = make_staff("support", username="bob")
    for number in range(60):
        note(bob, detail=f"entry-{number:03}", action="CHANGE" if number % 10 else "VIEW")
    text = read(auditor.get(LOG, {"who": "bob", "action": "CHANGE"}))
    assert len(re.findall(r"entry-\d+", text)) == 50
    [older] = re.findall(r'href="(\?[^"]*)"[^>]*>\s*Older', text)
    text = read(auditor.get(LOG + older.replace("&amp;", "&")))
    assert re.findall(r"entry-\d+", text) == ["entry-004", "entry-003", "entry-002", "entry-001"]
    [csv] = re.findall(r'href="(\?[^"]*csv=1)"', text)
    assert len(re.findall(r"entry-\d+", read(auditor.get(LOG + csv.replace("&amp;", "&"))))) == 4


def test_who_did_what_speaks_russian(operations, account):
    adjust(account, "500", make_staff("operations", name="Anna"))
    page = read(operations.get(CHANGES, headers={"accept-language": "ru"}))
    assert "Исправление запрошено" in page
