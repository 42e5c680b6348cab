"""Coming into the back office: the password, the second factor, and what keeps others out."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from axes.models import AccessAttempt, AccessLog
from django.test import Client
from structlog.testing import capture_logs

from accounts.models import SecondFactor
from tests.office.answers import find_accesses
from tests.office.coming_in import WRONG, is_inside, log_in, send_code
from tests.office.staff import PASSWORD, dismiss, enter_code, give_device, make_staff, open_office


@pytest.fixture
def petya(db):
    """Somebody with a password and permissions, who is not staff."""
    dismiss(make_staff("operations", username="petya", password=PASSWORD))


@pytest.mark.usefixtures("petya")
def test_the_right_password_of_who_is_not_staff_is_answered_like_a_wrong_one():
    def answer(username, password, address="127.0.0.1"):
        browser, answers = Client(REMOTE_ADDR=address), []
        for _ in range(6):
            page = log_in(browser, username, password)
            text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.content.decode())
            answers.append((page.status_code, text.replace(username, "X")))
        return answers

    permission = answer("petya", PASSWORD)
    assert [status for status, _ in permission] == [200, 200, 200, 200, 429, 429]
    assert permission == answer("petya", WRONG, "10.0.0.1") == answer("vasya", WRONG)


def test_five_wrong_passwords_lock_out_one_user_from_one_address(olga, browser, settings):
    make_staff(username="boris", password=PASSWORD)
    assert [log_in(browser, password=WRONG).status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    permission = log_in(browser)
    assert permission.status_code == 429
    assert "Locked out" in permission.content.decode()
    assert log_in(browser, "boris").status_code == 302
    assert log_in(Client(REMOTE_ADDR="10.0.0.9")).status_code == 302
    page = log_in(Client(HTTP_ACCEPT_LANGUAGE="ru"))
    assert page.status_code == 429
    assert 'lang="ru"' in page.content.decode()
    with time_machine.travel(datetime.now(UTC) + settings.AXES_COOLOFF_TIME + timedelta(seconds=1)):
        assert log_in(Client()).status_code == 302


def test_the_right_password_forgives_the_wrong_ones(olga):
    for _ in range(3):
        for _ in range(4):
            assert log_in(Client(), password=WRONG).status_code == 200
        assert log_in(Client()).status_code == 302


def test_a_locked_out_script_is_answered_too(olga, browser):
    for _ in range(5):
        log_in(browser, password=WRONG)
    assert log_in(browser, HTTP_X_REQUESTED_WITH="XMLHttpRequest").status_code == 429


def test_what_is_logged_of_a_wrong_password_does_not_hold_it(olga, browser, caplog):
    with capture_logs() as logs:
        log_in(browser, password="swordfish-" + WRONG)
    assert "swordfish" not in str(logs) + caplog.text
    [attempt] = AccessAttempt.objects.values()
    assert "swordfish" not in str(attempt)
    log_in(browser)
    log = AccessLog.objects.order_by("-id").values().first()
    assert log["username"] == "olga"
    assert "swordfish" not in str(log)


@pytest.mark.parametrize(
    ("tls", "named", "counted"),
    [
        (False, "6.6.6.6", "127.0.0.1"),
        (True, "6.6.6.6, 10.1.1.1", "10.1.1.1"),
        (True, "2001:db8::1", "2001:db8::1"),
        (True, "nonsense", "127.0.0.1"),
        (True, "", "127.0.0.1"),
    ],
)
def test_the_address_is_what_the_proxy_says_where_there_is_one(olga, browser, settings, tls, named, counted):
    settings.BEHIND_TLS = tls
    log_in(browser, password=WRONG, HTTP_X_FORWARDED_FOR=named)
    assert [attempt.ip_address for attempt in AccessAttempt.objects.all()] == [counted]


@pytest.mark.parametrize("username", ["", "\x00", "x" * 5000, "\U0001f600", "' OR 1=1 --", "olga\n"])
def test_strange_user_names_do_no_harm(olga, browser, username):
    assert log_in(browser, username, WRONG).status_code == 200
    assert log_in(browser, username, WRONG, success_url="%00", HTTP_USER_AGENT="x" * 5000).status_code == 200


def test_ones_own_password_is_changed_with_a_line_in_the_log(olga):
    browser = open_office(olga)
    new = "quite another password"
    page = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    wrong = browser.post("/admin/password_change/", {**page, "old_password": WRONG})
    assert (wrong.status_code, find_accesses()) == (200, [])
    assert browser.post("/admin/password_change/", page).status_code == 302
    assert is_inside(browser)
    [line] = find_accesses(action="CHANGE")
    assert (line.type, line.actor, line.subject_id) == ("staff.password_changed", olga.pk, str(olga.pk))
    assert log_in(Client(), password=new).status_code == 302


def list_logins():
    return [(line.type, line.actor, line.subject_id, line.detail) for line in find_accesses(action="LOGIN")]


def test_every_login_is_an_entry_once_it_is_whole_and_so_is_its_end(olga, browser):
    device = give_device(olga)
    log_in(browser)
    assert list_logins() == []  # the second factor is to come
    send_code(browser, "000000" if enter_code(device) != "000000" else "000001")
    assert list_logins() == [("login.failed", olga.pk, str(olga.pk), "code")]
    SecondFactor.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    send_code(browser, enter_code(device))
    assert is_inside(browser)
    browser.post("/admin/logout/")
    assert [entry[0] for entry in list_logins()[1:]] == ["login.succeeded", "login.ended"]
    assert {entry[1] for entry in list_logins()} == {olga.pk}


def test_without_a_second_factor_the_password_is_the_login(olga, browser, settings):
    settings.SECOND_FACTOR = False
    log_in(browser)
    assert list_logins() == [("login.succeeded", olga.pk, str(olga.pk), "")]


def test_a_wrong_password_is_an_entry_of_nobody_with_the_name_that_was_tried(olga, browser):
    log_in(browser, password=WRONG)
    log_in(browser, "vasya", WRONG)
    assert list_logins() == [
        ("login.failed", None, str(olga.pk), "password olga"),
        ("login.failed", None, "", "password vasya"),
    ]
    assert WRONG not in str([vars(line) for line in find_accesses()])
    for _ in range(4):
        log_in(browser, password=WRONG)
    assert list_logins()[-1][-1] == "locked out olga"
