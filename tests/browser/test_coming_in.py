"""The password, the second factor, and the way out."""

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import expect

from events.models import Event
from tests.browser.steps import fill_login, give_code, give_password, open_subject
from tests.cast import AccountFactory
from tests.office.staff import PASSWORD, code_of, enter_code, give_device, make_staff


@pytest.fixture
def staff(transactional_db):
    return make_staff("support", username="vera", password=PASSWORD)


def test_somebody_sets_up_the_authenticator_app_and_comes_in_again_with_a_code(page, staff):
    give_password(page, staff)
    expect(page.get_by_text("Scan this with an authenticator app")).to_be_visible()
    expect(page.locator("[data-secret] svg")).to_be_visible()
    secret = page.locator("[data-secret]").get_attribute("data-secret")
    expect(page.get_by_text(secret)).to_be_visible()
    give_code(page, code_of(secret))
    expect(page).to_have_title("Dashboard | Ledger")

    page.context.clear_cookies()
    give_password(page, staff)
    expect(page.get_by_label("Code of your authenticator app")).to_be_visible()
    assert page.locator("[data-secret]").count() == 0
    give_code(page, code_of(secret, seconds=30))  # the next one: a code is good once
    expect(page).to_have_title("Dashboard | Ledger")


def test_a_wrong_code_is_refused(page, staff):
    device = give_device(staff)
    give_password(page, staff)
    code = enter_code(device)
    give_code(page, f"{(int(code) + 1) % 1_000_000:06d}")
    expect(page.get_by_text("This code is not right.")).to_be_visible()
    page.goto("/admin/")
    expect(page.get_by_label("Code of your authenticator app")).to_be_visible()


def test_the_address_that_somebody_wanted_is_where_they_come_to(page, staff):
    device = give_device(staff)
    page.goto("/admin/accounts/user/")
    fill_login(page, staff)
    give_code(page, enter_code(device))
    page.wait_for_url("**/admin/accounts/user/")


def test_somebody_without_a_phone_at_hand_goes_away_again(page, staff):
    give_password(page, staff)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_a_session_that_ends_inside_a_form_loses_no_text_and_does_nothing_twice(page, staff):
    account, device = AccountFactory(), give_device(staff)
    give_password(page, staff)
    give_code(page, enter_code(device))
    open_subject(page, account)
    page.get_by_role("link", name="Freeze", exact=True).click()
    page.locator("[name=reason]").fill("they rang: the card\nwas stolen, ticket 4711")
    Session.objects.update(expire_date=timezone.now())
    page.get_by_role("button", name="Freeze", exact=True).click()
    fill_login(page, staff)
    device.last_t = -1  # the code of this half minute once more
    device.save(update_fields=["last_t"])
    give_code(page, enter_code(device))
    expect(page.get_by_text("Your session had ended, and nothing was done.")).to_be_visible()
    expect(page.locator("[name=reason]")).to_have_value("they rang: the card\nwas stolen, ticket 4711")
    account.refresh_from_db()
    assert account.status == "ACTIVE"
    page.get_by_role("button", name="Freeze", exact=True).click()
    expect(page.get_by_text("ticket 4711").first).to_be_visible()
    account.refresh_from_db()
    assert account.status == "FROZEN"
    assert Event.objects.filter(stream=account.id, type="account.frozen").count() == 1
