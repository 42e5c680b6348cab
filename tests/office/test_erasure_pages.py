"""Forgetting a person in the office: one asks, another decides, and the pages say so."""

import pytest

from accounts.models import Erasure, User
from events.texts import ERASED
from tests.cast import UserFactory, deposit, issue_token
from tests.office.answers import hear, read
from tests.office.staff import make_staff, open_office

pytestmark = pytest.mark.django_db

NAME, HANDLE, MAIL = "Ivan Konstantinov", "crm-4711-x", "ivan@konstantinov.example"
LIST = "/admin/accounts/erasure/"


def page_of(thing, name="change"):
    return f"/admin/accounts/{type(thing).__name__.lower()}/{thing.pk}/{name}/"


@pytest.fixture
def ivan():
    user = UserFactory(name=NAME, external_id=HANDLE, metadata={"mail": MAIL})
    deposit(user.accounts.get(), "100")
    return user


@pytest.fixture
def maker():
    return open_office(make_staff("operations", name="Olga"))


@pytest.fixture
def checker():
    return open_office(make_staff("operations", name="Boris"))


@pytest.fixture
def waiting(ivan, maker):
    maker.post(page_of(ivan, "forget"), {"reason": "a letter of 3 May"})
    return Erasure.objects.get(user=ivan)


def test_one_asks_and_another_approves(ivan, maker, checker):
    assert "Money, references" in read(maker.get(page_of(ivan, "forget")))
    asked = maker.post(page_of(ivan, "forget"), {"reason": "a letter of 3 May"}, follow=True)
    assert "This waits for a second person to approve it." in read(asked)
    waiting = Erasure.objects.get(user=ivan)
    assert maker.get(page_of(waiting, "approve")).status_code == 403
    assert maker.post(page_of(waiting, "approve"), {"reason": "x"}).status_code == 403
    assert NAME in read(checker.get(LIST))
    approved = checker.post(page_of(waiting, "approve"), {"reason": "it is his own"}, follow=True)
    assert "The person is forgotten." in read(approved)
    assert User.objects.get(pk=ivan.pk).name == ERASED
    for address in (page_of(ivan), page_of(waiting), f"{LIST}?state=all", "/admin/accounts/user/"):
        page = read(checker.get(address))
        assert ERASED in page
        for gone in (NAME, HANDLE, MAIL):
            assert gone not in page
    shown = read(checker.get(page_of(ivan)))
    assert "This person was forgotten on" in shown
    assert "Forget this person" not in shown
    assert "100.00" in shown


def test_get_changes_nothing(ivan, maker, checker, waiting):
    assert checker.get(page_of(waiting, "approve")).status_code == 200
    assert User.objects.get(pk=ivan.pk).name == NAME


def test_a_second_person_may_reject(ivan, waiting, checker):
    rejected = checker.post(page_of(waiting, "reject"), {"reason": "he has an open case"}, follow=True)
    assert "Nobody was forgotten." in read(rejected)
    assert User.objects.get(pk=ivan.pk).name == NAME
    assert "Forget this person" in read(checker.get(page_of(ivan)))
    again = checker.post(page_of(waiting, "approve"), {"reason": "x"})
    assert (again.status_code, "This was decided already." in again.content.decode()) == (422, True)


def test_who_has_asked_may_take_it_back(ivan, waiting, maker):
    assert "You have asked for this" in read(maker.get(page_of(waiting)))
    maker.post(page_of(waiting, "reject"), {"reason": "a mistake"})
    assert Erasure.objects.get().status == "REJECTED"


def test_it_is_asked_for_once(ivan, waiting, checker):
    assert "Somebody has asked to forget this person." in read(checker.get(page_of(ivan)))
    again = checker.post(page_of(ivan, "forget"), {"reason": "x"})
    assert (again.status_code, "already" in again.content.decode()) == (422, True)
    assert Erasure.objects.count() == 1


@pytest.mark.parametrize("group", ["support", "auditor"])
def test_support_and_auditors_do_not(ivan, waiting, group):
    other = open_office(make_staff(group))
    assert "Forget this person" not in read(other.get(page_of(ivan)))
    for address in (page_of(ivan, "forget"), page_of(waiting, "approve"), page_of(waiting, "reject")):
        assert other.post(address, {"reason": "x"}).status_code == 403
    assert other.get(LIST).status_code == (200 if group == "auditor" else 403)
    assert User.objects.get(pk=ivan.pk).name == NAME


def test_staff_and_services_are_not_forgotten(maker):
    issue_token("api-post")
    for user in (make_staff("support"), User.objects.get(username__startswith="service-")):
        assert "Forget this person" not in read(maker.get(page_of(user).replace("/staff/", "/user/")))
        answer = maker.post(page_of(user, "forget"), {"reason": "x"})
        assert (answer.status_code, "no account holder" in answer.content.decode()) == (422, True)


def test_what_people_have_named_or_written_is_set_apart(waiting, checker):
    checker.post(page_of(waiting, "reject"), {"reason": "a mistake"})
    for address in (f"{LIST}?state=all", page_of(waiting)):
        page = checker.get(address).content.decode()
        for text in (NAME, "a letter of 3 May", "Olga", "Boris"):
            assert f"<bdi>{text}</bdi>" in page, (address, text)


def test_it_is_in_russian_too(ivan, waiting, checker):
    page = read(checker.get(page_of(waiting), headers={"accept-language": "ru"}))
    assert "Ждёт второго сотрудника" in page
    answer = checker.post(page_of(waiting, "approve"), {"reason": "x"}, headers={"accept-language": "ru"})
    assert "Человек забыт." in hear(answer)


def test_the_sidebar_counts_what_waits(waiting, checker):
    assert "Erasures" in read(checker.get("/admin/"))
