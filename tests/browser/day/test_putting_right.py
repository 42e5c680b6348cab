"""Tasks 12 to 14, and 16: what was wrong is taken back, stopped, or handed over."""

import pytest
from playwright.sync_api import expect

from accounts.models import Account
from tests.browser.day.test_explaining import open_account
from transactions.models import Correction

pytestmark = [pytest.mark.django_db, pytest.mark.drill]


def test_a_wrong_deposit_is_taken_back_by_two(day, world):
    with day.task(12) as hand:
        hand.find("order 777")
        hand.go(hand.row("order 777").get_by_role("link").first)
        hand.follow("Reverse")
        hand.sees("777.00 USD", "Petrov Adam", "main USD")
        hand.write("reason", "Booked twice, ticket 40.")
        hand.push("Reverse")
        expect(hand.page.get_by_text("second person").first).to_be_visible()

        hand.pass_on(day.open("the second person"))
        hand.open("Corrections")
        row = hand.row("Booked twice, ticket 40.")
        for said in ("-777.00 USD", "Petrov Adam", "Vera Lindt"):
            expect(row).to_contain_text(said)
        hand.go(row.get_by_role("link", name="Approve"))
        hand.sees("777.00 USD", "Petrov Adam", "Booked twice, ticket 40.", "Vera Lindt")
        hand.take_picture("12-approve")
        hand.push("Approve")
        expect(hand.page.get_by_text("The correction was approved and posted.")).to_be_visible()
        assert Account.objects.get(pk=world.customers["Adam"].pk).balance == 0


def test_a_hundred_wrong_rows_are_taken_back_by_two(day, world):
    boris = world.customers["Boris"]
    with day.task(13) as hand:
        hand.open("Transactions")
        hand.click(hand.page.locator(".office-filters summary"))
        hand.write("reference", "file of today")
        with hand.page.expect_navigation():
            hand.press("Enter")
        hand.click(hand.page.locator("#action-toggle"))
        hand.choose("action", "reverse_chosen")
        hand.push("Run")
        hand.sees("100 transactions", "999.00", "Petrov Boris")
        hand.write("reason", "A file was sent twice.")
        hand.push("Reverse these")
        expect(hand.page.get_by_text("second person").first).to_be_visible()

        hand.pass_on(day.open("the second person"))
        hand.open("Corrections")
        hand.go(hand.row("A file was sent twice.").get_by_role("link", name="Approve"))
        hand.sees("100 transactions", "999.00")
        hand.push("Approve")
        expect(hand.page.get_by_text("100 transactions were reversed.")).to_be_visible()
        assert Account.objects.get(pk=boris.pk).balance == 0
        assert Correction.objects.filter(account=boris.pk, status="POSTED").count() == 100


def test_an_account_is_frozen_and_unfrozen(day, world):
    with day.task(14) as hand:
        open_account(hand, "Petrov Irina")
        hand.follow("Freeze")
        hand.sees("Petrov Irina", "main USD")
        hand.write("reason", "She has lost her phone.")
        hand.push("Freeze")
        hand.sees("She has lost her phone.", "Olga Lund")
        assert Account.objects.get(pk=world.customers["Irina"].pk).status == "FROZEN"
        hand.follow("Unfreeze")
        hand.write("reason", "She has found it.")
        hand.push("Unfreeze")
        expect(hand.main.get_by_role("link", name="Freeze", exact=True)).to_be_visible()
        assert Account.objects.get(pk=world.customers["Irina"].pk).status == "ACTIVE"


def test_a_customer_is_handed_over_with_a_note(day):
    with day.task(16) as hand:
        hand.find("petrov jonas")
        hand.follow("Petrov Jonas")
        hand.follow("Write a note")
        hand.write("text", "Rings again on Friday about his refund.")
        hand.click(hand.page.locator("[name=is_task]"))
        hand.push("Write a note")
        expect(hand.page.get_by_text("The note is written.")).to_be_visible()
        hand.sees("Notes (1)")
        colleague = day.open("operations")
        colleague.get_by_role("link", name="Notes").click()
        note = colleague.locator("#main").get_by_role("row").filter(has_text="Rings again on Friday")
        for said in ("Petrov Jonas", "Olga Lund"):
            expect(note).to_contain_text(said)
