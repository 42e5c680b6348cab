"""Users and accounts over HTTP: made once, seen by who may."""

import pytest

from accounts.models import Token, User
from events.models import Event
from tests.cast import new_id
from tests.conftest import make_client
from tests.office.staff import make_staff
from tests.transactions.told import read_events

pytestmark = pytest.mark.django_db


def create(service, key=None, **body):
    headers = {"Idempotency-Key": key} if key else {}
    return service.post("/api/v1/users", {"name": "petya", **body}, headers=headers)


def test_a_user_comes_with_an_empty_main_account(service):
    user = create(service, id=str(new_id()), metadata={"tier": "gold"}).json()
    [account] = user["accounts"]
    assert (account["name"], account["currency"], account["status"]) == ("main", "USD", "ACTIVE")
    assert {account[field] for field in ("balance", "held", "available", "credit_limit")} == {"0.00"}
    assert user["metadata"] == {"tier": "gold"}
    stored = User.objects.get(id=user["id"])
    assert (stored.username, stored.has_usable_password()) == (user["id"], False)
    assert not stored.get_all_permissions()


@pytest.mark.parametrize("identity", [{"id": str(new_id())}, {"key": "signup-1"}, {"external_id": "crm-1"}])
def test_a_repeated_creation_is_answered_with_the_user_as_it_is_now(service, identity):
    first = create(service, **identity)
    id = first.json()["id"]
    service.patch(f"/api/v1/users/{id}", {"name": "Petya P.", "metadata": {"a": "b"}})
    again = create(service, **identity)
    assert (first.status_code, first.get("Idempotency-Replayed")) == (201, None)
    assert (again.status_code, again.get("Idempotency-Replayed")) == (201, "true")
    assert (again.json()["id"], again.json()["name"]) == (id, "Petya P.")
    assert User.objects.filter(name="Petya P.").count() == 1


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"name": "other"}, ["name"]),
        ({"external_id": "x"}, ["external_id"]),
        ({"currency": "EUR"}, ["currency"]),
    ],
)
def test_another_creation_with_the_same_id_is_refused_and_told_what_differs(service, change, differs):
    id = str(new_id())
    create(service, id=id)
    refused = create(service, id=id, **change)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert refused.json()["differs"] == differs


def test_who_sends_what_a_user_is_called_now_means_that_user(service):
    made = create(service, external_id="crm-7", name="Petya").json()
    service.patch(f"/api/v1/users/{made['id']}", {"name": "Pyotr"})
    for name in ("Pyotr", "Petya"):
        answer = create(service, external_id="crm-7", name=name)
        assert (answer.status_code, answer.json()["name"]) == (201, "Pyotr")
        assert answer.headers["Idempotency-Replayed"] == "true"
    assert create(service, external_id="crm-7", name="Anna").json()["differs"] == ["name"]


def test_one_key_of_two_services_makes_two_users_with_ids_of_version_8(service):
    ids = [create(asking, key="signup-1").json()["id"] for asking in (service, make_client("api-post"))]
    assert ids[0] != ids[1]
    assert [id[14] for id in ids] == ["8", "8"]


def test_an_account_is_opened_once(service, petya):
    body = {"user": str(petya.id), "currency": "EUR", "name": "savings"}
    first, again = service.post("/api/v1/accounts", body), service.post("/api/v1/accounts", body)
    assert first.status_code == again.status_code == 201
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    assert petya.accounts.count() == 2
    missing = service.post("/api/v1/accounts", {**body, "user": str(new_id())})
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_a_blind_writer_cannot_change_what_it_cannot_see(petya):
    writer = make_client("api-post", permissions=["accounts.change_user"])
    assert writer.patch(f"/api/v1/users/{petya.id}", {"name": "x"}).status_code == 404


@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_header_makes_no_other_method_of_one_that_is_not_served(service, petya, method):
    address, headers = f"/api/v1/users/{petya.id}", {"X-HTTP-Method-Override": "PATCH"}
    answer = getattr(service, method)(address, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_what_a_user_is_already_is_not_told_again(service, petya):
    changes = [{"name": "petya"}, {}, {"name": "Petya P."}, {"name": "Petya P."}, {"metadata": {"a": "b"}}]
    for change in [*changes, {"name": "Petya P.", "metadata": {"a": "b"}}]:
        answer = service.patch(f"/api/v1/users/{petya.id}", change)
        assert answer.status_code == 200
    created, *told = read_events(stream=petya.id)
    assert [event.sequence for event in told] == [2, 3]
    assert {event.type for event in told} == {"user.changed"}
    assert [(event.data["name"], event.data["metadata"]) for event in told] == [
        ("Petya P.", {}),
        ("Petya P.", {"a": "b"}),
    ]
    assert told[-1].data == answer.json() == service.get(f"/api/v1/users/{petya.id}").json()
    assert created.recorded_at < told[0].recorded_at < told[1].recorded_at
    petya.refresh_from_db()
    assert (petya.event_sequence, petya.last_recorded_at) == (3, told[-1].recorded_at)


@pytest.mark.parametrize("kind", ["users", "accounts"])
def test_metadata_of_null_is_none_any_more(petya, kind):
    admin = make_client("api-admin")
    address = f"/api/v1/{kind}/{petya.id if kind == 'users' else petya.accounts.get().id}"
    assert admin.patch(address, {"metadata": {"a": "b"}}).json()["metadata"] == {"a": "b"}
    for _ in range(2):
        answer = admin.patch(address, {"metadata": None})
        assert (answer.status_code, answer.json()["metadata"]) == (200, {})
    assert admin.get(address).json()["metadata"] == {}
    told = read_events(stream=petya.id) if kind == "users" else read_events(account=petya.accounts.get())
    assert [event.type for event in told][1:] == [f"{kind.removesuffix('s')}.changed"] * 2


@pytest.mark.parametrize("kind", ["service", "staff", "holder"])
def test_a_change_of_a_user_tells_who_did_it_as_what_and_in_which_request(petya, kind):
    client = make_client("api-post", user={"staff": make_staff(), "holder": petya}.get(kind))
    caller = Token.objects.get().user
    client.patch(f"/api/v1/users/{petya.id}", {"name": "P."}, headers={"X-Request-Id": "look-1"})
    event = Event.objects.get(type="user.changed")
    assert (event.stream, event.account_id, event.actor) == (petya.id, None, caller.id)
    assert (event.actor_kind, event.request_id) == (kind, "look-1")


def test_users_and_accounts_that_are_made_tell_who_made_them(service):
    headers = {"X-Request-Id": "look-1"}
    user = service.post("/api/v1/users", {"id": str(new_id()), "name": "p"}, headers=headers).json()
    body = {"user": user["id"], "currency": "EUR", "name": "savings"}
    for _ in range(2):
        service.post("/api/v1/accounts", body, headers=headers)
    caller = Token.objects.get().user
    told = Event.objects.order_by("recorded_at", "stream")
    assert sorted(event.type for event in told) == ["account.opened", "account.opened", "user.created"]
    for event in told:
        assert (event.actor, event.actor_kind, event.request_id) == (caller.id, "service", "look-1")
