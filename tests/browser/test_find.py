"""Find by keyboard, over any page: nothing that was written on it is lost."""

import pytest
from playwright.sync_api import expect

from tests import cast
from tests.browser.steps import come_in, measure_overflow, open_page
from tests.office.staff import make_staff
from tests.searching import follow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def vera(transactional_db):
    return make_staff("support", username="vera")


@pytest.fixture
def people(transactional_db):
    accounts = [
        cast.AccountFactory(name=name) for name in ("Иван Сергеевич Петров", "Petrova Anna", "A" * 150)
    ]
    cast.deposit(accounts[0], "1234.50", reference="card 4455 " + "x" * 150)
    follow()
    return accounts


@pytest.mark.parametrize("key", ["Control+k", "/"])
def test_a_key_opens_find_on_any_page_and_enter_finds(page, vera, people, key):
    come_in(page, vera)
    for name in ("Dashboard", "Transactions"):  # whose list has a search of its own
        open_page(page, name)
        page.keyboard.press(key)
        expect(page.get_by_role("dialog", name="Find")).to_be_visible()
        page.keyboard.type("Петорв")
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/find/?q=*")
        expect(page.get_by_role("link", name="Иван Сергеевич Петров")).to_be_visible()


def test_the_last_customers_are_offered_and_one_is_a_click_away(page, vera, people):
    come_in(page, vera, people[1].user)
    open_page(page, "Dashboard")
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("link", name="Petrova Anna").click()
    page.wait_for_url(f"**/{people[1].user_id}/change/")


def test_what_was_written_on_the_page_is_still_there(page, transactional_db, people):
    come_in(page, make_staff("operations"), people[0])
    page.get_by_role("link", name="Freeze", exact=True).click()
    page.locator("[name=reason]").fill("see 24/11 ")
    page.locator("[name=reason]").press_sequentially("1/2")  # a slash is one here
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("[name=reason]")).to_have_value("see 24/11 1/2")


def test_what_is_found_and_the_dialog_fit_a_phone(phone, vera, people):
    come_in(phone, vera, people[2].user)
    phone.keyboard.press("Control+k")
    expect(phone.get_by_role("dialog").get_by_role("link")).to_be_visible()
    assert measure_overflow(phone) <= 0
    for words in ("петров", "aaaa", "4455"):
        phone.goto(f"/admin/find/?q={words}")
        expect(phone.locator(".office-found")).to_be_visible()
        assert measure_overflow(phone) <= 0, words
