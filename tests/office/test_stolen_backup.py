"""Whoever has a copy of the database and no key comes in nowhere: by no second factor, and by no session."""

import secrets
from base64 import b32decode, b32encode, b64encode

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import SecondFactor, read_secret, seal_secret
from ledger.ciphers import Undecipherable
from office.site import OFFERED
from tests.cast import issue_token
from tests.database import execute
from tests.office import coming_in
from tests.office.answers import find_accesses
from tests.office.coming_in import INDEX, SECOND, is_inside, log_in, send_code
from tests.office.staff import code_of, enter_code, give_device, make_staff, open_office

FORMS = (
    bytes.hex,
    lambda secret: secret.hex().upper(),
    lambda secret: b32encode(secret).decode(),
    lambda secret: b32encode(secret).decode().lower(),
    lambda secret: b64encode(secret).decode(),
    lambda secret: b64encode(secret, b"-_").decode().rstrip("="),
)


def dump():
    """Everything that any table holds, as `pg_dump` writes it: a text, in which bytes are hexadecimal."""
    tables = execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    rows = (row for (table,) in tables for row in execute(f'SELECT t::text FROM "{table}" AS t'))
    text = "\n".join(row for (row,) in rows)
    assert text.count("\n") > 50
    return text


def is_in(text, secret):
    return any(form(secret).rstrip("=") in text for form in FORMS)


def test_no_secret_of_an_authenticator_app_is_in_the_database(olga, browser):
    log_in(browser)
    offered = b32decode(coming_in.read_secret(browser.get(SECOND)))
    assert Session.objects.count() == 1
    assert not is_in(dump(), offered)  # in the session, until it is confirmed
    send_code(browser, code_of(b32encode(offered)))
    assert is_inside(browser)
    [device] = SecondFactor.objects.all()
    assert read_secret(olga.pk, device.secret) == offered
    text = dump()
    assert device.secret in text
    assert not is_in(text, offered)
    assert is_in(f"{text}{b32encode(offered).decode()}", offered)  # it would be seen


def test_the_key_of_a_session_and_a_token_are_not_in_the_database(olga):
    browser, token = open_office(olga), issue_token("api-read", user=olga)
    assert is_inside(browser)
    text = dump()
    for secret in (browser.session.session_key, token, token[15:]):
        assert secret not in text


def test_what_the_database_has_of_a_session_opens_nothing(olga):
    browser = open_office(olga)
    assert is_inside(browser)
    [kept] = Session.objects.values_list("session_key", flat=True)
    thief = Client()
    thief.cookies["sessionid"] = kept
    assert thief.get(INDEX).status_code == 302
    assert is_inside(browser)


def test_a_secret_is_encrypted_anew_after_a_change_of_the_key_and_the_old_key_is_done_with(
    olga, browser, settings
):
    device = give_device(olga)
    old, settings.SECOND_FACTOR_KEY = settings.SECOND_FACTOR_KEY, "a new key of second factors, for tests"
    settings.SECOND_FACTOR_KEY_FALLBACKS = [old]
    code = enter_code(device)
    log_in(browser)
    send_code(browser, code)
    assert is_inside(browser)
    settings.SECOND_FACTOR_KEY_FALLBACKS = []
    with pytest.raises(Undecipherable):
        read_secret(olga.pk, device.secret)
    before = device.secret
    device.refresh_from_db()
    assert device.secret != before
    assert len(read_secret(olga.pk, device.secret)) == 20


@pytest.mark.parametrize("lost", ["its key", "its text", "its user"])
def test_a_second_factor_that_cannot_be_read_is_refused_by_name(olga, browser, settings, lost):
    device = give_device(olga)
    code = enter_code(device)
    if lost == "its key":
        settings.SECOND_FACTOR_KEY = "another key of second factors, for tests"
    elif lost == "its text":
        SecondFactor.objects.update(secret=device.secret[:-2] + "AA")
    else:
        SecondFactor.objects.update(secret=seal_secret(make_staff().pk, secrets.token_bytes(20)))
    log_in(browser)
    page = send_code(browser, code)
    assert page.status_code == 200
    assert "SECOND_FACTOR_KEY" in page.content.decode()
    assert not is_inside(browser)
    assert [(line.type, line.detail) for line in find_accesses(action="LOGIN")] == [("login.failed", "key")]
    device.refresh_from_db()
    assert device.throttling_failure_count == 0


def test_a_secret_that_was_offered_under_a_lost_key_is_offered_anew(olga, browser, settings):
    log_in(browser)
    first = coming_in.read_secret(browser.get(SECOND))
    settings.SECOND_FACTOR_KEY = "another key of second factors, for tests"
    assert "SECOND_FACTOR_KEY" in send_code(browser, code_of(first)).content.decode()
    second = coming_in.read_secret(browser.get(SECOND))
    assert second != first
    send_code(browser, code_of(second))
    assert is_inside(browser)
    assert OFFERED not in browser.session
