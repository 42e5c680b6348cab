from axes.models import AccessAttempt
from django.contrib.auth.models import Group
from django.test import Client

from accounts import staff
from accounts.models import SecondFactor, Staff, User
from tests.cast import issue_token
from tests.office.answers import find_accesses, find_secret, hear, read
from tests.office.staff import PASSWORD, make_staff, open_office

STAFF = "/admin/accounts/staff/"
COMMANDS = ("groups", "password", "reset-second-factor", "unlock", "deactivate", "activate")
ASKED = {"username": "anna", "name": "Anna", "groups": ["support"], "reason": "new colleague"}


def do(client, member, command, **asked):
    return client.post(f"{STAFF}{member.pk}/{command}/", {"reason": "because", **asked})


def test_who_is_made_gets_a_password_that_is_shown_once_and_must_enrol_a_second_factor(superuser):
    answer = superuser.post(f"{STAFF}create/", ASKED)
    password = find_secret(answer)
    assert "no-store" in answer["Cache-Control"]
    anna = User.objects.get(username="anna")
    assert (anna.is_staff, anna.is_superuser, anna.name) == (True, False, "Anna")
    assert [group.name for group in anna.groups.all()] == ["support"]
    client = Client()
    asked = {"username": "anna", "password": password, "next": "/admin/"}
    answer = client.post("/admin/login/", asked, follow=True)
    assert "/admin/second-factor/" in answer.redirect_chain[-1][0]
    assert "data-secret" in read(answer)
    assert client.get("/admin/accounts/user/").status_code == 302
    [access] = find_accesses(action="CHANGE")
    assert (access.type, access.subject_id, access.reason) == ("staff.created", str(anna.pk), "new colleague")
    made = {"username": "anna", "name": "Anna", "is_staff": True, "is_active": True, "groups": ["support"]}
    assert access.after == {**made, "must_change_password": True}
    kept = f"{dict(superuser.session)} {[vars(each) for each in find_accesses()]}"
    assert password not in kept + hear(superuser.get(STAFF))
    assert password not in read(superuser.get(f"{STAFF}{anna.pk}/change/"))


def test_a_name_that_is_taken_or_malformed_makes_nobody(superuser, petya):
    before = User.objects.count()
    for username in ("boss", str(petya.id), "a b", "", "x" * 151, "a\x00b", "<b>"):
        text = read(superuser.post(f"{STAFF}create/", {**ASKED, "username": username}), 422)
        assert "office-secret" not in text, username
    assert "already" in read(superuser.post(f"{STAFF}create/", {**ASKED, "username": "boss"}), 422)
    assert User.objects.count() == before
    assert find_accesses(action="CHANGE") == []


def test_the_form_asks_for_a_reason_and_knows_no_group_but_those_of_staff(superuser):
    for wrong in ({"reason": " "}, {"groups": ["api-admin"]}, {"groups": ["x"]}):
        read(superuser.post(f"{STAFF}create/", {**ASKED, **wrong}), 422)
    assert not User.objects.filter(username="anna").exists()


def test_no_page_makes_a_superuser(superuser):
    more = {"is_superuser": "on", "is_staff": "on", "user_permissions": ["1"]}
    read(superuser.post(f"{STAFF}create/", {**ASKED, **more}))
    anna = User.objects.get(username="anna")
    for command in COMMANDS:
        do(superuser, anna, command, **more)
    superuser.post(f"{STAFF}{anna.pk}/change/", more)
    superuser.post(f"{STAFF}add/", {**ASKED, **more, "username": "eve"})
    assert [user.username for user in User.objects.filter(is_superuser=True)] == ["boss"]
    assert not User.objects.filter(username="eve").exists()
    assert not User.user_permissions.through.objects.exists()


def test_groups_are_exactly_those_that_are_chosen(superuser):
    anna = make_staff("support", "api-admin")
    shown = read(superuser.get(f"{STAFF}{anna.pk}/groups/"))
    assert 'value="support"' in shown
    assert "checked" in shown
    do(superuser, anna, "groups", groups=["operations", "auditor"])
    assert {group.name for group in anna.groups.all()} == {"operations", "auditor"}
    [access] = find_accesses(action="CHANGE")
    assert (access.subject, access.subject_id) == ("staff", str(anna.pk))
    assert (access.type, access.reason) == ("staff.groups_changed", "because")
    assert access.after == {"groups": ["auditor", "operations"]}


