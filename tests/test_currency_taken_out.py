"""A currency that is taken off the list goes on in the accounts that have it; a unit that is declared no more
can still be read, exactly.
"""

from decimal import Decimal
from threading import Event as Flag

import pytest
from django.core.management import call_command
from django.db.transaction import atomic, set_rollback

from office.pages.accounts.page import SECTIONS
from office.templatetags.ledger import money
from tests import matrix
from tests.cast import AccountFactory, UserFactory, deposit, hold, new_id, withdraw
from tests.conftest import make_client
from tests.matrix import API, HOLDER, OWN
from tests.matrix_of_office import COMMANDS
from tests.offering import USUAL, offer  # noqa: F401, a fixture
from tests.office.addresses import list_urls_of
from tests.office.staff import make_staff, open_office
from tests.office.things import find_id, make_things
from tests.scene import Scene
from tests.test_matrix import OUTSIDE, find_wrong
from transactions.reading import statistics

pytestmark = [pytest.mark.drill, pytest.mark.django_db]
USERS, ACCOUNTS, TRANSACTIONS = "/api/v1/users", "/api/v1/accounts", "/api/v1/transactions"
CALLERS = ("api-admin", HOLDER)


@pytest.fixture
def listed(offer):  # noqa: F811
    offer([*USUAL, "HRK"], POINTS=0, MILES=2)


@pytest.fixture
def take_out(offer):  # noqa: F811
    """HRK off the list, and MILES declared no more."""
    return lambda: offer(POINTS=0)


@pytest.fixture(autouse=True)
def _webhooks_to_this_machine(settings):
    settings.WEBHOOK_LOOPBACK = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def list_cells(route):
    return [cell for cell in matrix.list_cells(route) if cell.rule and cell.role in CALLERS]


def test_every_route_answers_of_accounts_in_a_currency_that_was_taken_out_as_before(listed, take_out):
    scene = Scene("HRK")
    take_out()
    for route in OUTSIDE:
        assert find_wrong(scene, list_cells(route)) == [], route


def test_no_route_fails_over_a_unit_that_is_declared_no_more(listed, take_out):
    scene = Scene("MILES")
    take_out()
    for route in (f"api/v1/{route}" for route in API):
        for cell in list_cells(route):
            with atomic():
                status = scene.ask(cell).status_code
                set_rollback(True)
            assert status < 500, cell
            assert cell.method != "GET" or cell.whose != OWN or status == cell.status, cell


@pytest.mark.parametrize("currency", ["HRK", "MILES"])
def test_every_page_of_the_office_opens(listed, take_out, currency):
    things = make_things(currency)
    account = things["accounts/account"]
    withdraw(account, "9000")
    office = open_office(make_staff(superuser=True))
    urls = [url for url in list_urls_of(things) if url != "/admin/logout/"]
    before = {url: office.get(url).status_code for url in urls}
    assert list(before.values()).count(200) > 3 * len(things)
    take_out()
    statistics.refresh(Flag())
    assert {url: office.get(url).status_code for url in urls} == before
    for section in SECTIONS:
        page = office.get(f"/admin/accounts/account/{account.id}/change/?show={section}")
        assert page.status_code == 200
    assert office.get(f"/admin/accounts/account/{account.id}/change/?format=csv").status_code == 200
    assert office.get("/admin/find/?q=ticket 7").status_code == 200
    for model, commands in COMMANDS.items():
        for command in commands:
            url = f"/admin/{model}/{find_id(things[model])}/{command}/"
            assert office.get(url).status_code in (200, 302), url
    shown = office.get(f"/admin/accounts/account/{account.id}/change/").content.decode()
    assert ("12.50" if currency == "HRK" else "12.5") in shown


