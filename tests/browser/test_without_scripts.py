"""The pages before any script has run, and without any: they are read, and their forms work."""

import pytest
from playwright.sync_api import expect

from tests import cast
from tests.browser.conftest import PHONE
from tests.browser.pages import find_shape, list_pages
from tests.browser.steps import come_in, fill_login, open_subject, send_command
from tests.office.staff import PASSWORD, make_staff
from tests.office.things import make_things


@pytest.fixture
def account(transactional_db):
    account = cast.UserFactory(name="Masha Petrova").accounts.get()
    cast.deposit(account, "120.00", reference="INV-1")
    return account


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 900}, PHONE], ids=["desk", "phone"])
def test_without_scripts_pages_are_read_and_forms_work(open_browser, account, viewport):
    page = open_browser(java_script_enabled=False, viewport=viewport)
    come_in(page, make_staff("operations", username="vera"), to=account)
    expect(page.get_by_role("heading", name="Masha Petrova")).to_be_visible()
    expect(page.get_by_text("INV-1")).to_be_visible()
    expect(page.locator("#nav-sidebar a", has_text="Transactions")).to_be_visible()
    send_command(page, "Freeze", "The card was stolen.")
    expect(page.get_by_text("The account is frozen: it accepts money in, not out.")).to_be_visible()
    page.goto("/admin/accounts/account/?status=FROZEN")
    expect(page.get_by_text("Masha Petrova")).to_be_visible()
    expect(page.locator(".office-filter", has_text="frozen")).to_be_visible()
    page.locator(".office-filters summary").click()
    page.get_by_label("Status").select_option("ACTIVE")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".office-nothing")).to_contain_text("Nothing fits.")
    page.get_by_role("button", name="Русский").click()
    expect(page.get_by_role("heading", name="Счета")).to_be_visible()
    page.get_by_role("button", name="Выйти").click()
    page.goto("/admin/")
    expect(page.locator("input[type=password]")).to_be_visible()


# What nobody reads or sends without scripts: a page without a heading, text that only a script would show, a
# form without a button, a field without a name. What is folded is opened first, and a row chosen.
UNREADABLE = """() => {
    document.querySelectorAll('details').forEach(each => { each.open = true });
    const box = document.querySelector('[name=_selected_action]');
    if (box) box.checked = true;
    const isIdle = each => !box && each.closest('#changelist-form');  // of an empty list nothing is chosen
    const main = document.querySelector('main');
    const isSeen = each => each.checkVisibility() && each.getClientRects().length > 0;
    const tell = (what, each) => [what, each.outerHTML.slice(0, 120)];
    const hidden = [...main.querySelectorAll('[x-show], [x-cloak], [hidden]')].filter(
        each => !isSeen(each) && each.innerText?.trim() && !each.closest('.office-chart') && !isIdle(each));
    const forms = [...main.querySelectorAll('form')].filter(
        form => ![...form.querySelectorAll('button, input[type=submit]')].some(isSeen)
            && !isIdle(form) && form.querySelector('input:not([type=hidden]), select, textarea'));
    const fields = [...main.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(each =>
        isSeen(each) && !each.labels.length && !each.ariaLabel && !each.placeholder
        && !each.getAttribute('aria-labelledby'));
    return [...(isSeen(main.querySelector('h1')) ? [] : [['no heading']]),
        ...hidden.map(each => tell('hidden', each)), ...forms.map(each => tell('cannot be sent', each)),
        ...fields.map(each => tell('has no name', each))];
}"""


def test_without_scripts_rows_of_a_list_are_chosen(open_browser, account):
    page = open_browser(java_script_enabled=False)
    come_in(page, make_staff("operations", username="vera"))
    page.goto("/admin/transactions/transaction/")
    page.locator("tr.data-row input[type=checkbox]").check()
    page.locator("[name=action]").select_option(label="Reverse these")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="Reverse these").first).to_be_visible()
    expect(page.locator("#foreseen, main").first).to_contain_text("120.00")


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_without_scripts_every_page_is_read_and_every_form_can_be_sent(
    open_browser, transactional_db, settings
):
    settings.WEBHOOK_LOOPBACK = True  # of one of the things
    things = make_things()
    chief = make_staff(superuser=True, username="chief")
    page = open_browser(java_script_enabled=False)
    come_in(page, chief)
    faults, shapes = {}, set()
    for address, html in list_pages(chief, things).items():
        if find_shape(html) not in shapes:
            shapes.add(find_shape(html))
            page.goto(address)
            if found := page.evaluate(UNREADABLE):
                faults[address] = found
    assert len(shapes) > 50
    assert faults == {}


def test_without_scripts_somebody_comes_in(open_browser, transactional_db):
    staff = make_staff("support", username="vera", password=PASSWORD)
    page = open_browser(java_script_enabled=False)
    page.goto("/admin/")
    fill_login(page, staff)
    expect(page.locator("[data-secret] svg")).to_be_visible()


def test_the_chosen_theme_is_that_of_every_page(open_browser, account):
    page = open_browser(color_scheme="dark")
    come_in(page, make_staff("support"))
    html = page.locator("html")
    expect(html).to_have_class("dark")
    page.evaluate("localStorage.setItem('adminTheme', '\"light\"')")
    page.reload()
    expect(html).not_to_have_class("dark")


def test_on_a_phone_the_commands_open_below_the_title(phone, account):
    come_in(phone, make_staff("operations", username="vera"), to=account)
    freeze = phone.get_by_role("link", name="Freeze", exact=True)
    expect(freeze).not_to_be_visible()
    phone.get_by_role("button", name="Actions").click()
    expect(freeze).to_be_visible()
    head = phone.locator(".office-amounts").bounding_box()
    assert freeze.bounding_box()["y"] + freeze.bounding_box()["height"] <= head["y"]  # it covers nothing
    phone.goto("/admin/transactions/transaction/")  # nothing is done from there
    assert phone.get_by_role("button", name="Actions").count() == 0


@pytest.mark.parametrize("role", ["support", "operations"])  # who has boxes to choose rows
def test_a_phone_shows_ten_rows_of_a_list_and_of_a_statement(phone, account, role):
    for number in range(12):
        cast.withdraw(account, "1.25", reference=f"INV-2{number}")
    come_in(phone, make_staff(role))
    phone.goto("/admin/transactions/transaction/")
    rows = phone.locator("tr.data-row").all()
    assert rows[9].bounding_box()["y"] + rows[9].bounding_box()["height"] <= PHONE["height"]
    open_subject(phone, account)
    rows = phone.locator(".office-lines tbody tr").all()
    rows[9].scroll_into_view_if_needed()
    first, last = rows[0].bounding_box(), rows[9].bounding_box()
    assert last["y"] + last["height"] - first["y"] <= PHONE["height"]
    for name, place in {"kind": (1, 1), "change": (2, 1), "effective": (1, 2), "after": (2, 2)}.items():
        box = rows[0].locator(f".office-{name}").bounding_box()
        assert (1 + (box["x"] > PHONE["width"] / 2 - 20), 1 + (box["y"] > first["y"] + 20)) == place, name
    assert not rows[0].locator(".office-recorded").is_visible()


def test_the_reason_of_a_decline_is_in_sight_on_a_phone(phone, account):
    cast.withdraw(account, "5000", reference="too much")
    come_in(phone, make_staff("support"))
    phone.goto(f"/admin/accounts/account/{account.id}/change/?show=declines")
    box = phone.get_by_text("The account has less available than the withdrawal requires.").bounding_box()
    assert 0 <= box["x"] < box["x"] + box["width"] <= 390
