"""Tokens that are bound to accounts, types and amounts: every route that moves money, and every bound."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import operations
from accounts.models import Account
from tests import matrix
from tests.cast import CALLER, UserFactory, deposit, hold, new_id, transfer, withdraw
from tests.claims import claim
from tests.conftest import make_client
from tests.refusals import take_stock
from tests.routes import name_kind

pytestmark = pytest.mark.django_db

API = "/api/v1/"
DEPOSIT, WITHDRAW = "DEPOSIT", "WITHDRAW"


def make_batch(items, *, atomic):
    commands = [{"command": "transaction", **item} for item in items]
    return {"id": str(new_id()), "atomic": atomic, "commands": commands}


class World:
    """A user with a `main` and an `ads` account, both with money, and one of everything on each of them."""

    def __init__(self):
        self.user = UserFactory()
        self.main = self.user.accounts.get()
        self.ads, _ = operations.create_account(
            user_id=self.user.id, currency="USD", name="ads", caller=CALLER
        )
        for account in (self.main, self.ads):
            deposit(account, "1000")

    def prepare(self, route, account, amount):
        """The address and the body of a request that does it on this account, with the amount."""
        other = self.ads if account == self.main else self.main
        new, named = {"id": str(new_id())}, {"account": str(account.id), "amount": amount}
        moved = {"id": str(new_id()), "amount": amount}
        rules = f"accounts/{account.id}"
        match route:
            case "deposit" | "withdrawal":
                return "transactions", {**new, **named, "type": DEPOSIT if route == "deposit" else WITHDRAW}
            case "deposit of a user" if account == self.main:
                item = {**moved, "user": str(self.user.id), "type": DEPOSIT}
                return "transactions", item
            case "deposit of a user":
                return "transactions", {**new, **named, "type": DEPOSIT}
            case "batch of deposits" | "atomic batch of deposits":
                first = {"id": str(new_id()), "account": str(self.main.id), "amount": "1", "type": DEPOSIT}
                items = [first, {**new, **named, "type": DEPOSIT}]
                return "batches", make_batch(items, atomic=route.startswith("atomic"))
            case "reversal of a batch":
                item = {**new, **named, "type": WITHDRAW}
                made = make_client("api-post").post(f"{API}batches", make_batch([item], atomic=True))
                return f"batches/{made.json()['id']}/reverse", {"id": str(new_id()), "reason": "x"}
            case "transfer from":
                return "transfers", {**moved, "source": str(account.id), "destination": str(other.id)}
            case "transfer to":
                return "transfers", {**moved, "source": str(other.id), "destination": str(account.id)}
            case "hold":
                return "holds", {**new, **named}
            case "capture" | "capture of all":
                held = hold(account, amount)
                part = {} if route.endswith("all") else {"amount": amount}
                return f"holds/{held.id}/capture", {**new, **part}
            case "capture into an account":
                return f"holds/{hold(account, amount).id}/capture", {**new, "destination": str(other.id)}
            case "another amount of a hold":
                return f"holds/{hold(account, '1').id}", {"amount": amount}
            case "release":
                return f"holds/{hold(account, amount).id}/release", {}
            case "reversal of a deposit" | "reversal of a withdrawal":
                move = deposit if route.endswith("deposit") else withdraw
                return f"transactions/{move(account, amount).id}/reverse", {**new, "reason": "x"}
            case "reversal of a transfer":
                return f"transactions/{transfer(account, other, amount).id}/reverse", {**new, "reason": "x"}
            case "reversal with a claim":
                claimed = {**new, "reason": "x", "claim": True}
                return f"transactions/{deposit(account, amount).id}/reverse", claimed
            case "claim":
                return f"{rules}/claims", {**moved, "reason": "x"}
            case "claim for another account":
                return f"{rules}/claims", {**moved, "reason": "x", "destination": str(other.id)}
            case "waiver":
                return f"claims/{claim(account, '2000').id}/waive", {"reason": "x"}
            case "limits":
                return f"{rules}/limits", {"withdraw_max": "5"}
            case "thresholds":
                return f"{rules}/thresholds", {"amount": "5", "of": "balance"}
            case "metadata":
                return rules, {"metadata": {"k": "v"}}
            case "freeze" | "unfreeze":
                return f"{rules}/{route}", {"reason": "x"}
            case "close":
                withdraw(account, "1000")
                return f"{rules}/{route}", {"reason": "x"}
        raise AssertionError(route)


# By what is done: the types that it comes to, and whether it has an amount of its own.
ROUTES = {
    "deposit": ({DEPOSIT}, True),
    "deposit of a user": ({DEPOSIT}, True),
    "withdrawal": ({WITHDRAW}, True),
    "batch of deposits": ({DEPOSIT}, True),
    "atomic batch of deposits": ({DEPOSIT}, True),
    "reversal of a batch": ({DEPOSIT}, True),
    "transfer from": ({DEPOSIT, WITHDRAW}, True),
    "transfer to": ({DEPOSIT, WITHDRAW}, True),
    "hold": ({WITHDRAW}, True),
    "capture": ({WITHDRAW}, True),
    "capture of all": ({WITHDRAW}, True),
    "capture into an account": ({DEPOSIT, WITHDRAW}, True),
    "another amount of a hold": ({WITHDRAW}, True),
    "release": (set(), False),
    "reversal of a deposit": ({WITHDRAW}, True),
    "reversal of a withdrawal": ({DEPOSIT}, True),
    "reversal of a transfer": ({DEPOSIT, WITHDRAW}, True),
    "reversal with a claim": ({WITHDRAW}, True),
    "claim": ({WITHDRAW}, True),
    "claim for another account": ({DEPOSIT, WITHDRAW}, True),
    "waiver": (set(), False),
    "limits": (set(), False),
    "thresholds": (set(), False),
    "metadata": (set(), False),
    "freeze": (set(), False),
    "unfreeze": (set(), False),
    "close": (set(), False),
}
BOTH = {
    *("transfer from", "transfer to", "reversal of a transfer", "capture into an account"),
    "claim for another account",
}  # accounts of two names

PATCHED = {"metadata", "another amount of a hold"}


@pytest.fixture
def world(db):
    return World()


def ask(world, route, account=None, amount="10", **bounds):
    """The answer to a token with these bounds. A refusal has changed nothing."""
    address, body = world.prepare(route, account or world.main, amount)
    client = make_client("api-admin", **bounds)
    before = take_stock()
    answer = getattr(client, "patch" if route in PATCHED else "post")(API + address, body)
    if answer.status_code == 403:
        assert take_stock() == before
    return answer


def is_refused(answer, bound, allowed):
    """By this bound; or it is done."""
    if answer.status_code == 403:
        problem = answer.json()
        assert (problem["code"], problem["bound"], problem["allowed"]) == ("token_bound", bound, allowed)
        return True
    assert answer.status_code in (200, 201), answer.content
    if "results" in (body := answer.json()):
        assert {result["status"] for result in body["results"]} == {201}
    return False


@pytest.mark.parametrize("route", ROUTES)
def test_each_command_is_bound_to_accounts_by_their_names(world, route):
    for bound, account, wanted in (
        (["main"], world.main, route in BOTH),
        (["main"], world.ads, True),
        (["ads", "main"], world.ads, False),
    ):
        answer = ask(world, route, account, account_names=bound)
        assert is_refused(answer, "account_names", bound) is wanted, (bound, account.name)


@pytest.mark.parametrize("route", ROUTES)
def test_each_command_is_bound_to_types(world, route):
    comes_to, _ = ROUTES[route]
    for allowed in ([DEPOSIT], [WITHDRAW], [DEPOSIT, WITHDRAW]):
        answer = ask(world, route, types=allowed)
        assert is_refused(answer, "types", allowed) is not (comes_to <= set(allowed)), allowed
        if route == "close":
            break  # closed for ever


@pytest.mark.parametrize("route", ROUTES)
def test_each_command_is_bound_to_an_amount(world, route):
    _, has_amount = ROUTES[route]
    for amount, wanted in (("10.00", False), ("10.01", has_amount)):
        answer = ask(world, route, amount=amount, amount_max=Decimal(10))
        assert is_refused(answer, "amount_max", "10") is wanted, amount
        if route == "close":
            break


def test_every_route_that_posts_is_asked(world):
    """A new one must be here: all of the matrix but those that make users and accounts, or subscribe."""
    posting = {
        route.replace("{spare}", "{account}")
        for route, rules in matrix.API.items()
        if {"POST", "PATCH"} & rules.keys() and not route.startswith(("users", "subscriptions"))
    }
    addresses = {world.prepare(route, world.ads, "1")[0] for route in ROUTES}
    asked = {re.sub(r"\w+/[0-9a-f-]{36}", name_kind, address) for address in addresses}
    assert asked == posting - {"accounts"}


def test_a_refused_id_is_not_burnt(world):
    body = {"id": str(new_id()), "account": str(world.main.id), "type": DEPOSIT, "amount": "10"}
    bounded = make_client("api-post", amount_max=Decimal(5)).post(f"{API}transactions", body)
    assert (bounded.status_code, bounded.json()["code"]) == (403, "token_bound")
    assert make_client("api-post").post(f"{API}transactions", body).status_code == 201


@pytest.mark.parametrize("atomic", [True, False])
def test_a_batch_is_refused_as_a_whole_and_points_to_the_transaction(world, atomic):
    items = [
        {"id": str(new_id()), "account": str(world.main.id), "type": DEPOSIT, "amount": amount}
        for amount in ("1", "2", "7", "3")
    ]
    client = make_client("api-post", amount_max=Decimal(5))
    before = take_stock()
    answer = client.post(f"{API}batches", make_batch(items, atomic=atomic))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (403, "/commands/2")
    assert take_stock() == before


def test_a_list_that_takes_more_of_a_hold_than_allowed_is_refused_as_a_whole(world):
    """What all of it comes to is looked at before anything is posted."""
    held = hold(world.main, "30")
    first = {"id": str(new_id()), "account": str(world.main.id), "amount": "1", "type": DEPOSIT}
    capture = {"command": "capture", "id": str(new_id()), "hold": str(held.id)}
    client = make_client("api-post", amount_max=Decimal(20))
    before = take_stock()
    answer = client.post(f"{API}batches", make_batch([first, capture], atomic=False))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (403, "/commands/1")
    assert take_stock() == before


def test_in_a_hold_counts_what_is_left(world):
    held = hold(world.main, "30")
    client = make_client("api-post", amount_max=Decimal(20))
    capture = f"{API}holds/{held.id}/capture"
    assert client.post(capture, {"id": str(new_id())}).json()["bound"] == "amount_max"
    assert client.post(capture, {"id": str(new_id()), "amount": "12", "final": False}).status_code == 201
    assert client.post(capture, {"id": str(new_id())}).status_code == 201  # 18 are left
    assert Account.objects.get(id=world.main.id).balance == 970
    assert client.post(capture, {"id": str(new_id())}).json()["code"] == "hold_not_open"


def test_what_is_not_there_is_not_there_within_bounds_and_beyond_them(world):
    client = make_client("api-post", account_names=["main"])
    body = {"id": str(new_id()), "account": str(new_id()), "type": DEPOSIT, "amount": "10"}
    answers = [client.post(f"{API}transactions", body), client.post(f"{API}holds/{new_id()}/release")]
    assert [answer.json()["code"] for answer in answers] == ["not_found", "not_found"]


def test_a_token_without_bounds_pays_nothing_for_them(world):
    def count(client):
        body = {"id": str(new_id()), "account": str(world.main.id), "type": DEPOSIT, "amount": "10"}
        with CaptureQueriesContext(connection) as queries:
            assert client.post(f"{API}transactions", body).status_code == 201
        return len(queries), sum("accounts_account" in query["sql"] for query in queries)

    free = make_client("api-post")
    bounded = make_client("api-post", account_names=["main"], types=[DEPOSIT], amount_max=Decimal(10))
    counted = [[count(client) for _ in range(2)][1] for client in (free, bounded)]  # the first looks it up
    assert counted[1] == tuple(many + 1 for many in counted[0])