def test_what_was_taken_out_is_posted_held_filtered_and_shown(listed, take_out, service):
    account = AccountFactory(currency="HRK", funds="100")
    take_out()
    body = {"account": str(account.id), "type": "WITHDRAW", "amount": "0.01", "currency": "HRK"}
    posted = service.post(TRANSACTIONS, {"id": str(new_id()), **body})
    assert (posted.status_code, posted.json()["balance_after"]) == (201, "99.99")
    fine = service.post(TRANSACTIONS, {"id": str(new_id()), **body, "amount": "0.001"})
    assert (fine.status_code, fine.json()["code"]) == (400, "amount_scale")
    held = service.post("/api/v1/holds", {"id": str(new_id()), "account": str(account.id), "amount": "1"})
    assert held.json()["remaining"] == "1.00"
    [found] = service.get(ACCOUNTS, {"currency": "HRK"}).json()["results"]
    assert (found["id"], found["balance"]) == (str(account.id), "99.99")
    days = {"from": "2020-01-01", "to": "2030-01-01"}
    assert service.get(f"{ACCOUNTS}/{account.id}/statement", days).json()["closing_balance"] == "99.99"


def test_only_a_new_account_is_refused(listed, take_out, service):
    user = {"id": str(new_id()), "name": "Ana", "currency": "HRK"}
    made = service.post(USERS, user).json()
    other = {"user": made["id"], "currency": "HRK", "name": "savings"}
    opened = service.post(ACCOUNTS, other).json()
    take_out()
    again, reopened = service.post(USERS, user), service.post(ACCOUNTS, other)
    assert (again.status_code, again.json()["id"]) == (201, made["id"])
    assert (reopened.status_code, reopened.json()["id"]) == (201, opened["id"])
    for path, body in ((USERS, {**user, "id": str(new_id())}), (ACCOUNTS, {**other, "name": "third"})):
        refused = service.post(path, body)
        assert (refused.status_code, refused.json()["code"]) == (422, "currency_closed")
        assert refused.json()["errors"][0]["pointer"] == "/currency"


@pytest.mark.parametrize("currency", ["ZZZ", "NEG", "ETH", "JPY", "XAU", "usd"])
def test_what_is_wrongly_declared_is_a_currency_of_nobody(offer, service, currency):  # noqa: F811
    """As if the ledger had been started past the checks."""
    offer(["USD", "ZZZ", "XAU"], NEG=-1, ETH=18, JPY=2)
    answer = service.post(USERS, {"id": str(new_id()), "name": "x", "currency": currency})
    assert (answer.status_code, answer.json()["code"]) == (400, "currency_unknown")


def test_a_unit_that_is_declared_no_more_is_read_exactly_and_never_moved(listed, take_out, service, reader):
    account = AccountFactory(currency="MILES", funds="1000.50")
    placed = hold(account, "0.25")
    take_out()
    shown = reader.get(f"{ACCOUNTS}/{account.id}").json()
    assert (shown["balance"], shown["held"], shown["available"]) == ("1000.5", "0.25", "1000.25")
    assert money(Decimal("1000.50000000"), "MILES") == "1,000.5\N{NO-BREAK SPACE}MILES"
    assert money(Decimal("1000.00000000"), "MILES") == "1,000\N{NO-BREAK SPACE}MILES"
    body = {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "1"}
    refused = service.post(TRANSACTIONS, body)
    assert (refused.status_code, refused.json()["code"]) == (400, "currency_unknown")
    released = make_client("api-admin").post(f"/api/v1/holds/{placed.id}/release")
    assert (released.status_code, released.json()["amount"]) == (200, "0.25")


def test_a_correction_in_a_unit_that_is_declared_no_more_is_refused_on_its_form(listed, take_out):
    account = AccountFactory(currency="MILES", funds="1")
    office = open_office(make_staff(superuser=True))
    take_out()
    form = {"type": "DEPOSIT", "amount": "1", "reference": "x", "reason": "x", "identity": str(new_id())}
    answer = office.post(f"/admin/accounts/account/{account.id}/adjust/", form)
    assert answer.status_code == 422
    assert "MILES is not a currency of this ledger." in answer.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("currency", ["HRK", "MILES"])
def test_what_leaves_the_ledger_is_as_it_was(listed, take_out, currency, capsys):
    account = UserFactory(currency=currency).accounts.get()
    deposit(account, "12.50")
    take_out()
    call_command("export_journal")
    journal = capsys.readouterr().out
    assert f"12.50 {currency}" in journal if currency == "HRK" else f"12.5 {currency}" in journal
    call_command("export_statement", account=str(account.id), **{"from": "2020-01-01", "to": "2099-01-01"})
    assert "12.5" in capsys.readouterr().out
