"""A browser at the back office, which watches that no other machine is asked and nothing is broken."""

import os

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.steps import ARGUMENTS, Watch
from tests.programs import require

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium():
    program = require("chromium", "chromium")
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright has an event loop in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_browser(chromium, live_server):
    """Somebody's browser, with cookies of its own: `open_browser(viewport=PHONE)` is one more page."""
    opened = []

    def open_browser(**options):
        context = chromium.new_context(base_url=live_server.url, **{"viewport": DESK, **options})
        context.set_default_timeout(10_000)
        page = context.new_page()
        opened.append((context, Watch(page, live_server.url)))
        return page

    yield open_browser
    for context, watch in opened:
        context.close()
        watch.verify()


@pytest.fixture
def page(open_browser):
    return open_browser()


@pytest.fixture
def phone(open_browser):
    return open_browser(viewport=PHONE, is_mobile=True, has_touch=True)
