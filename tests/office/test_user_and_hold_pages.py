"""The pages of users, holds and audits."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from accounts import operations
from accounts.models import Account, Hold, User
from ledger.callers import Caller
from tests.asking import ask, capture_of, change_hold
from tests.cast import CALLER, AccountFactory, UserFactory, deposit, hold, hold_that_expires
from tests.office import answers
from tests.office.staff import make_staff
from transactions import posting
from transactions.models import AuditRun

USERS, HOLDS, AUDITS = "/admin/accounts/user/", "/admin/accounts/hold/", "/admin/transactions/auditrun/"


def read(browser, address, **query):
    return answers.read(browser.get(address, query))


def release_page(held):
    return f"{HOLDS}{held.id}/release/"


def test_a_user_shows_all_its_accounts_and_no_secret(support):
    petya = UserFactory(name="petya", external_id="crm-9", metadata={"city": "Perm"})
    operations.create_account(user_id=petya.id, currency="EUR", name="savings", caller=CALLER)
    deposit(petya.accounts.get(currency="USD"), "1234.5")
    hold(petya.accounts.get(currency="USD"), "34.5")
    text = read(support, f"{USERS}{petya.id}/change/")
    for shown in (
        "petya",
        "crm-9",
        "city",
        "Perm",
        "<bdi>savings</bdi> EUR",
        "1,234.50\xa0USD",
        "34.50\xa0USD",
        "1,200.00\xa0USD",
    ):
        assert shown in text
    for account in petya.accounts.all():
        assert f"/admin/accounts/account/{account.id}/change/" in text
    petya.refresh_from_db()
    assert petya.password not in text
    assert "created as" not in text.lower()


def test_staff_and_services_are_users_too(support, petya):
    service = User.objects.create_user(username="engine", name="The engine")
    staff = make_staff("support", username="helper")
    for user, kind in [(service, "Service"), (staff, "Staff"), (petya, "Account holder")]:
        assert kind in read(support, f"{USERS}{user.id}/change/")


def test_users_are_listed_newest_first_and_searched_as_in_find(support):
    users = [UserFactory(name=f"Ivan {number}", external_id=f"crm-{number}") for number in range(3)]
    text = read(support, USERS)
    places = [text.index(f"{USERS}{user.id}/") for user in users]
    assert places == sorted(places, reverse=True)
    for words in ("ivan 1", "crm-1", str(users[1].id)):
        found = read(support, USERS, q=words)
        assert [str(user.id) in found for user in users] == [False, True, False], words
    for words in ("van", "%", "crm", "_van", "a" * 10_000, "'"):
        assert str(users[0].id) not in support.get(USERS, {"q": words}, follow=True).content.decode(), words
    assert "Null characters are not allowed" in read(support, USERS, q="\x00")


def test_a_hold_shows_what_became_of_it(support, account):
    deposit(account, "100")
    held = hold(account, "50", reference="order 9", metadata={"shop": "7"})
    [capture] = posting.post([capture_of(held, Decimal(20), final=False)], caller=Caller(account.user_id))
    text = read(support, f"{HOLDS}{held.id}/change/")
    for shown in ("50.00\xa0USD", "20.00\xa0USD", "30.00\xa0USD", "order 9", "shop", "never", "petya"):
        assert shown in text
    assert f"/admin/transactions/transaction/{capture.transaction.id}/change/" in text


def test_a_declined_hold_says_why(support, account):
    text = read(support, f"{HOLDS}{hold(account, '5').id}/change/")
    assert "The account has less available than the hold requires." in text
    assert "0.00\xa0USD" in text


def test_a_hold_that_expected_something_else_says_what_there_was(support, account):
    for _ in range(41):
        deposit(account, "1")
    text = read(support, f"{HOLDS}{hold(account, '5', expected_sequence=37).id}/change/")
    assert "The account is not at the expected sequence." in text
    told = re.sub(r"<[^>]+>|\s+", " ", text.partition("The account is not at")[2])
    assert re.search(r" number of the last event\W+42\W+expected number of the last event\W+37\W", told)


def test_a_hold_whose_time_is_over_is_shown_as_expired_and_cannot_be_released(operations, account):
    deposit(account, "100")
    held = hold_that_expires(account, "50")
    assert Hold.objects.get(id=held.id).status == "OPEN"
    for text in (read(operations, f"{HOLDS}{held.id}/change/"), read(operations, HOLDS)):
        assert "expired" in text
        assert release_page(held) not in text
    answer = operations.post(release_page(held), {"reason": "x"})
    assert (answer.status_code, "not open any more" in answer.content.decode()) == (422, True)


def test_a_hold_is_released_with_a_reason(operations, account):
    deposit(account, "100")
    held = hold(account, "50")
    assert release_page(held) in read(operations, f"{HOLDS}{held.id}/change/")
    assert operations.post(release_page(held), {"reason": ""}).status_code == 422
    assert Account.objects.get(id=account.id).held == 50
    text = operations.post(release_page(held), {"reason": "Shop closed"}, follow=True).content.decode()
    assert "The hold was released" in text
    assert Account.objects.get(id=account.id).held == 0
    [line] = answers.find_accesses(action="CHANGE")
    assert (line.subject, line.subject_id, line.reason) == ("hold", str(held.id), "Shop closed")
    assert release_page(held) not in read(operations, f"{HOLDS}{held.id}/change/")


def test_holds_are_listed_newest_first_and_searched_by_id(support, account):
    deposit(account, "100")
    held = [hold(account, "1") for _ in range(3)]
    text = read(support, HOLDS)
    places = [text.index(f"{HOLDS}{each.id}/") for each in held]
    assert places == sorted(places, reverse=True)
    found = read(support, HOLDS, q=str(held[1].id))
    assert [str(each.id) in found for each in held] == [False, True, False]
    assert str(held[0].id) not in read(support, HOLDS, q="x")


def test_an_audit_says_what_it_covered_and_found(support):
    end = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    runs = [
        AuditRun.objects.create(
            started_at=end - timedelta(seconds=12.5),
            finished_at=end + timedelta(hours=findings),
            seen_through=end,
            is_whole=findings == 0,
            accounts=77,
            rows=12345,
            findings=findings,
        )
        for findings in (0, 3)
    ]
    clean, unclean = (read(support, f"{AUDITS}{run.id}/change/") for run in runs)
    assert "clean" in clean
    assert "all accounts and all checks" in clean
    assert "12.5" in clean
    assert "findings: 3" in unclean
    assert "a part" in unclean
    text = read(support, AUDITS)
    assert text.index(str(runs[1].id)) < text.index(str(runs[0].id))


def test_a_hold_that_was_changed_shows_how_it_was_placed_and_whom_it_paid(support, account):
    deposit(account, "100")
    held, shop = hold(account, "50"), AccountFactory()
    text = read(support, f"{HOLDS}{held.id}/change/")
    assert "as placed" not in text
    changes = {"amount": Decimal(60), "expires_at": datetime(2998, 5, 6, tzinfo=UTC)}
    change_hold(id=held.id, changes=changes)
    parts = [(shop.id, Decimal(7)), (shop.id, Decimal(8))]
    rows = ask(capture_of(held, final=False, destinations=parts)).transactions
    text = read(support, f"{HOLDS}{held.id}/change/")
    for shown in ("60.00\xa0USD", "50.00\xa0USD", "never"):
        assert shown in text
    for shown in ("Amount as placed", "Expires as placed", "Paid into"):
        assert shown in text
    assert all(f"/transaction/{row.id}/change/" in text for row in rows)
    assert "which keeps its rest" in read(support, f"/admin/transactions/transaction/{rows[0].id}/change/")
