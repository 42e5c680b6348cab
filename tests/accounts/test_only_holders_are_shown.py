"""The API's users are account holders: staff and services are to it as if they were not there."""

import json
import re

import pytest
from django.db.transaction import atomic
from django.db.utils import DatabaseError

from accounts import operations
from accounts.errors import UserNotFound
from accounts.models import Account, User
from tests import matrix
from tests.cast import CALLER, UserFactory, new_id
from tests.conftest import make_client
from tests.database import execute
from tests.office.staff import make_staff

pytestmark = pytest.mark.django_db
USERS = "/api/v1/users"


@pytest.fixture
def caller():
    """A service with all groups of the API."""
    return User.objects.create_user("engine", name="The engine of ads")


@pytest.fixture
def client(caller):
    return make_client("api-post", "api-admin", user=caller)


@pytest.fixture(params=["staff", "superuser", "service", "itself"])
def hidden(request, caller):
    """Somebody who is no account holder."""
    return {
        "staff": lambda: make_staff("operations", name="Anna Amsel"),
        "superuser": lambda: make_staff(superuser=True, name="Anna Amsel"),
        "service": lambda: User.objects.create_user("shop", name="The shop"),
        "itself": lambda: caller,
    }[request.param]()


def look(user):
    """All there is of them."""
    [row] = execute("SELECT to_jsonb(u)::text FROM accounts_user AS u WHERE id = %s", user.pk)
    groups = list(user.groups.order_by("name").values_list("name", flat=True))
    return row, groups, list(Account.objects.filter(user=user).values())


def strip(answer):
    """Whatever tells one answer from another, but for ids that were sent."""
    body = json.loads(answer.content or "null")
    if isinstance(body, dict):
        body.pop("request_id", None)
        body.pop("cursor", None)
    return answer.status_code, body


def name_user(value, id):
    """A route, a query or a body that names a user, with this id for theirs."""
    return value.replace("{user}", str(id)).replace("{new}", str(new_id()))


WAYS = [
    (route, method, body)
    for route, rules in matrix.API.items()
    for method in rules
    for body in matrix.list_bodies(f"api/v1/{route}", method)
    if "{user}" in route + body
]
FILTERS = [(kind, each) for kind, filters in matrix.LISTS.items() for each in filters if "{user}" in each]


def test_every_route_that_names_a_user_is_tried():
    assert {(route, method) for route, method, _ in WAYS} == {
        ("users/{user}", "GET"),
        ("users/{user}", "PATCH"),
        ("users/{user}/balance", "GET"),
        ("accounts", "POST"),
        ("transactions", "POST"),
        ("batches", "POST"),
    }


@pytest.mark.parametrize(("route", "method", "body"), WAYS)
def test_no_route_tells_who_is_no_holder_from_who_is_not_there(client, hidden, route, method, body):
    before = look(hidden)

    def ask(id):
        address = f"/api/v1/{name_user(route, id)}"
        answer = client.generic(method, address, name_user(body, id), content_type="application/json")
        return strip(answer)

    seen, missing = ask(hidden.pk), ask(new_id())
    assert seen == missing
    assert (seen[0], seen[1]["code"]) == (404, "not_found")
    assert look(hidden) == before


@pytest.mark.parametrize(("kind", "filter"), FILTERS)
def test_no_filter_finds_anything_of_theirs(client, hidden, kind, filter):
    filter = re.sub(r"account=\{\w+\}&", "", filter)
    answer = client.get(f"/api/v1/{kind}?{name_user(filter, hidden.pk)}")
    assert answer.json()["results"] == []


def test_lists_show_holders_only(client, hidden, petya):
    shown = client.get(USERS).json()["results"]
    assert [user["id"] for user in shown] == [str(petya.id)]
    assert client.get(USERS, {"name": hidden.name}).json()["results"] == []


@pytest.mark.parametrize("also", [{}, {"external_id": "crm-1"}, {"currency": "EUR"}])
def test_their_id_is_taken_and_nothing_is_told_of_whom(client, hidden, also):
    before = look(hidden)
    for name in (hidden.name, "another"):
        answer = client.post(USERS, {"id": str(hidden.pk), "name": name, **also})
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
        assert answer.json().keys() & {"differs", "name", "accounts"} == set()
        assert hidden.name not in answer.content.decode()
    assert look(hidden) == before
    assert not User.objects.filter(external_id="crm-1").exists()


def test_nothing_that_may_be_read_has_a_name_of_staff_or_of_a_service(client, petya):
    make_staff("operations", username="anna-the-secret", name="Anna the Secret")
    client.post(f"/api/v1/accounts/{petya.accounts.get().id}/freeze", {"reason": "x"})
    for route, rules in matrix.API.items():
        if "GET" in rules and "{" not in route and route != "me":  # which tells them who they are
            text = client.get(f"/api/v1/{route}").content.decode()
            assert "ecret" not in text, route
            assert "engine" not in text, route


def test_inside_nobody_else_gets_an_account_or_a_name_either(hidden):
    with pytest.raises(UserNotFound):
        operations.create_account(user_id=hidden.pk, currency="USD", caller=CALLER)
    with pytest.raises(User.DoesNotExist):
        operations.change_user(id=hidden.pk, changes={"name": "x"}, caller=CALLER)


def test_the_database_too_gives_accounts_to_holders_only(hidden):
    with pytest.raises(DatabaseError, match="an account is of an account holder"), atomic():
        Account.objects.create(user=hidden, currency="USD")


def test_a_holder_is_found_as_one_by_their_user_name():
    holder = UserFactory()
    assert (holder.is_holder, User.objects.create_user("shop").is_holder) == (True, False)
    assert User.objects.create_user(str(new_id())).is_holder is False
