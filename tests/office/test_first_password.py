"""Whoever got their password from an administrator chooses another one before they see anything."""

import pytest
from django.contrib.auth.hashers import check_password

from tests.office.answers import find_accesses, find_secret, read
from tests.office.coming_in import INDEX, is_inside, log_in, read_secret, send_code
from tests.office.staff import PASSWORD, code_of, enter_code, give_device, make_staff

STAFF = "/admin/accounts/staff/"
CHANGE = "/admin/password_change/"
OWN = "one that only Anna knows"


def change(browser, old, new=OWN):
    return browser.post(CHANGE, {"old_password": old, "new_password1": new, "new_password2": new})


@pytest.fixture
def made(superuser):
    """The password of Anna, who is new."""
    asked = {"username": "anna", "name": "Anna", "groups": ["support"], "reason": "new colleague"}
    return find_secret(superuser.post(f"{STAFF}create/", asked))


def test_a_new_member_of_staff_chooses_a_password_before_they_see_anything(made, browser):
    log_in(browser, "anna", made)
    send_code(browser, code_of(read_secret(browser.get("/admin/second-factor/"))))
    for address in (INDEX, "/admin/accounts/user/", "/admin/find/", "/admin/accounts/account/"):
        answer = browser.get(address)
        assert (answer.status_code, answer["Location"]) == (302, CHANGE), address
    assert browser.post("/admin/accounts/account/x/freeze/", {"reason": "x"})["Location"] == CHANGE
    assert "Choose one that only you know" in read(browser.get(CHANGE))
    assert change(browser, made).status_code == 302
    assert is_inside(browser)
    assert [each.type for each in find_accesses(subject="staff", action="CHANGE")] == [
        "staff.created",
        "staff.second_factor_set",
        "staff.password_changed",
    ]


def test_the_password_that_was_given_is_not_chosen_again(made, browser):
    log_in(browser, "anna", made)
    send_code(browser, code_of(read_secret(browser.get("/admin/second-factor/"))))
    assert "the password that you have already" in read(change(browser, made, made))
    assert not is_inside(browser)


def test_a_password_that_was_reset_is_changed_too_and_the_log_out_is_open(superuser, browser):
    anna = make_staff("support", username="anna", password=PASSWORD)
    device = give_device(anna)
    given = find_secret(superuser.post(f"{STAFF}{anna.pk}/password/", {"reason": "forgot it"}))
    assert "must change the password" in read(superuser.get(f"{STAFF}{anna.pk}/change/")).lower()
    log_in(browser, "anna", given)
    send_code(browser, enter_code(device))
    assert browser.get(INDEX)["Location"] == CHANGE
    assert browser.post("/admin/logout/").status_code in (200, 302)
    assert "/admin/login/" in browser.get(INDEX)["Location"]
    anna.refresh_from_db()
    assert anna.must_change_password
    [reset] = find_accesses(type="staff.password_reset")
    assert reset.after == {"must_change_password": True}


def test_who_chose_their_password_is_asked_for_nothing(olga, browser):
    device = give_device(olga)
    log_in(browser)
    send_code(browser, enter_code(device))
    assert is_inside(browser)
    assert change(browser, PASSWORD).status_code == 302
    olga.refresh_from_db()
    assert check_password(OWN, olga.password)
