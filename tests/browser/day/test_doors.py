"""Tasks 23 to 26: tokens that leak, colleagues who come and go, and one's own first day."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Token, User
from tests.office.staff import PASSWORD, code_of

pytestmark = [pytest.mark.django_db, pytest.mark.drill]


def test_a_token_that_has_leaked_is_revoked(day, world):
    with day.task(23) as hand:
        hand.open("Tokens")
        hand.go(hand.row(world.service.username).get_by_role("link").first)
        hand.sees(world.service.username)
        hand.follow("Revoke")
        hand.write("reason", "It stood in a log, ticket 50.")
        hand.push("Revoke")
        expect(hand.page.get_by_text("Revoked. Within")).to_be_visible()
        expect(hand.page.get_by_text("exist")).to_have_count(0)
        hand.sees(world.service.username, "revoked")
        assert Token.objects.get(token_key=world.token[:15]).revoked_at is not None


def test_what_was_done_with_it_is_listed(day, world):
    with day.task(24) as hand:
        hand.open("Tokens")
        hand.follow(world.service.username)
        hand.follow("What they did")
        row = hand.row("campaign 12")
        for said in ("Petrov Fedor", "100.00 USD"):
            expect(row).to_contain_text(said)


def test_a_colleague_comes_loses_the_phone_and_leaves(day):
    with day.task(25) as hand:
        hand.open("Staff")
        hand.follow("New member of staff")
        hand.write("username", "gleb")
        hand.write("name", "Gleb Stein")
        hand.click(hand.page.get_by_role("checkbox", name="support"))
        hand.write("reason", "Begins on Monday.")
        hand.push("New member of staff")
        assert len(hand.page.locator(".office-secret").inner_text()) > 10
        assert [group.name for group in User.objects.get(username="gleb").groups.all()] == ["support"]
        for command, said in (
            ("Reset second factor", "The second factor is gone."),
            ("Deactivate", "Deactivated. Their sessions are over."),
        ):
            hand.begin_again()
            hand.open("Staff")
            hand.follow("anton")
            hand.follow(command)
            hand.write("reason", "Of 30 November.")
            hand.push(command)
            expect(hand.page.get_by_text(said)).to_be_visible()
        assert not User.objects.get(username="anton").is_active


def test_a_newcomer_is_at_the_dashboard_with_a_new_app(day):
    with day.task(26, "newcomer") as hand:
        hand.write("username", "nora")
        hand.press("Tab")
        hand.type(PASSWORD)
        hand.press("Enter")
        secret = hand.page.locator("[data-secret]").get_attribute("data-secret")
        expect(hand.page.locator("[data-secret] svg")).to_be_visible()
        hand.type(code_of(secret))
        hand.press("Enter")
        expect(hand.page).to_have_title(re.compile("Dashboard"))
        hand.sees("Movements")
