"""Who names something that there is not is told which field named it."""

import pytest

from tests.cast import AccountFactory, hold, new_id
from tests.conftest import make_client

pytestmark = pytest.mark.django_db

API = "/api/v1"
NO_ACCOUNT, NO_USER = "There is no such account.", "There is no such user."


def ask(client, path, **body):
    return client.post(f"{API}/{path}", {"id": str(new_id()), **body}).json()


def require(problem, pointer, detail):
    assert problem["code"] == "not_found"
    assert problem["detail"] == detail
    assert problem.get("errors", []) == (
        [{"pointer": pointer, "code": "not_found", "detail": detail}] if pointer else []
    )


def list_commands(account):
    """By the field that names nobody: where it is sent, and the rest of the body."""
    some = {"amount": "1.00"}
    held, both = f"holds/{hold(account, '2').id}/capture", [{**some, "destination": str(AccountFactory().id)}]
    return {
        "/account": ("transactions", {**some, "type": "DEPOSIT"}),
        "/user": ("transactions", {**some, "type": "DEPOSIT"}),
        "/source": ("transfers", {**some, "destination": str(account.id)}),
        "/source_user": ("transfers", {**some, "destination": str(account.id)}),
        "/destination": ("transfers", {**some, "source": str(account.id)}),
        "/destination_user": ("transfers", {**some, "source": str(account.id)}),
        "/destinations/1/destination": (held, {"destinations": both}),
        "/destinations/1/destination_user": (held, {"destinations": both}),
    }


FIELDS = (
    *("/account", "/user", "/source", "/source_user", "/destination", "/destination_user"),
    *("/destinations/1/destination", "/destinations/1/destination_user"),
)


@pytest.mark.parametrize("field", FIELDS)
def test_the_field_that_names_nobody_is_pointed_to(service, rich, field):
    path, body = list_commands(rich)[field]
    name = field.rpartition("/")[2]
    if "destinations" in body:
        body["destinations"].append({"amount": "1.00", name: str(new_id())})
    else:
        body[name] = str(new_id())
    require(ask(service, path, **body), field, NO_USER if "user" in name else NO_ACCOUNT)


@pytest.mark.parametrize(("field", "detail"), [("account", NO_ACCOUNT), ("user", NO_USER)])
def test_of_a_hold_too(service, field, detail):
    require(ask(service, "holds", amount="1.00", **{field: str(new_id())}), f"/{field}", detail)


@pytest.mark.parametrize("is_atomic", [True, False])
@pytest.mark.parametrize("field", FIELDS[:6])
def test_in_a_list_the_pointer_begins_with_the_command(service, rich, field, is_atomic):
    path, body = list_commands(rich)[field]
    name = field.removeprefix("/")
    good = {"command": "transaction", "account": str(rich.id), "type": "DEPOSIT", "amount": "1.00"}
    bad = {"command": path.removesuffix("s"), **body, name: str(new_id())}
    told = ask(service, "batches", atomic=is_atomic, commands=[good, bad])
    problem = told if is_atomic else told["results"][1]["problem"]
    require(problem, f"/commands/1{field}", NO_USER if "user" in name else NO_ACCOUNT)


@pytest.mark.parametrize("command", ["release", "capture"])
def test_in_a_list_the_hold_is_pointed_to(service, command):
    item = {"command": command, "hold": str(new_id())}
    told = ask(service, "batches", atomic=True, commands=[item])
    require(told, "/commands/0/hold", "There is no such hold.")


def test_what_the_address_names_has_no_pointer(rich):
    told = ask(make_client("api-admin"), f"accounts/{new_id()}/claims", amount="1.00", reason="test")
    require(told, "", NO_ACCOUNT)


def test_who_is_to_have_an_account_is_pointed_to(service):
    told = service.post(f"{API}/accounts", {"user": str(new_id()), "currency": "USD"}).json()
    require(told, "/user", NO_USER)


def test_a_balance_says_what_of_its_question_is_not_there(service, rich):
    address = f"{API}/users/{rich.user_id}/balance"
    require(service.get(f"{API}/users/{new_id()}/balance").json(), "", NO_USER)
    require(service.get(f"{API}/users/{new_id()}/balance?account=savings").json(), "", NO_USER)
    require(service.get(f"{address}?currency=EUR").json(), "?currency", "The user has accounts in USD.")
    savings = service.get(f"{address}?account=savings").json()
    require(savings, "?account", "The user has no account of this name.")
    assert service.get(f"{address}?currency=usd").json()["code"] == "currency_unknown"
