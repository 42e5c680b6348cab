"""What axe-core finds on every page, for every role, in both themes and languages: nothing that matters."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests import cast
from tests.browser.pages import list_pages
from tests.browser.steps import come_in
from tests.office.staff import make_staff
from tests.office.things import make_things

THEME = "(theme) => document.documentElement.classList.toggle('dark', theme === 'dark')"
RUN = """rules => axe.run(document, {resultTypes: ["violations"], ...(rules && {runOnly: rules})}).then(
    found => found.violations.filter(each => ["critical", "serious", "moderate"].includes(each.impact)).map(
        each => [each.impact, each.id, ...each.nodes.slice(0, 3).map(node => node.html.slice(0, 300))]))"""
ROLES = ("administrator", "support", "operations", "auditor")


@pytest.fixture
def things(transactional_db, settings):
    settings.WEBHOOK_LOOPBACK = True  # of one of the things
    things = make_things()
    account = things["accounts/account"]
    cast.withdraw(account, "5000", reference="too much")
    cast.deposit(account, "5", effective_at=cast.day("2025-01-10"), metadata={"key": "value"})
    return things


def find_faults(page):
    """What axe-core has against the page, in the theme that it is in; then the contrast in the other one."""
    page.add_style_tag(content="* { transition: none !important; }")  # or colours are still on their way
    page.evaluate(AXE_SCRIPT)
    faults = page.evaluate(RUN, None)
    is_dark = page.evaluate("document.documentElement.classList.contains('dark')")
    page.evaluate(THEME, "light" if is_dark else "dark")
    return faults + page.evaluate(RUN, ["color-contrast"])


@pytest.mark.parametrize(
    ("role", "locale", "scheme"),
    [
        ("administrator", "en", "light"),
        ("administrator", "ru", "dark"),
        ("support", "ru", "light"),
        ("operations", "en", "dark"),
        ("auditor", "ru", "dark"),
    ],
)
@pytest.mark.timeout(600)
def test_no_page_keeps_anybody_out(open_browser, things, role, locale, scheme):
    is_chief = role == "administrator"
    staff = make_staff(*([] if is_chief else [role]), superuser=is_chief, username="vera", name="Vera Lindt")
    page = open_browser(locale=locale, color_scheme=scheme, reduced_motion="reduce")
    come_in(page, staff)
    addresses = list_pages(staff, things)
    assert len(addresses) > 20
    faults = {}
    for address in addresses:
        page.goto(address)
        if found := find_faults(page):
            faults[address] = found
    assert faults == {}


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_the_pages_before_the_door_keep_nobody_out(open_browser, transactional_db, locale):
    page = open_browser(locale=locale, reduced_motion="reduce")
    page.goto("/admin/login/")
    assert find_faults(page) == []


def test_a_fault_would_be_found(page, transactional_db):
    """Or else the tests before show nothing."""
    come_in(page, make_staff("support"))
    page.evaluate("document.querySelector('main').outerHTML = '<img src=\"/static/office/icon.svg\">'")
    assert {fault[1] for fault in find_faults(page)} >= {"image-alt", "landmark-one-main"}


def test_the_first_tab_leads_past_the_sidebar(page, transactional_db):
    come_in(page, make_staff("support"))
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