def test_who_is_deactivated_is_out_at_once_and_comes_in_again_when_activated(superuser):
    anna = make_staff("support", username="anna")
    browser = open_office(anna)
    assert browser.get("/admin/accounts/user/").status_code == 200
    do(superuser, anna, "deactivate")
    assert browser.get("/admin/accounts/user/").status_code == 302
    assert "Activate" in read(superuser.get(f"{STAFF}{anna.pk}/change/"))
    do(superuser, anna, "activate")
    assert open_office(anna).get("/admin/accounts/user/").status_code == 200


def test_a_new_password_ends_the_sessions_of_the_old_one(superuser):
    anna = make_staff("support", username="anna", password=PASSWORD)
    browser = open_office(anna)
    answer = do(superuser, anna, "password")
    password = find_secret(answer)
    assert "no-store" in answer["Cache-Control"]
    assert browser.get("/admin/accounts/user/").status_code == 302
    anna.refresh_from_db()
    assert anna.check_password(password)
    assert not anna.check_password(PASSWORD)


def test_without_their_second_factor_they_enrol_again(superuser):
    anna = make_staff("support", username="anna")
    browser = open_office(anna)
    assert "Reset second factor" in read(superuser.get(f"{STAFF}{anna.pk}/change/"))
    do(superuser, anna, "reset-second-factor")
    assert not SecondFactor.objects.filter(user=anna).exists()
    assert "data-secret" in read(browser.get("/admin/", follow=True))
    assert "Reset second factor" not in read(superuser.get(f"{STAFF}{anna.pk}/change/"))


def test_who_is_locked_out_is_let_in_again(superuser):
    make_staff("support", username="anna", password=PASSWORD)
    anna = Staff.objects.get(username="anna")
    browser = Client()

    def log_in(password):
        return browser.post("/admin/login/", {"username": "anna", "password": password}).status_code

    assert "/unlock/" not in read(superuser.get(f"{STAFF}{anna.pk}/change/"))
    for _ in range(5):
        last = log_in("wrong")
    assert last == 429
    assert log_in(PASSWORD) == 429
    assert "/unlock/" in read(superuser.get(f"{STAFF}{anna.pk}/change/"))
    do(superuser, anna, "unlock")
    assert not AccessAttempt.objects.exists()
    assert "/unlock/" not in read(superuser.get(f"{STAFF}{anna.pk}/change/"))
    assert log_in(PASSWORD) == 302


def test_services_and_account_holders_are_not_staff(superuser, petya):
    issue_token("api-read")
    service = User.objects.get(username__startswith="service-")
    assert service.username not in read(superuser.get(STAFF))
    for user in (service, petya):
        assert superuser.get(f"{STAFF}{user.pk}/change/").status_code == 302
        assert do(superuser, user, "deactivate").status_code == 302
        user.refresh_from_db()
        assert user.is_active


def test_the_list_shows_who_is_who_and_costs_the_same_for_few_and_for_many(
    superuser, django_assert_num_queries
):
    make_staff("support", "auditor", username="anna")
    superuser.get(STAFF)
    with django_assert_num_queries(14):
        assert "auditor, support" in read(superuser.get(STAFF))
    for _ in range(20):
        make_staff("support")
    with django_assert_num_queries(14):
        read(superuser.get(STAFF))
    assert "anna" not in read(superuser.get(f"{STAFF}?q=boss")).split("<main")[-1].split("</main")[0]
    assert [access.action for access in find_accesses(type__startswith="staff.")] == ["VIEW"] * 3 + ["SEARCH"]


def test_a_list_keeps_its_order_whatever_the_address_asks_for(superuser):
    for username in ("c", "a", "b"):
        make_staff(username=username)
    text = read(superuser.get(f"{STAFF}?o=-1"))
    assert text.index(">a<") < text.index(">b<") < text.index(">c<")


def test_every_group_of_staff_is_one_that_there_is():
    assert Group.objects.filter(name__in=staff.GROUPS).count() == len(staff.GROUPS)
