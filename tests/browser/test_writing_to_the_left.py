"""Names in Arabic and Hebrew among Latin ones: what stands beside them stays where it belongs."""

import os

import pytest
from playwright.sync_api import expect

from tests import cast
from tests.browser.steps import come_in, find, open_subject
from tests.office.notes import note
from tests.office.staff import make_staff
from tests.searching import follow

DAVID, SHALOM, ALI = "דוד", "שלום כהן (7)", "علي: 12"
# How far from the left a text begins in an element that is one line, in pixels.
LEFT = """(element, text) => {
    element.style.whiteSpace = "nowrap";
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const at = node.data.indexOf(text);
        if (at >= 0) {
            const range = document.createRange();
            range.setStart(node, at);
            range.setEnd(node, at + text.length);
            return range.getBoundingClientRect().left;
        }
    }
    throw new Error(`There is no ${text}.`);
}"""


@pytest.fixture
def account(transactional_db):
    """Of a user whose name, metadata and reason are written to the left; beside Latin ones."""
    user = cast.UserFactory(name=SHALOM, external_id=ALI, metadata={DAVID: SHALOM})
    account = user.accounts.get()
    cast.deposit(account, "120.00", reference=ALI, metadata={DAVID: ALI})
    cast.AccountFactory(name="Masha Petrova")
    return account


def stand_in_order(element, *texts):
    lefts = [element.evaluate(LEFT, text) for text in texts]
    return lefts == sorted(lefts) and len(set(lefts)) == len(lefts)


def take_picture(page, name):
    if folder := os.environ.get("LEDGER_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_what_stands_beside_a_name_is_not_moved_by_it(page, account):
    boss = make_staff(superuser=True, username="boss")
    come_in(page, boss)
    open_subject(page, account.user)
    values = page.locator("dd", has_text=DAVID)
    assert stand_in_order(values.first, DAVID, ": ", "שלום")  # the key, then what it is
    take_picture(page, "user")

    note(boss, before={"name": DAVID}, after={"name": ALI})
    page.goto("/admin/events/recordentry/")
    entry = page.locator("code", has_text="name: ").first
    assert stand_in_order(entry, "name", DAVID, "→", "علي")  # what was, then what has become
    take_picture(page, "record")

    follow()
    find(page, SHALOM[:4])
    row = page.locator("tr", has_text=SHALOM).first
    expect(row).to_contain_text(ALI)
    assert row.locator("td").all_inner_texts()[:3] == [SHALOM, ALI, "main USD"]
    take_picture(page, "find")


def test_a_text_that_is_set_apart_by_nothing_would_move_its_neighbour(page, account):
    """Or else the test before shows nothing."""
    come_in(page, make_staff("support"))
    page.evaluate("text => document.querySelector('#main').textContent = text", f"name: {DAVID} → {ALI}")
    assert not stand_in_order(page.locator("#main"), "name", DAVID, "→", "علي")
