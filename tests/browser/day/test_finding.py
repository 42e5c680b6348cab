"""Tasks 1 to 4, 9 and 20: somebody rings, and is found by whatever they have."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.django_db, pytest.mark.drill]


def test_mr_petrov_is_found_by_his_surname(day):
    with day.task(1) as hand:
        hand.find("петров")
        expect(hand.row("Иван Сергеевич Петров")).to_contain_text("877.00 USD")  # beside each namesake
        hand.follow("Иван Сергеевич Петров")
        hand.sees("CUST-100235", "ivan.petrov@mail.example", "877.00 USD")


def test_the_right_one_of_many_petrovs_is_found_and_nothing_is_cut_in_silence(day):
    with day.task(2) as hand:
        hand.find("petrov")
        hand.sees("1–20 of 32 shown.")
        hand.take_picture("2-namesakes")
        first = hand.main.inner_text()
        hand.follow("Next page")
        hand.sees("21–32 of 32 shown.")
        for name in ("Petrov, Alexander", "Petrova Anna"):
            assert name in first + hand.main.inner_text(), name
        hand.begin_again()
        hand.find("alexander petrov")
        hand.sees("1–1 of 1 shown.")
        hand.follow("Petrov, Alexander")
        expect(hand.page.locator("h1")).to_contain_text("Petrov, Alexander")


def test_somebody_is_found_by_whatever_they_have(day, world):
    with day.task(3) as hand:
        for number, words in enumerate(
            ("123-45-67", "ivan.petrov@mail.example", "Петорв", "100235", "cust-100235")
        ):
            if number:
                hand.begin_again()
            hand.find(words)
            hand.follow("Иван Сергеевич Петров")
            hand.sees("CUST-100235", "+7 916 123-45-67")
        for words in (f"50.00 on {world.tuesday.day} {world.tuesday:%b}", "card 4455"):
            hand.begin_again()
            hand.find(words)
            hand.sees("1–2 of 2 shown.", "-50.00 USD", "card 4455 GROCERY")
            hand.follow("main USD")
            expect(hand.page.locator("h1")).to_contain_text("Иван Сергеевич Петров")


def test_a_full_name_or_an_id_leads_to_the_statement(day, world):
    ivan = world.ivan
    with day.task(4) as hand:
        for number, words in enumerate(("Иван Сергеевич Петров", "CUST-100235", "cash machine 9")):
            if number:
                hand.begin_again()
            hand.find(words)
            hand.follow("main USD")
            hand.sees("877.00 USD", "card 4455 GROCERY")
        hand.begin_again()
        hand.find(str(ivan.id))
        expect(hand.page.locator("h1")).to_contain_text("Иван Сергеевич Петров")
        hand.sees("card 4455 GROCERY")


def test_a_hold_is_found_by_its_reference(day):
    with day.task(9) as hand:
        hand.find("booking 77")
        expect(hand.row("hotel booking 77")).to_contain_text("75.00 USD")
        hand.go(hand.row("hotel booking 77").get_by_role("link").first)
        hand.sees("75.00 USD", "Иван Сергеевич Петров", "hotel booking 77")


def test_what_looks_like_a_duplicate_stands_together(day):
    with day.task(20) as hand:
        hand.find("50.00")
        rows = hand.row("card 4455 GROCERY", "Иван Сергеевич Петров")
        expect(rows).to_have_count(2)
        times = [row.locator("time").first.get_attribute("datetime") for row in rows.all()]
        assert sorted(time[11:19] for time in times) == ["10:04:11", "10:04:19"]
