"""Users and accounts over HTTP: made once, seen by who may."""

import pytest
from django.contrib.auth.models import Permission

from accounts.models import User
from tests.cast import AccountFactory, UserFactory, deposit, new_id
from tests.conftest import make_client

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
    assert stored.username == user["id"]
    assert not stored.has_usable_password()
    assert not stored.get_all_permissions()


@pytest.mark.parametrize("identity", [{"id": str(new_id())}, {"key": "signup-1"}, {"external_id": "crm-1"}])
def test_a_repeated_creation_is_answered_with_the_user_as_it_is_now(service, identity):
    first = create(service, **identity)
    service.patch(f"/api/v1/users/{first.json()['id']}", {"name": "Petya P.", "metadata": {"a": "b"}})
    again = create(service, **identity)
    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["name"] == "Petya P."
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


def test_one_key_of_two_services_makes_two_users(service):
    other = make_client("api-post")
    assert create(service, key="signup-1").json()["id"] != create(other, key="signup-1").json()["id"]


def test_a_key_makes_an_id_of_version_8(service):
    assert create(service, key="signup-1").json()["id"][14] == "8"


def test_users_are_found_by_external_id_and_by_name(service):
    petya = create(service, external_id="crm-1").json()
    create(service, id=str(new_id()), name="masha")
    for query in ({"external_id": "crm-1"}, {"name": "petya"}):
        assert service.get("/api/v1/users", query).json()["results"] == [petya]
    assert service.get("/api/v1/users", {"name": "pet"}).json()["results"] == []


def test_an_account_is_opened_once(service, petya):
    body = {"user": str(petya.id), "currency": "EUR", "name": "savings"}
    first, again = service.post("/api/v1/accounts", body), service.post("/api/v1/accounts", body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"
    assert petya.accounts.count() == 2
    missing = service.post("/api/v1/accounts", {**body, "user": str(new_id())})
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_accounts_are_filtered(service, petya):
    savings = service.post("/api/v1/accounts", {"user": str(petya.id), "currency": "EUR", "name": "s"}).json()
    AccountFactory()
    for query in ({"currency": "EUR"}, {"name": "s"}, {"user": str(petya.id), "currency": "EUR"}):
        assert service.get("/api/v1/accounts", query).json()["results"] == [savings]
    assert len(service.get("/api/v1/accounts", {"user": str(petya.id)}).json()["results"]) == 2
    assert service.get("/api/v1/accounts", {"status": "CLOSED"}).json()["results"] == []


def test_a_holder_sees_only_what_is_theirs(holder, petya, account):
    row, foreign = deposit(account, "10"), deposit(AccountFactory(), "10")
    assert [user["id"] for user in holder.get("/api/v1/users").json()["results"]] == [str(petya.id)]
    assert [item["id"] for item in holder.get("/api/v1/accounts").json()["results"]] == [str(account.id)]
    assert [item["id"] for item in holder.get("/api/v1/transactions").json()["results"]] == [str(row.id)]
    other = foreign.account
    for own, theirs, missing in [
        (f"users/{petya.id}", f"users/{other.user_id}", f"users/{new_id()}"),
        (f"users/{petya.id}/balance", f"users/{other.user_id}/balance", f"users/{new_id()}/balance"),
        (f"accounts/{account.id}", f"accounts/{other.id}", f"accounts/{new_id()}"),
        (f"accounts/{account.id}/balance", f"accounts/{other.id}/balance", f"accounts/{new_id()}/balance"),
        (f"transactions/{row.id}", f"transactions/{foreign.id}", f"transactions/{new_id()}"),
    ]:
        assert holder.get(f"/api/v1/{own}").status_code == 200
        answers = [holder.get(f"/api/v1/{address}") for address in (theirs, missing)]
        assert [answer.status_code for answer in answers] == [404, 404]
        bodies = [{**answer.json(), "request_id": ""} for answer in answers]
        assert bodies[0] == bodies[1]
    assert holder.get("/api/v1/transactions", {"account": str(other.id)}).json()["results"] == []


def test_a_holder_changes_nothing(holder, petya, account):
    body = {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "1"}
    for answer in (
        holder.post("/api/v1/transactions", body),
        holder.post("/api/v1/users", {"id": str(new_id()), "name": "x"}),
        holder.patch(f"/api/v1/users/{petya.id}", {"name": "x"}),
        holder.patch(f"/api/v1/accounts/{account.id}", {"metadata": {}}),
        holder.post("/api/v1/accounts", {"user": str(petya.id), "currency": "EUR"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_a_blind_writer_cannot_change_what_it_cannot_see(petya):
    writer = UserFactory()
    writer.user_permissions.add(Permission.objects.get(codename="change_user"))
    assert make_client(user=writer).patch(f"/api/v1/users/{petya.id}", {"name": "x"}).status_code == 404


def test_nothing_is_deleted_or_replaced_over_http(service, petya, account):
    row = deposit(account, "1")
    for address in (f"users/{petya.id}", f"accounts/{account.id}", f"transactions/{row.id}", "transactions"):
        for method in (service.put, service.delete):
            answer = method(f"/api/v1/{address}", headers={"X-HTTP-Method-Override": "PATCH"})
            assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
            assert "GET" in answer["Allow"]


def test_balances_are_not_to_be_stored_on_the_way(service, account):
    assert service.get(f"/api/v1/accounts/{account.id}/balance")["Cache-Control"] == "no-store"
