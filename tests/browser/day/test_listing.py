"""Tasks 15, 17 to 19, and 21: lists that answer, and a statement to take away."""

import csv
import io

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from tests.browser.day.test_explaining import open_account

pytestmark = [pytest.mark.django_db, pytest.mark.drill]


def test_the_statement_of_last_month_is_taken_away(day):
    with day.task(15) as hand:
        for number, name in enumerate(("PDF", "CSV of all of it")):
            if number:
                hand.begin_again()
            open_account(hand, "Petrov Daria")
            hand.follow("Statement of a period")
            hand.follow("Last month")
            expect(hand.row("Opening balance")).to_contain_text("0.00 USD")
            expect(hand.row("Closing balance")).to_contain_text("640.00 USD")
            hand.take_picture("15-period")
            with hand.page.expect_download() as waiting:
                hand.click(hand.main.get_by_role("link", name=name))
            taken = waiting.value.path()
            if name == "PDF":
                text = PdfReader(taken).pages[0].extract_text()
                assert all(said in text for said in ("Petrov Daria", "640.00", "last month")), text
            else:
                lines = list(csv.reader(io.StringIO(taken.read_text("utf-8-sig"))))
                assert [line[1] for line in lines[1:]] == ["OPENING", "DEPOSIT", "CLOSING"]


def test_what_a_colleague_changed_today_is_seen_without_what_she_looked_at(day):
    with day.task(17, "the second person") as hand:
        hand.open("Changes of staff")
        hand.write("who", "lindt")
        with hand.page.expect_navigation():
            hand.press("Enter")
        row = hand.row("Her bank asked for it, ticket 31.")
        for said in ("Vera Lindt", "Petrov Galina", "40.00 USD"):
            expect(row).to_contain_text(said)
        hand.take_picture("17-changes")
        hand.sees("The card was stolen, ticket 32.")
        expect(hand.main).not_to_contain_text("Olga Lund")


def test_all_declines_for_a_reason_are_one_click(day):
    with day.task(18) as hand:
        hand.follow("The account has less available than the withdrawal requires.")
        row = hand.row("Иван Сергеевич Петров")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("5,000.00")
        hand.sees("Found: 1.")


def test_the_large_withdrawals_of_this_week_are_listed(day, world):
    with day.task(19) as hand:
        hand.open("Transactions")
        hand.click(hand.page.locator(".office-filters summary"))
        hand.choose("type", "WITHDRAW")
        hand.write("amount_min", "1000")
        hand.click(hand.page.locator("[name=since]"))
        hand.press("Control+a")
        hand.type(f"{world.tuesday:%d.%m.%Y}")
        with hand.page.expect_navigation():
            hand.press("Enter")
        expect(hand.row("Petrov Egor", "1,500.50")).to_have_count(1)
        expect(hand.row("Petrov Egor")).to_have_count(1)  # not 999
        hand.sees("cash machine 9")  # 5,000, declined
        hand.take_picture("19-large-withdrawals")


def test_accounts_with_little_left_or_on_credit_are_listed(day):
    with day.task(21) as hand:
        hand.open("Accounts")
        hand.click(hand.page.locator(".office-filters summary"))
        hand.write("available_below", "26")
        with hand.page.expect_navigation():
            hand.press("Enter")
        expect(hand.row("Petrov Galina")).to_contain_text("25.00")
        expect(hand.row("Petrov Egor")).to_have_count(0)
