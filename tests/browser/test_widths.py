"""Whatever people have written: no page is wider than its window, and no column than it may be."""

from decimal import Decimal
from urllib.parse import urlencode

import pytest

from accounts import operations
from accounts.models import Erasure
from events.models import Subscription
from ledger.callers import ActorKind, Caller
from tests import asking, cast
from tests.accounts.noting import note_about
from tests.browser.pages import ask_nothing, choose_to_approve, choose_to_reverse, go_to_place, list_pages
from tests.browser.steps import come_in, measure_overflow
from tests.claims import claim
from tests.office.notes import note
from tests.office.staff import make_staff
from tests.office.things import make_things
from transactions import corrections

LONG = "A" * 150
HOSTILE = "<script>alert(1)</script>\"'&amp;=1+1|cmd" + "\N{PILE OF POO}" * 20 + "مرحبا" * 10
TEXTS = (LONG, HOSTILE)
WIDTHS = (390, 720, 1024, 1440)
COLUMN_MAX = 416  # pixels of one column of a list, with what is around its text
# What is wrong with the layout of the page in sight: cells that are wider than they may be (of an open page
# the whole) or lie over another of their row, texts that leave their cell, and money that is broken.
FAULTS = """max => {
    const isOnlyHeard = each =>
        each && (getComputedStyle(each).clipPath !== 'none' || isOnlyHeard(each.parentElement));
    const cells = [...document.querySelectorAll('td, th, dd, dt, h1, h2, .office-amounts > div')].filter(
        each => each.checkVisibility() && each.getClientRects().length && !isOnlyHeard(each));
    const tell = (what, each) => [what, each.tagName, each.className, each.innerText.slice(0, 40)];
    const shown = new Map(cells.map(each => [each, each.getBoundingClientRect()]));
    const wide = cells.filter(each => !each.hasAttribute('colspan')
        && shown.get(each).width > (each.matches('#result_list *') ? max : window.innerWidth));
    const over = cells.filter(each => [...(each.parentElement?.children ?? [])].some(other => {
        const [a, b] = [shown.get(each), shown.get(other)];
        return b && other !== each && a.left < b.left && a.right > b.left + 1
            && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    }));
    const out = cells.filter(each => each.scrollWidth > each.clientWidth + 1 && each.clientWidth
        && getComputedStyle(each).overflowX === 'visible' && getComputedStyle(each).display !== 'inline');
    const broken = [...document.querySelectorAll('.office-number, .office-amounts strong')].filter(each => {
        if (!each.checkVisibility() || !each.getClientRects().length) return false;
        if (each.querySelector('bdi, time') || !/\\d/.test(each.innerText)) return false;
        const range = document.createRange();
        range.selectNodeContents(each);
        return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1;
    });
    const beyond = document.scrollingElement.scrollWidth <= window.innerWidth ? [] : [
        ...document.querySelectorAll('#main *')
    ].filter(each => each.getBoundingClientRect().right > window.innerWidth);
    return [...beyond.slice(-3).map(each => tell('beyond the window', each)),
        ...wide.map(each => tell('wide', each)), ...over.map(each => tell('over its neighbour', each)),
        ...out.map(each => tell('out of its cell', each)), ...broken.map(each => tell('broken', each))];
}"""


