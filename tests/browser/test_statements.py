"""A statement for the customer and the balance of a day, as support does it, and what the printer gets."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from tests import cast
from tests.browser.steps import come_in, find, go_to, measure_overflow, open_menu, open_subject
from tests.office.staff import make_staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(transactional_db):
    account = cast.UserFactory(name="Иван Сергеевич Петров").accounts.get()
    cast.deposit(account, "1000", effective_at=cast.day("2022-12-01"), reference="зарплата")
    cast.withdraw(account, "20", effective_at=datetime(2022, 12, 31, 20, 59, tzinfo=UTC), reference="такси")
    cast.withdraw(account, "3", effective_at=datetime(2022, 12, 31, 21, 0, tzinfo=UTC), reference="кофе")
    return account


@pytest.fixture
def support(transactional_db):
    return make_staff("support", username="olga")


def choose_zone(page, zone):
    open_menu(page)
    page.get_by_role("link", name="My settings").click()
    page.get_by_label("Time zone").select_option(zone)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Times are shown in this zone")).to_be_visible()


def test_the_balance_at_midnight_in_moscow_is_a_day_and_nothing_else(page, support, account):
    """Task 7, with three stops of the Tab key at most from the day to the button."""
    come_in(page, support)
    choose_zone(page, "Europe/Moscow")
    find(page, "Иван")
    page.get_by_role("link", name="Иван Сергеевич Петров").click()
    page.get_by_role("link", name="main USD").click()
    day = page.get_by_label("Balance on")
    go_to(page, day)
    page.keyboard.type("31.12.2022")
    page.keyboard.press("Tab")
    expect(page.locator("[name=at_time]")).to_be_focused()
    page.keyboard.press("Enter")
    then = page.locator(".office-amounts", has_text="Balance then")
    expect(then).to_contain_text("980.00 USD")
    expect(then).to_contain_text("31 Dec 2022, 23:59:59 MSK")
    expect(page.get_by_role("heading", name="Effective after that moment")).to_contain_text("-3.00 USD")


def test_the_statement_of_a_month_is_taken_away_in_six_clicks(page, support, account):
    """Task 15: from the dashboard, typing left out."""
    cast.deposit(account, "7", reference="этот месяц")
    come_in(page, support)
    find(page, "Иван")  # one
    page.get_by_role("link", name="Иван Сергеевич Петров").click()  # two
    page.get_by_role("link", name="main USD").click()  # three
    page.get_by_role("link", name="Statement of a period").click()  # four; this month is there
    expect(page.get_by_role("row", name="Opening balance")).to_contain_text("977.00 USD")
    expect(page.get_by_role("row", name="Closing balance")).to_contain_text("984.00 USD")
    page.get_by_role("link", name="Last month").click()  # five
    expect(page.get_by_role("row", name="Closing balance")).to_contain_text("977.00 USD")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="PDF").click()  # six
    text = PdfReader(waiting.value.path()).pages[0].extract_text()
    assert "Иван Сергеевич Петров" in text
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV of all of it").click()
    lines = list(csv.reader(io.StringIO(waiting.value.path().read_text("utf-8-sig"))))
    assert [line[1] for line in lines[1:]] == ["OPENING", "CLOSING"]


PERIOD = "?show=period&first_day=2022-12-01&last_day=2022-12-31&zone=Europe%2FMoscow"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_printed_is_the_statement_and_nothing_else(open_browser, support, account, scheme):
    cast.deposit(
        account, "1", effective_at=cast.day("2022-12-02"), reference="a reference without blanks " + "x" * 170
    )
    page = open_browser(color_scheme=scheme)
    come_in(page, support)
    page.goto(f"/admin/accounts/account/{account.id}/change/{PERIOD}")
    page.wait_for_load_state("networkidle")
    pdf = PdfReader(io.BytesIO(page.pdf(format="A4")))
    text = re.sub(r"\s+", " ", " ".join(each.extract_text() for each in pdf.pages))
    for said in ("Иван Сергеевич Петров", "Opening balance", "981.00", "зарплата", "такси", "Europe/Moscow"):
        assert said in text, (said, text)
    assert text.replace(" ", "").count("x" * 170) == 1  # no column is cut
    for hidden in ("Dashboard", "Find", "Freeze", "Declined attempts", "CSV", "Last month", "Available"):
        assert hidden not in text, hidden
    assert len(pdf.pages) == 1
    page.emulate_media(media="print")
    ground, ink = page.locator(".office-sheet td").first.evaluate(
        "element => [getComputedStyle(document.body).backgroundColor, getComputedStyle(element).color]"
    )
    assert ground in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    assert ink == "rgb(0, 0, 0)"


def test_the_statement_and_the_settings_fit_a_phone(phone, support, account):
    come_in(phone, support)
    open_subject(phone, account)
    for address in (f"/admin/accounts/account/{account.id}/change/{PERIOD}", "/admin/settings/"):
        phone.goto(address)
        assert measure_overflow(phone) <= 0, address
