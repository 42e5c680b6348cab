"""A statement for the customer: what the printer gets, and on a phone."""

import io
import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from tests import cast
from tests.browser.steps import come_in, measure_overflow, open_menu, open_subject
from tests.office.staff import make_staff

pytestmark = pytest.mark.django_db(transaction=True)

PERIOD = "?show=period&first_day=2022-12-01&last_day=2022-12-31&zone=Europe%2FMoscow"


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
