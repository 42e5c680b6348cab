"""After the password: the code of an authenticator app, and what ends a session."""

import base64
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urljoin, urlsplit

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.management import CommandError
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY

from accounts.models import SecondFactor, seal_secret
from office import site
from office.site import OFFERED
from office.visits.sessions import hash_key
from tests.cast import UserFactory
from tests.events.test_upkeep import run
from tests.office.addresses import list_urls
from tests.office.answers import find_accesses
from tests.office.coming_in import INDEX, LOGIN, SECOND, is_inside, log_in, read_secret, send_code
from tests.office.staff import (
    PASSWORD,
    code_of,
    dismiss,
    enter_code,
    give_device,
    make_staff,
    open_office,
    set_staff,
)


@pytest.fixture
def device(olga):
    return give_device(olga)


def test_the_password_leads_to_the_second_factor_and_that_to_the_page_that_was_asked_for(
    olga, browser, device
):
    success_url = "/admin/accounts/account/?q=x"
    first = browser.get(success_url)
    assert first.headers["Location"] == "/admin/login/?next=/admin/accounts/account/%3Fq%3Dx"
    fields = {"username": "olga", "password": PASSWORD, "next": success_url}
    answer = browser.post(first["Location"], fields, follow=True)
    assert [url for url, _ in answer.redirect_chain][-1].startswith(SECOND)
    assert "data-secret" not in answer.content.decode()
    answer = browser.post(answer.redirect_chain[-1][0], {"otp_token": enter_code(device)})
    assert answer["Location"] == success_url
    assert browser.get(success_url).status_code == 200


def test_without_the_second_factor_no_page_opens(olga, browser):
    give_device(olga)
    set_staff(olga, "staff.superuser_created", is_superuser=True)
    log_in(browser)
    assert find_accesses() == []
    for url in list_urls():
        for method in ("get", "post"):
            answer = getattr(browser, method)(url)
            assert answer.status_code == 302, url
            assert answer["Location"].startswith((LOGIN, INDEX)), url
            assert Session.objects.count() == 1
    assert find_accesses() == []


def test_the_page_of_the_second_factor_shows_nothing_of_the_back_office(olga, browser):
    log_in(browser)
    page = browser.get(SECOND)
    links = set(re.findall(r'(?:href|action)="([^"]*)"', page.content.decode()))
    assert not {link for link in links if link.startswith("/admin/")} - {SECOND}
    assert not page.context.get("sidebar_navigation")
    assert not page.context.get("available_apps")


def is_here(answer):
    """Whether it leads to this host."""
    return urlsplit(urljoin("http://testserver" + SECOND, answer["Location"])).netloc == "testserver"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        r"/\evil.example",
        "javascript:x",
        "\x00",
        "/admin/?x=%0d%0aX: y",
    ],
)
def test_nobody_is_led_elsewhere(olga, browser, elsewhere, device):
    answer = log_in(browser, success_url=quote(elsewhere))
    while "second-factor" not in answer["Location"]:
        assert is_here(answer)
        answer = browser.get(urljoin(LOGIN, answer["Location"]))
    answer = send_code(browser, enter_code(device), quote(elsewhere))
    assert is_here(answer)
    assert is_inside(browser)


def test_who_has_no_app_is_shown_a_secret_until_it_is_confirmed(olga, browser):
    log_in(browser)
    secret = read_secret(browser.get(SECOND))
    assert read_secret(browser.get(SECOND)) == secret
    wrong = send_code(browser, "000000" if code_of(secret) != "000000" else "000001")
    assert "not right" in wrong.content.decode()
    assert SecondFactor.objects.count() == 0
    assert not is_inside(browser)
    assert send_code(browser, code_of(secret))["Location"] == INDEX
    assert is_inside(browser)
    assert OFFERED not in browser.session
    lines = [line for line in find_accesses() if line.action != "VIEW"]
    assert {(line.actor, line.subject, line.subject_id) for line in lines} == {
        (olga.id, "staff", str(olga.id))
    }
    assert [(line.action, line.type) for line in lines] == [
        ("LOGIN", "login.failed"),
        ("CHANGE", "staff.second_factor_set"),
        ("LOGIN", "login.succeeded"),
    ]
    other = Client()
    log_in(other)
    assert "data-secret" not in other.get(SECOND).content.decode()


def test_the_secret_that_is_typed_is_that_of_the_picture_whatever_its_last_letter(olga, browser):
    log_in(browser)
    for key in ("00" * 19 + "03", "ff" * 19 + "7b", "00" * 20):  # base32 ends in D, 3, A
        session = browser.session
        session[OFFERED] = seal_secret(olga.pk, bytes.fromhex(key))
        session.save()
        assert base64.b32decode(read_secret(browser.get(SECOND))).hex() == key


def test_a_secret_that_somebody_else_was_shown_is_not_what_is_kept(olga, browser):
    thief = Client()
    log_in(thief)
    known = read_secret(thief.get(SECOND))
    log_in(browser)
    own = read_secret(browser.get(SECOND))
    assert own != known
    send_code(browser, code_of(own))
    assert is_inside(browser)
    assert "data-secret" not in thief.get(SECOND).content.decode()
    send_code(thief, code_of(known))
    assert not is_inside(thief)
    assert SecondFactor.objects.filter(user=olga).count() == 1


