"""The pages that are there for everybody: on a desk, on a phone, by keyboard, in both languages."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Hold
from tests import cast
from tests.browser.steps import (
    come_in,
    fill_login,
    find_lead,
    go_to,
    measure_overflow,
    open_menu,
    open_page,
    open_subject,
)
from tests.office.staff import PASSWORD, enter_code, give_device, make_staff
from transactions.models import Transaction

LISTS = (
    *("Users", "Accounts", "Transactions", "Holds", "Corrections", "Subscriptions", "Events"),
    *("Access log", "Audits", "Staff", "Tokens"),
)


@pytest.fixture
def chief(transactional_db):
    return make_staff(superuser=True, username="chief", password=PASSWORD)


@pytest.fixture
def account(transactional_db):
    account = cast.UserFactory(name="Masha Petrova", external_id="crm-1").accounts.get()
    cast.deposit(account, "120.00", reference="a reference without any blank in it, " + "x" * 150)
    cast.withdraw(account, "5000")
    cast.hold(account, "20")
    return account


def test_every_page_of_the_sidebar_opens(page, chief, account):
    come_in(page, chief)
    for name in ("Find", *LISTS):
        open_page(page, name)
        expect(page.locator("h1")).to_contain_text(re.compile(name.split()[0], re.IGNORECASE))


def test_nothing_is_wider_than_a_phone(phone, chief, account):
    come_in(phone, chief)
    for name in ("Dashboard", "Find", *LISTS):
        phone.get_by_role("button", name="Menu").click()
        open_page(phone, name)
        assert measure_overflow(phone) <= 0, name
    for subject in (account, account.user, Transaction.objects.earliest("recorded_at"), Hold.objects.get()):
        open_subject(phone, subject)
        assert measure_overflow(phone) <= 0, subject


def test_the_pages_before_the_door_fit_a_phone(phone, chief):
    phone.goto("/admin/login/")
    assert measure_overflow(phone) <= 0
    fill_login(phone, chief)
    expect(phone.locator("[data-secret] svg")).to_be_visible()
    assert measure_overflow(phone) <= 0


def test_the_language_is_switched_and_back(page, chief):
    come_in(page, chief)
    open_menu(page)
    page.get_by_role("button", name="Русский").click()
    expect(find_lead(page, "Счета")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "ru"
    page.reload()
    expect(page).to_have_title("Обзор | Ledger")
    page.get_by_role("button", name="chief").click()
    page.get_by_role("button", name="English").click()
    expect(page).to_have_title("Dashboard | Ledger")


def test_somebody_logs_out_by_keyboard(page, chief):
    come_in(page, chief)
    go_to(page, page.get_by_role("button", name="chief: language, theme, leaving"))
    page.keyboard.press("Enter")
    go_to(page, page.get_by_role("button", name="Log out"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/logout/")
    page.goto("/admin/")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_somebody_comes_in_by_keyboard_alone(page, chief):
    device = give_device(chief)
    page.goto("/admin/")
    keyboard = page.keyboard
    go_to(page, page.get_by_label("Username"))
    keyboard.type("chief")
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    code = page.get_by_label("Code of your authenticator app")
    expect(code).to_be_visible()
    go_to(page, code)  # chromium does not always follow autofocus
    keyboard.type(enter_code(device))
    keyboard.press("Enter")
    expect(page).to_have_title("Dashboard | Ledger")
    go_to(page, find_lead(page, "Users"))
    keyboard.press("Enter")
    page.wait_for_url("**/admin/accounts/user/")
