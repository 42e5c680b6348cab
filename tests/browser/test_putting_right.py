"""What support is for: finding somebody, seeing what they had and when, and putting things right."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from accounts.models import Claim
from tests import asking, cast
from tests.browser.steps import come_in, find_lead, go_to, open_page, open_subject, send_command
from tests.office.staff import make_staff
from transactions.models import Correction


@pytest.fixture
def account(transactional_db):
    """120 in January, 20 less since March."""
    account = cast.UserFactory(name="Masha Petrova", external_id="crm-1").accounts.get()
    cast.deposit(account, "120.00", effective_at=cast.day("2025-01-10"), reference="INV-1")
    cast.withdraw(account, "20.00", effective_at=cast.day("2025-03-10"), reference="INV-2")
    return account


@pytest.fixture
def vera(transactional_db):
    return make_staff("operations", username="vera")


@pytest.fixture
def boris(transactional_db):
    return make_staff("operations", username="boris")


def test_the_time_machine_shows_what_somebody_had(page, vera, account):
    come_in(page, vera, to=account)
    expect(page.locator("#main")).to_contain_text("100.00")
    page.locator("[name=at]").fill("2025-02-01T12:30")
    page.keyboard.press("Enter")
    page.wait_for_url("**at=2025-02-01T12%3A30**")
    expect(page.locator("[name=at]")).to_have_value("2025-02-01")
    expect(page.locator("[name=at_time]")).to_have_value("12:30")
    expect(page.get_by_text(re.compile(r"120\.00")).first).to_be_visible()
    page.locator("[name=known_at]").fill("2025-02-02T00:00")  # before any of it was recorded
    page.keyboard.press("Enter")
    page.wait_for_url("**known_at=2025-02-02T00%3A00**")
    expect(page.get_by_text(re.compile(r"\b0\.00")).first).to_be_visible()


def test_a_command_without_a_reason_is_asked_for_it(page, vera, account):
    come_in(page, vera, to=account)
    send_command(page, "Freeze", " ")
    expect(page.get_by_text("This field is required.")).to_be_visible()
    account.refresh_from_db()
    assert account.status == "ACTIVE"


def test_a_large_correction_waits_for_a_second_person(page, open_browser, vera, boris, account, settings):
    settings.APPROVAL_ABOVE = {"USD": Decimal(100)}
    come_in(page, vera, to=account)
    fields = {"type": "DEPOSIT", "amount": "250.00", "reference": "TICKET-7"}
    send_command(page, "Correct the balance", "Paid twice, see the ticket.", **fields)
    expect(page.get_by_text("second person").first).to_be_visible()
    correction = Correction.objects.get()
    account.refresh_from_db()
    assert (correction.status, account.balance) == ("WAITING", 100)
    open_subject(page, correction)
    assert page.get_by_role("link", name="Approve", exact=True).count() == 0  # not one's own

    other = open_browser()
    come_in(other, boris)
    open_page(other, "Corrections")
    expect(other.locator("#main")).to_contain_text("250.00")
    open_subject(other, correction)
    expect(other.locator("#main")).to_contain_text("Paid twice, see the ticket.")
    send_command(other, "Approve")
    expect(other.get_by_text("The correction was approved and posted.")).to_be_visible()
    account.refresh_from_db()
    assert account.balance == 350


def test_a_transaction_is_reversed_once(page, vera, account):
    row = cast.withdraw(account, "30.00", reference="INV-3")
    come_in(page, vera, to=row)
    send_command(page, "Reverse", "Charged by mistake.")
    expect(page.get_by_text("The transaction was reversed.")).to_be_visible()
    open_subject(page, row)
    assert page.get_by_role("link", name="Reverse", exact=True).count() == 0
    account.refresh_from_db()
    assert account.balance == 100


def test_what_is_owed_is_claimed_collected_and_waived_by_two(
    page, open_browser, vera, boris, account, settings
):
    settings.APPROVAL_ABOVE = {"USD": Decimal(100)}
    come_in(page, vera, to=account)
    send_command(page, "Claim an amount", "A chargeback.", amount="400", reference="case 9")
    expect(page.get_by_text("second person").first).to_be_visible()
    other = open_browser()
    come_in(other, boris, to=Correction.objects.get())
    expect(other.locator("#main")).to_contain_text("300.00")  # what would be owed
    send_command(other, "Approve")
    cast.deposit(account, "50.00", reference="INV-3")
    open_subject(page, account)
    expect(page.get_by_text("collected for a claim").first).to_be_visible()
    page.get_by_role("link", name="Claims", exact=True).last.click()
    expect(page.locator("#main")).to_contain_text("250.00")
    claim = Claim.objects.get()
    open_subject(page, claim)
    send_command(page, "Waive the rest", "Paid in cash.")
    expect(page.get_by_text("second person").first).to_be_visible()
    open_subject(other, Correction.objects.get(claim=claim.id))
    send_command(other, "Approve")
    expect(other.get_by_text("The correction was approved and posted.")).to_be_visible()
    claim.refresh_from_db()
    account.refresh_from_db()
    assert (claim.status, account.balance, account.owed) == ("WAIVED", 0, 0)


def test_all_buttons_of_an_account_are_in_sight_and_so_is_its_name(page, vera, account):
    asking.set_threshold(account, "5")
    come_in(page, vera, to=account)
    title = page.locator("h1")
    assert title.evaluate("element => element.scrollWidth <= element.clientWidth"), "cut"
    expect(title).to_contain_text("Masha Petrova")
    buttons = page.locator(".office-commands a").all()
    assert len(buttons) == 9
    for button in buttons:
        box = button.bounding_box()
        assert 0 <= box["y"] < box["y"] + box["height"] <= 130, button.inner_text()  # two lines at most
        assert box["x"] + box["width"] <= 1280


def test_the_figures_follow_what_is_typed(page, vera, account):
    come_in(page, vera, to=account)
    page.get_by_role("link", name="Correct the balance", exact=True).click()
    figures = page.locator("#foreseen")
    expect(figures).to_contain_text("100.00")
    page.locator("[name=type]").select_option("WITHDRAW")
    page.locator("[name=amount]").fill("30.00")
    page.locator("[name=reference]").focus()
    expect(figures).to_contain_text("70.00")
    page.locator("[name=amount]").fill("130.00")
    page.locator("[name=reference]").focus()
    expect(figures).to_contain_text("the ledger would decline it")
    expect(page.get_by_text("0 / 500")).to_be_visible()
    page.locator("[name=reason]").fill("a" * 501)
    expect(page.get_by_text("501 / 500")).to_be_visible()
    expect(page.locator("[name=reason]")).to_have_value("a" * 501)


def test_several_rows_of_a_statement_are_reversed_together(page, vera, account):
    rows = [cast.deposit(account, "1.00", reference=f"row {number}") for number in range(3)]
    come_in(page, vera, to=account)
    for row in rows[:2]:
        page.locator(f"input[value='{row.id}']").check()
    page.get_by_role("button", name="Reverse the chosen ones").click()
    expect(page.get_by_text("2 transactions").first).to_be_visible()
    page.locator("[name=reason]").fill("Twice.")
    page.get_by_role("button", name="Reverse these").click()
    expect(page.get_by_text("2 transactions were reversed.")).to_be_visible()


def test_a_token_is_seen_once(page, transactional_db):
    come_in(page, make_staff(superuser=True, username="chief"))
    open_page(page, "Tokens")
    send_command(page, "Issue a token", "For the shop.", name="shop", days="30")
    token = page.locator(".office-secret").inner_text()
    assert re.fullmatch(r"[0-9a-f]{64}", token)
    page.get_by_role("link", name="Done").click()
    expect(page.locator("#main")).to_contain_text("shop")
    assert token not in page.content()


def test_somebody_is_found_and_frozen_by_keyboard_alone_for_a_reason_that_all_see(page, vera, account):
    come_in(page, vera)
    go_to(page, find_lead(page, "Find"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/find/")
    go_to(page, page.locator("[name=q]"))
    page.keyboard.type(str(account.id))
    page.keyboard.press("Enter")
    go_to(page, page.get_by_role("link", name="Freeze", exact=True))
    page.keyboard.press("Enter")
    go_to(page, page.locator("[name=reason]"))
    page.keyboard.type("The card was stolen.")
    go_to(page, page.get_by_role("button", name="Freeze", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_text("The account is frozen: it accepts money in, not out.")).to_be_visible()
    expect(page.get_by_text("The card was stolen.").first).to_be_visible()
    account.refresh_from_db()
    assert (account.status, account.status_reason) == ("FROZEN", "The card was stolen.")
