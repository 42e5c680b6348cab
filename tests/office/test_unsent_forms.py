"""A session that ends in the middle of a form: what was typed is there again, for who typed it."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from office.visits import unsent
from tests.office.account_pages import find_address
from tests.office.answers import find_accesses, read
from tests.office.coming_in import log_in
from tests.office.staff import PASSWORD, enter_code, give_device, make_staff
from transactions.models import Correction, Transaction

ASKED = {
    "identity": "01910000-0000-7000-8000-00000000c0de",
    "type": "DEPOSIT",
    "amount": "12.50",
    "reference": "ticket 7",
    "reason": "a bank's <error> & more",
}


@pytest.fixture
def anna(db):
    return make_staff("operations", username="anna", password=PASSWORD)


@pytest.fixture
def device(anna):
    return give_device(anna)


def come_in(browser, device, page="/admin/", username="anna"):
    """To that page, as a browser is led there."""
    asked = log_in(browser, username, success_url=page, follow=True)
    address, _status = asked.redirect_chain[-1]
    device.refresh_from_db()
    device.last_t = -1  # the same code once more
    device.save(update_fields=["last_t"])
    return browser.post(address, {"otp_token": enter_code(device)}, follow=True)


def end_session():
    Session.objects.update(expire_date=timezone.now())


@pytest.fixture
def late(anna, device, browser, account):
    """A browser that has sent the form after its session had ended."""
    come_in(browser, device)
    browser.get(find_address(account, "adjust"))
    end_session()
    answer = browser.post(find_address(account, "adjust"), ASKED)
    assert answer["Location"].startswith("/admin/login/?next=")
    return browser


def test_what_was_typed_is_there_after_the_login_and_the_second_factor(late, device, account):
    page = read(come_in(late, device, find_address(account, "adjust")))
    assert "Your session had ended, and nothing was done." in page
    for shown in (
        'value="12.50"',
        'value="ticket 7"',
        "a bank&#x27;s &lt;error&gt; &amp; more",
        ASKED["identity"],
    ):
        assert shown in page, shown
    assert Transaction.objects.count() == Correction.objects.count() == 0
    assert find_accesses(action="CHANGE", subject="account") == []


def test_sent_then_it_is_done_once_and_the_next_form_is_empty(late, device, account):
    come_in(late, device, find_address(account, "adjust"))
    for _ in range(2):
        late.post(find_address(account, "adjust"), ASKED)
    assert Transaction.objects.filter(account=account).count() == 1
    page = read(late.get(find_address(account, "adjust")))
    assert "ticket 7" not in page
    assert "Your session had ended" not in page


def test_somebody_else_in_the_same_browser_sees_nothing_of_it(late, account):
    boris = make_staff("operations", username="boris", password=PASSWORD)
    page = read(come_in(late, give_device(boris), find_address(account, "adjust"), "boris"))
    assert "ticket 7" not in page
    assert "Your session had ended" not in page


def test_another_form_has_nothing_of_it(late, device, account):
    page = read(come_in(late, device, find_address(account, "freeze")))
    assert "a bank" not in page
    assert "ticket 7" in read(late.get(find_address(account, "adjust")))


def test_the_session_has_nothing_of_it_that_can_be_read(late):
    kept = " ".join(str(each.get_decoded()) for each in Session.objects.all())
    assert unsent.UNSENT in kept
    assert "ticket" not in kept
    assert "bank" not in kept


@pytest.mark.parametrize("cookie", ["", "x", "a" * 32, "0" * 3000])
def test_who_had_no_session_has_nothing_kept_and_no_row_is_made(account, cookie):
    stranger = Client()
    stranger.cookies["sessionid"] = cookie
    stranger.post(find_address(account, "adjust"), ASKED)
    assert Session.objects.count() == 0


def test_a_session_that_was_logged_out_keeps_nothing(anna, device, browser, account):
    come_in(browser, device)
    kept = browser.cookies["sessionid"].value
    browser.post("/admin/logout/")
    browser.cookies["sessionid"] = kept
    browser.post(find_address(account, "adjust"), ASKED)
    assert Session.objects.count() == 0


def test_no_password_and_nothing_too_long_is_kept(anna, device, browser, account):
    come_in(browser, device)
    end_session()
    passwords = {
        "old_password": PASSWORD,
        "new_password1": "a secret of hers",
        "new_password2": "a secret of hers",
    }
    browser.post("/admin/password_change/", passwords)
    browser.post(find_address(account, "adjust"), {**ASKED, "reason": "a" * unsent.LENGTH_MAX})
    browser.get(find_address(account, "adjust"))
    assert not [each for each in Session.objects.all() if unsent.UNSENT in each.get_decoded()]


def test_without_the_csrf_token_nothing_is_kept(anna, device, account):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(anna, backend="django.contrib.auth.backends.ModelBackend")
    end_session()
    assert browser.post(find_address(account, "adjust"), ASKED).status_code == 403
    assert Session.objects.count() == 1