@pytest.fixture
def things(transactional_db, settings):
    """One of everything; where somebody may write something, that is long without a blank, or hostile."""
    settings.WEBHOOK_LOOPBACK = True  # of one of the things
    things = make_things()
    maker = make_staff("operations", username=LONG[:140], name=LONG)
    caller = Caller(maker.pk, ActorKind.STAFF, "test")
    for text in TEXTS:
        user = cast.UserFactory(name=text, external_id=text[:60], metadata={text[:40]: text})
        account, _ = operations.create_account(user_id=user.pk, currency="USD", name=text[:60], caller=caller)
        row = cast.deposit(account, "999999999999.99", reference=text[:200], metadata={text[:40]: text})
        cast.withdraw(account, "1000000000000", reference=text[:200])
        cast.transfer(account, user.accounts.exclude(pk=account.pk).get(), "1", reference=text[:200])
        held = cast.hold(account, "999999999.99", reference=text[:200])
        owed = claim(account, "1000000000000", reference=text[:200], reason=text * 3)
        asking.set_threshold(account, "5")
        asking.freeze(id=account.id, reason=text * 3, request_id="test")
        waiting = corrections.adjust(
            id=cast.new_id(), account_id=account.pk, type="DEPOSIT", amount=Decimal("999999999.99"),
            reference=text[:200], reason=text * 3, caller=caller,
        )  # fmt: skip
        written = note_about(user, maker, text=text * 3, link=f"https://example.com/{LONG * 2}", is_task=True)
        note(maker, words=text, detail=text)
    erasure = Erasure.objects.create(user=user, reason=LONG * 3, maker=maker)
    Subscription.objects.update(last_error=LONG * 3, failing_since=row.recorded_at, attempts=7)
    of_models = {
        "accounts/account": account, "accounts/user": user, "accounts/hold": held, "accounts/claim": owed,
        "accounts/erasure": erasure, "accounts/note": written, "accounts/staff": maker,
        "transactions/transaction": row, "transactions/correction": waiting,
    }  # fmt: skip
    return things | of_models


def look_at(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    column = width if width < 1024 else COLUMN_MAX
    return ([["overflow"]] if measure_overflow(page) > 0 else []) + page.evaluate(FAULTS, column)


@pytest.mark.drill
@pytest.mark.timeout(900)
def test_nothing_is_wider_than_it_may_be_and_nothing_runs(open_browser, things):
    chief = make_staff(superuser=True, username="chief")
    page = open_browser()
    come_in(page, chief)
    account = things["accounts/account"]
    places = [*list_pages(chief, things, words="A" * 30), lambda page: ask_nothing(page, account, "adjust")]
    places += [lambda page: choose_to_reverse(page, account), choose_to_approve]
    faults = {}
    for place in places:
        go_to_place(page, place)
        for width in WIDTHS:
            if found := look_at(page, width):
                faults[width, page.url] = found[:5]
    assert faults == {}


def test_lists_and_an_account_hold_what_is_long(open_browser, things):
    """As the drill for every page; these are of every day."""
    page = open_browser()
    come_in(page, make_staff("operations", username="vera"))
    account = things["accounts/account"]
    faults = {}
    for place in ("/admin/transactions/transaction/", f"/admin/accounts/account/{account.pk}/change/"):
        page.goto(place)
        for width in (390, 1440):
            if found := look_at(page, width):
                faults[width, place] = found[:5]
    assert faults == {}


@pytest.mark.parametrize(
    "words",
    ["W" * 255, HOSTILE, "\N{RIGHT-TO-LEFT OVERRIDE}abc", "=1+1"],
    ids=["long", "html", "override", "formula"],
)
def test_whatever_is_looked_for_stays_in_its_column_and_does_not_run(open_browser, transactional_db, words):
    page = open_browser(viewport={"width": 1440, "height": 900})
    come_in(page, make_staff(superuser=True, username="chief"))
    page.goto("/admin/find/?" + urlencode({"q": words}))
    assert look_at(page, 1440) == []
    page.goto("/admin/accounts/user/?" + urlencode({"q": words}))
    assert look_at(page, 390) == []
    page.goto("/admin/events/recordentry/")
    assert page.locator("#result_list").get_by_text(words[:20]).count() >= 1
    assert look_at(page, 1440) == []


def test_what_is_too_wide_would_be_found(page, transactional_db):
    """Or else the tests before show nothing."""
    come_in(page, make_staff("support"))
    page.evaluate(
        "html => { document.querySelector('#main').innerHTML = html }",
        f'<table id="result_list"><tr><td style="white-space: nowrap">{LONG}</td>'
        '<td style="display: inline-block; margin-left: -9px">x</td></tr></table>',
    )
    assert {fault[0] for fault in look_at(page, 1024)} >= {"wide", "over its neighbour"}
