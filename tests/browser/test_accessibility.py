"""What axe-core finds on every page, for every role, in both themes and languages: nothing that matters."""

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests import cast
from tests.browser.pages import (
    ask_nothing,
    choose_to_approve,
    choose_to_reverse,
    find_shape,
    go_to_place,
    list_pages,
)
from tests.browser.steps import come_in
from tests.office.staff import make_staff
from tests.office.things import make_things

THEME = "(theme) => document.documentElement.classList.toggle('dark', theme === 'dark')"
RUN = """options => axe.run(document, {resultTypes: ["violations"], ...options}).then(
    found => found.violations.filter(each => ["critical", "serious", "moderate"].includes(each.impact)).map(
        each => [each.impact, each.id, ...each.nodes.slice(0, 3).map(node => node.html.slice(0, 300))]))"""
CONTRAST = "color-contrast"
ROLES = ("administrator", "support", "operations", "auditor")


@pytest.fixture
def things(transactional_db, settings):
    settings.WEBHOOK_LOOPBACK = True  # of one of the things
    things = make_things()
    account = things["accounts/account"]
    cast.withdraw(account, "5000", reference="too much")
    cast.deposit(account, "5", effective_at=cast.day("2025-01-10"), metadata={"key": "value"})
    return things


def find_faults(page, *, with_contrast=True):
    """What axe-core has against the page, in the theme that it is in; then the contrast in the other one."""
    page.add_style_tag(content="* { transition: none !important; }")  # or colours are still on their way
    page.evaluate(AXE_SCRIPT)
    faults = page.evaluate(RUN, {"rules": {CONTRAST: {"enabled": with_contrast}}})
    if with_contrast:
        is_dark = page.evaluate("document.documentElement.classList.contains('dark')")
        page.evaluate(THEME, "light" if is_dark else "dark")
        faults += page.evaluate(RUN, {"runOnly": [CONTRAST]})
    return faults


def make_role(role):
    is_chief = role == "administrator"
    return make_staff(*([] if is_chief else [role]), superuser=is_chief, username=role, name="Vera Lindt")


def look_at(page, address, **options):
    """The faults of the page at this address, or of where the function of this name goes."""
    go_to_place(page, address)
    return find_faults(page, **options)


@pytest.mark.drill
@pytest.mark.timeout(900)
def test_no_page_keeps_anybody_out(open_browser, things):
    """Each role's pages, but for those that are built as one that was looked at: in both themes."""
    account = things["accounts/account"]
    faults, shapes = {}, set()
    for role in ROLES:
        staff = make_role(role)
        page = open_browser(reduced_motion="reduce")
        come_in(page, staff)
        pages = list_pages(staff, things)
        assert len(pages) > 40, role
        built = {find_shape(html): address for address, html in pages.items()}
        addresses: list[Any] = [address for shape, address in built.items() if shape not in shapes]
        shapes |= set(built)
        if role in ("administrator", "operations"):
            addresses += [
                lambda page: ask_nothing(page, account, "adjust"),
                lambda page: choose_to_reverse(page, account),
                choose_to_approve,
            ]
        for number, address in enumerate(addresses):
            if found := look_at(page, address):
                faults[role, address if isinstance(address, str) else number] = found
    assert faults == {}


@pytest.mark.drill
@pytest.mark.timeout(900)
def test_no_page_keeps_anybody_out_who_reads_russian(open_browser, things):
    """Names and landmarks, which are texts; colours are the same."""
    chief = make_role("administrator")
    page = open_browser(locale="ru-RU", reduced_motion="reduce")
    come_in(page, chief)
    faults, shapes = {}, set()
    for address, html in list_pages(chief, things).items():
        if find_shape(html) not in shapes:
            shapes.add(find_shape(html))
            if found := look_at(page, address, with_contrast=False):
                faults[address] = found
    assert faults == {}


def test_the_pages_of_every_day_keep_nobody_out(open_browser, things):
    """The dashboard, a list, an account, what is found, and a form that says what is missing."""
    page = open_browser(reduced_motion="reduce")
    come_in(page, make_role("operations"))
    account = things["accounts/account"]
    places: list[Any] = [
        "/admin/",
        "/admin/transactions/transaction/",
        f"/admin/accounts/account/{account.pk}/change/",
    ]
    places += ["/admin/find/?q=Masha", lambda page: ask_nothing(page, account, "adjust")]
    assert [found for each in places if (found := look_at(page, each))] == []


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
