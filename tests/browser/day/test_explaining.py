"""Tasks 5 to 8, 10, 11 and 22: what happened to somebody's money, when, by whom and why."""

import pytest
from playwright.sync_api import expect

from tests.browser.day.hand import Hand

pytestmark = [pytest.mark.django_db, pytest.mark.drill]


def open_account(hand: Hand, name: str) -> None:
    hand.find(name)
    hand.follow("main USD")
    expect(hand.page.locator("h1")).to_contain_text(name)


def test_the_money_that_is_missing_since_tuesday_stands_at_the_top(day):
    with day.task(5) as hand:
        open_account(hand, "Иван Сергеевич Петров")
        rows = hand.row("card 4455 GROCERY", "-50.00 USD")
        expect(rows).to_have_count(2)
        for row, time in zip(rows.all(), ("10:04:19", "10:04:11"), strict=True):
            expect(row).to_contain_text(time)
            box = row.bounding_box()
            assert box["y"] + box["height"] <= 900, "below the fold"
        hand.take_picture("5-statement", 760)


def test_a_declined_withdrawal_says_why(day):
    with day.task(6) as hand:
        open_account(hand, "Иван Сергеевич Петров")
        hand.follow("Declined attempts")
        row = hand.row("cash machine 9")
        for said in ("5,000.00 USD", "802.00 USD", "less available than the withdrawal requires"):
            expect(row).to_contain_text(said)
        hand.take_picture("6-declined")


def test_the_balance_at_midnight_in_moscow_is_a_day_and_enter(day):
    with day.task(7, "support in Moscow") as hand:
        open_account(hand, "Иван Сергеевич Петров")
        hand.write("at", "31.12.2025")
        hand.press("Enter")
        then = hand.page.locator(".office-amounts", has_text="Balance then")
        expect(then).to_contain_text("980.00 USD")
        expect(then).to_contain_text("31 Dec 2025, 23:59:59 MSK")
        hand.sees("coffee")
        hand.take_picture("7-balance-then", 760)


def test_what_is_held_says_until_when(day, world):
    with day.task(8) as hand:
        open_account(hand, "Иван Сергеевич Петров")
        hand.follow("Holds")
        row = hand.row("hotel booking 77")
        end = world.hold_end
        for said in ("75.00 USD", f"{end.day} {end:%b %Y}, {end:%H:%M:%S}"):
            expect(row).to_contain_text(said)


def test_changed_limits_say_who_from_what_to_what_and_why(day):
    with day.task(10) as hand:
        open_account(hand, "Petrov Galina")
        hand.follow("History")
        row = hand.row("Her bank asked for it, ticket 31.")
        for said in ("Vera Lindt", "300.00 USD → 40.00 USD"):
            expect(row).to_contain_text(said)
        hand.take_picture("10-history")


def test_a_frozen_account_says_who_when_and_why(day, world):
    with day.task(11) as hand:
        open_account(hand, "Petrov Hugo")
        hand.sees("Vera Lindt", "The card was stolen, ticket 32.", f"{world.now:%b %Y}")


def test_a_transaction_says_which_service_was_told(day, world):
    with day.task(22) as hand:
        hand.find("campaign 12")
        hand.go(hand.row("campaign 12").get_by_role("link").first)
        hand.sees("100.00 USD", "Petrov Fedor", "transaction.posted", "127.0.0.1")
        expect(hand.main.get_by_text("sent", exact=True).first).to_be_visible()
        hand.take_picture("22-told", 760)
