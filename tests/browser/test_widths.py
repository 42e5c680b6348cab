"""Whatever people have written: no page is wider than its window, and no column than it may be."""

import pytest

from tests import asking, cast
from tests.browser.pages import list_pages
from tests.browser.steps import come_in, measure_overflow
from tests.office.notes import note
from tests.office.staff import make_staff
from tests.office.things import make_things

LONG = "A" * 150
HOSTILE = "<script>alert(1)</script>\"'&amp;=1+1|cmd" + "\N{PILE OF POO}" * 20 + "مرحبا" * 10
WIDTHS = (390, 720, 1024, 1440)
COLUMN_MAX = 416  # pixels of one column, with what is around its text
# The cells of all tables that are wider than they may be, with their beginnings; of an open page the whole.
WIDE = """max => [...document.querySelectorAll('td, th, dd, .office-amounts > div, h1')].filter(cell =>
    cell.checkVisibility() && !cell.hasAttribute('colspan')
    && !(cell.parentElement.matches('tr') && cell.parentElement.children.length < 3)  // halves of a page
    && cell.getBoundingClientRect().width > (cell.matches('dd, div, h1') ? window.innerWidth : max)
).map(cell => [cell.tagName, cell.className, cell.innerText.slice(0, 40)])"""
BROKEN_MONEY = """() => [...document.querySelectorAll('.office-number, .office-amounts strong')].filter(
    each =>
    each.checkVisibility() && each.getClientRects().length > 0 && /\\d/.test(each.innerText)
    && !each.querySelector('bdi, time')
    && (() => { const range = document.createRange(); range.selectNodeContents(each);
                return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1 })()
).map(each => each.innerText)"""


@pytest.fixture
def things(transactional_db, settings):
    settings.WEBHOOK_LOOPBACK = True  # of one of the things
    things = make_things()
    for name in (LONG, HOSTILE):
        account = cast.UserFactory(
            name=name, external_id=name[:60], metadata={name[:40]: name}
        ).accounts.get()
        cast.withdraw(account, "999999999999.99", reference=name[:200])  # declined
        cast.deposit(account, "999999999999.99", reference=name[:200], metadata={name[:40]: name})
        cast.hold(account, "999999999.99", reference=name[:200])
        asking.freeze(id=account.id, reason=LONG * 3, request_id="test")
    things["accounts/account"], things["accounts/user"] = account, account.user
    note(make_staff("support", username=LONG[:140], name=LONG), words=LONG, detail=LONG)
    return things


@pytest.mark.timeout(600)
def test_nothing_is_wider_than_it_may_be(open_browser, things):
    chief = make_staff(superuser=True, username="chief")
    page = open_browser()
    come_in(page, chief)
    wide = {}
    for address in list_pages(chief, things, words="A" * 30):
        page.goto(address)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            column = width if width < 1024 else COLUMN_MAX
            found = [measure_overflow(page)] if measure_overflow(page) > 0 else []
            found += page.evaluate(WIDE, column) + page.evaluate(BROKEN_MONEY)
            if found:
                wide[width, address] = found[:5]
    assert wide == {}


def test_a_search_of_255_letters_stays_in_its_column(open_browser, things):
    page = open_browser(viewport={"width": 1440, "height": 900})
    come_in(page, make_staff(superuser=True, username="chief"))
    page.goto("/admin/find/?q=" + "W" * 255)
    page.goto("/admin/events/recordentry/")
    assert page.get_by_text("W" * 255).count() == 1
    assert page.evaluate(WIDE, COLUMN_MAX) == []