def test_two_browsers_that_enrol_at_once_are_not_both_kept(olga, browser, rf):
    """As the second sees it whose request began before the first was done."""
    request = rf.post(SECOND)
    request.user, request.session = olga, {OFFERED: seal_secret(olga.pk, b"another browser's s")}
    log_in(browser)
    send_code(browser, code_of(read_secret(browser.get(SECOND))))
    code = code_of(base64.b32encode(b"another browser's s"))
    assert site._enrol(request, code) is None
    assert SecondFactor.objects.filter(user=olga).count() == 1


def test_a_code_is_not_taken_twice(olga, device):
    code = enter_code(device)
    first, second = Client(), Client()
    log_in(first)
    log_in(second)
    send_code(first, code)
    send_code(second, code)
    assert is_inside(first)
    assert not is_inside(second)


def test_the_code_of_enrolling_is_not_taken_twice(olga, browser):
    log_in(browser)
    code = code_of(read_secret(browser.get(SECOND)))
    send_code(browser, code)
    second = Client()
    log_in(second)
    send_code(second, code)
    assert not is_inside(second)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "12 456", "١٢٣٤٥٦", "\x00" * 6, "-12345"])
def test_what_is_no_code_is_not_tried(olga, browser, code, device):
    log_in(browser)
    assert send_code(browser, code).status_code == 200
    device.refresh_from_db()
    assert device.throttling_failure_count == 0
    assert not is_inside(browser)


def test_after_wrong_codes_the_right_one_waits(olga, browser, device):
    log_in(browser)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        code = enter_code(device)
        for _ in range(3):
            send_code(browser, f"{(int(code) + 500_000) % 1_000_000:06d}")
            send_code(browser, enter_code(device))
            assert not is_inside(browser)
            clock.shift(timedelta(seconds=10))
        device.refresh_from_db()
        assert device.throttling_failure_count == 3
        send_code(browser, enter_code(device))
        assert is_inside(browser)


def test_the_session_gets_a_new_key_with_every_step(olga, browser, device):
    log_in(browser)
    first = browser.session.session_key
    send_code(browser, enter_code(device))
    assert browser.session.session_key != first
    assert Session.objects.filter(session_key=hash_key(browser.session.session_key)).exists()
    assert not Session.objects.filter(session_key=hash_key(first)).exists()


def test_a_device_that_is_taken_away_ends_what_it_opened(olga):
    browser = open_office(olga)
    assert is_inside(browser)
    SecondFactor.objects.filter(user=olga).delete()
    assert not is_inside(browser)


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}, {"password": "!"}])
def test_who_is_not_staff_any_more_is_out(olga, change):
    browser = open_office(olga)
    assert is_inside(browser)
    if "is_staff" in change:
        dismiss(olga)
    type(olga).objects.filter(id=olga.id).update(**change)
    assert not is_inside(browser)
    assert browser.get(SECOND)["Location"] == LOGIN


def test_a_device_of_somebody_else_opens_nothing(olga):
    browser = open_office(olga)
    session = browser.session
    session[DEVICE_ID_SESSION_KEY] = give_device(make_staff("support")).persistent_id
    session.save()
    assert not is_inside(browser)


def test_a_session_ends_when_nothing_was_looked_at_for_its_time(olga, settings):
    now = datetime.now(UTC)
    with time_machine.travel(now, tick=False) as clock:
        browser = open_office(olga)
        for _ in range(4):
            clock.shift(timedelta(seconds=settings.SESSION_COOKIE_AGE - 10))
            assert is_inside(browser)
        clock.shift(timedelta(seconds=settings.SESSION_COOKIE_AGE + 10))
        assert not is_inside(browser)


@pytest.mark.parametrize("path", [LOGIN, SECOND, INDEX, "/admin/language/", "/admin/jsi18n/"])
def test_an_old_cookie_does_no_harm(browser, path):
    browser.cookies["sessionid"] = "a" * 32
    assert browser.get(path).status_code in (200, 302)
    assert Session.objects.count() == 0


def test_logging_out_ends_the_session(olga):
    browser = open_office(olga)
    key = browser.session.session_key
    assert Session.objects.filter(session_key=hash_key(key)).exists()
    assert browser.post("/admin/logout/").status_code in (200, 302)
    assert not Session.objects.filter(session_key=hash_key(key)).exists()
    assert not is_inside(browser)


def test_leaving_at_the_second_factor_ends_the_session(olga, browser):
    log_in(browser)
    assert browser.post(SECOND, {"leave": "1"})["Location"] == LOGIN
    assert Session.objects.count() == 0


def test_with_the_second_factor_switched_off_the_password_is_enough(olga, browser, settings):
    settings.SECOND_FACTOR = False
    log_in(browser)
    assert is_inside(browser)


def test_the_second_factor_is_on_unless_somebody_debugs(settings):
    assert settings.SECOND_FACTOR is True


def test_on_the_machine_a_lost_app_is_forgotten(olga):
    client = open_office(olga)
    assert is_inside(client)
    assert run("reset_second_factor", "olga") == "olga had an authenticator app.\n"
    assert not is_inside(client)
    UserFactory(name="petya")
    with pytest.raises(CommandError, match="no member of staff petya"):
        run("reset_second_factor", "petya")
