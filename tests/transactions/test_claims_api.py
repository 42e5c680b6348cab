"""Claims over HTTP."""

from decimal import Decimal

import pytest

from tests import asking
from tests.cast import AccountFactory, deposit, hold, new_id, withdraw
from tests.claims import claim, figures, waive
from tests.conftest import make_client
from tests.dry_runs import require_same_decision, try_out
from tests.transactions.conftest import require_clean

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db):
    return make_client("api-admin")


def ask_for(account, **fields):
    return {"id": str(new_id()), "amount": "130.00", "reason": "chargeback 7"} | fields


def open_claim(client, account, **fields):
    return client.post(f"/api/v1/accounts/{account.id}/claims", ask_for(account, **fields))


def test_a_claim_is_opened_collected_and_shown(admin, rich):
    answer = open_claim(admin, rich, reference="case 7")
    shown = answer.json()
    assert answer.status_code == 201
    assert {name: shown[name] for name in ("amount", "collected", "remaining", "status", "reference")} == {
        "amount": "130.00",
        "collected": "100.00",
        "remaining": "30.00",
        "status": "OPEN",
        "reference": "case 7",
    }
    assert admin.get(f"/api/v1/claims/{shown['id']}").json() == shown
    assert admin.get(f"/api/v1/accounts/{rich.id}").json()["owed"] == "30.00"
    [row] = admin.get(f"/api/v1/transactions?account={rich.id}&type=WITHDRAW").json()["results"]
    assert row["claim"] == shown["id"]
    require_clean()


def test_a_repeated_claim_is_answered_as_it_is_now(admin, account):
    body = ask_for(account)
    path = f"/api/v1/accounts/{account.id}/claims"
    assert admin.post(path, body).json()["collected"] == "0.00"
    deposit(account, "4")
    again = admin.post(path, body)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json()["collected"] == "4.00"
    other = admin.post(path, {**body, "reason": "another"})
    assert (other.status_code, other.json()["differs"]) == (422, ["reason"])


def test_a_declined_claim_is_a_problem_for_ever(admin, account):
    asking.close(id=account.id, reason="left", request_id="")
    body = ask_for(account)
    path = f"/api/v1/accounts/{account.id}/claims"
    for _ in range(2):
        answer = admin.post(path, body)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["id"]) == (422, "account_closed", body["id"])
    assert admin.get("/api/v1/claims?status=DECLINED").json()["results"][0]["id"] == body["id"]


def test_money_in_lists_what_was_collected_and_so_does_its_replay(admin, account):
    owed = claim(account, "30")
    body = {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "40.00"}
    answer = admin.post("/api/v1/transactions", body)
    told = answer.json()
    [collected] = told.pop("collected")
    assert (collected["claim"], collected["amount"]) == (str(owed.id), "30.00")
    assert admin.get(f"/api/v1/transactions/{collected['transaction']}").json()["claim"] == str(owed.id)
    deposit(account, "1")
    again = admin.post("/api/v1/transactions", body)
    assert again.json() == told | {"collected": [collected]}
    assert admin.get(f"/api/v1/transactions/{body['id']}").json() == told


def test_money_in_of_an_account_that_owes_nothing_lists_nothing(admin, account):
    body = {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "40.00"}
    for _ in range(2):
        assert "collected" not in admin.post("/api/v1/transactions", body).json()


def test_a_transfer_lists_what_was_collected_of_it(admin, rich):
    debtor = AccountFactory()
    owed = claim(debtor, "30")
    legs = {"source": str(rich.id), "destination": str(debtor.id)}
    body = {"id": str(new_id()), "amount": "40.00", **legs}
    for _ in range(2):
        told = admin.post("/api/v1/transfers", body).json()
        assert told.keys() == {"id", "source", "destination", "collected"}
        assert [each["claim"] for each in told["collected"]] == [str(owed.id)]


def test_what_strangers_are_paid_with_is_not_listed(admin, account):
    second = AccountFactory()
    claim(second, "15")
    owed = claim(account, "20", destination=second)
    body = {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "40.00"}
    for _ in range(2):
        told = admin.post("/api/v1/transactions", body).json()
        assert [each["claim"] for each in told["collected"]] == [str(owed.id)]


@pytest.mark.parametrize("atomic", [True, False])
def test_a_batch_opens_claims_and_collects_at_its_end(admin, account, atomic):
    deposit_of = {"command": "transaction", "account": str(account.id), "type": "DEPOSIT", "amount": "50"}
    claim_of = {"command": "claim", "account": str(account.id), "amount": "30", "reason": "x"}
    body = {"id": str(new_id()), "atomic": atomic, "commands": [claim_of, deposit_of]}
    answer = admin.post("/api/v1/batches", body)
    told = answer.json()
    assert [result["status"] for result in told["results"]] == [201, 201]
    shown = told["results"][0]["claim"]
    assert (shown["collected"], shown["status"], shown["batch"]) == ("30.00", "COLLECTED", body["id"])
    assert [each["claim"] for each in told["collected"]] == [shown["id"]]
    again = admin.post("/api/v1/batches", body)
    assert again.json() == told
    assert again.headers["Idempotency-Replayed"] == "true"
    seen = admin.get(f"/api/v1/batches/{body['id']}").json()
    assert [each["id"] for each in seen["claims"]] == [shown["id"]]
    assert figures(account) == (20, 0, 0)
    require_clean()


def test_an_atomic_batch_that_is_declined_opens_no_claim(admin, account):
    claim_of = {"command": "claim", "account": str(account.id), "amount": "30", "reason": "x"}
    move = {"command": "transaction", "account": str(account.id), "type": "WITHDRAW", "amount": "50"}
    body = {"id": str(new_id()), "atomic": True, "commands": [claim_of, move]}
    for _ in range(2):
        answer = admin.post("/api/v1/batches", body)
        assert answer.status_code == 422
        assert [each["problem"]["code"] for each in answer.json()["results"]] == [
            "batch_declined",
            "insufficient_funds",
        ]
    assert figures(account) == (0, 0, 0)
    require_clean()


def test_a_batch_of_claims_needs_the_right_to_claim(service, account):
    claim_of = {"command": "claim", "account": str(account.id), "amount": "30", "reason": "x"}
    body = {"id": str(new_id()), "atomic": False, "commands": [claim_of]}
    answer = service.post("/api/v1/batches", body)
    assert (answer.status_code, answer.json()["permission"]) == (403, "accounts.claim_account")


def test_a_list_is_taken_back_without_what_was_collected(admin, account):
    commands = [
        {"command": "claim", "account": str(account.id), "amount": "30", "reason": "x"},
        {"command": "transaction", "account": str(account.id), "type": "DEPOSIT", "amount": "50"},
    ]
    body = {"id": str(new_id()), "atomic": True, "commands": commands}
    assert admin.post("/api/v1/batches", body).status_code == 200
    undo = {"id": str(new_id()), "reason": "oops"}
    answer = admin.post(f"/api/v1/batches/{body['id']}/reverse", undo)
    assert answer.json()["code"] == "batch_declined"  # of the deposit 30.00 are gone
    deposit(account, "30")
    undo["id"] = str(new_id())
    assert admin.post(f"/api/v1/batches/{body['id']}/reverse", undo).status_code == 200
    assert figures(account) == (0, 0, 0)
    require_clean()


@pytest.mark.parametrize("of", ["claim", "deposit", "batch"])
def test_a_dry_run_tells_what_would_be_collected(admin, account, of):
    payee = AccountFactory()
    if of != "claim":
        claim(account, "30", destination=payee)
    else:
        deposit(account, "10")
    path, body = {
        "claim": (f"/api/v1/accounts/{account.id}/claims", ask_for(account, destination=str(payee.id))),
        "deposit": (
            "/api/v1/transactions",
            {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "40"},
        ),
        "batch": (
            "/api/v1/batches",
            {
                "id": str(new_id()),
                "atomic": True,
                "commands": [
                    {
                        "command": "transaction",
                        "account": str(account.id),
                        "type": "DEPOSIT",
                        "amount": "40",
                    }
                ],
            },
        ),
    }[of]
    dry = try_out(admin, path, body)
    done = admin.post(path, body)
    assert done.status_code in (200, 201)
    require_same_decision(dry, done)
    assert bool(dry.json().get("collected")) == (of != "claim")


def test_a_claim_is_waived_once(admin, rich):
    owed = claim(rich, "130")
    path = f"/api/v1/claims/{owed.id}/waive"
    for reason in ("paid in cash", "again"):
        answer = admin.post(path, {"reason": reason})
        assert (answer.status_code, answer.json()["waived_reason"]) == (200, "paid in cash")
        assert (answer.json()["status"], answer.json()["remaining"]) == ("WAIVED", "0.00")
    done = claim(AccountFactory(funds="5"), "5")
    answer = admin.post(f"/api/v1/claims/{done.id}/waive", {"reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "claim_not_open")
    assert answer.json()["claim_status"] == "COLLECTED"


def test_claims_are_found_by_what_they_are(admin, account):
    payee, other = AccountFactory(), AccountFactory()
    first = claim(account, "1", destination=payee, reference="a")
    second = claim(account, "2")
    third = claim(other, "3")
    waive(second)
    wanted = {
        f"account={account.id}": [second, first],
        f"user={other.user_id}": [third],
        "status=WAIVED": [second],
        f"destination={payee.id}": [first],
        "reference=a": [first],
        f"batch={new_id()}": [],
        "": [third, second, first],
    }
    for query, found in wanted.items():
        results = admin.get(f"/api/v1/claims?{query}").json()["results"]
        assert [each["id"] for each in results] == [str(each.id) for each in found]


def test_a_holder_sees_their_own_claims_only(holder, account):
    own, foreign = claim(account, "1"), claim(AccountFactory(), "1")
    results = holder.get("/api/v1/claims").json()["results"]
    assert [each["id"] for each in results] == [str(own.id)]
    assert holder.get(f"/api/v1/claims/{own.id}").status_code == 200
    assert holder.get(f"/api/v1/claims/{foreign.id}").status_code == 404


def test_an_account_that_owes_is_not_closed(admin, account):
    claim(account, "10")
    answer = admin.post(f"/api/v1/accounts/{account.id}/close", {"reason": "left"})
    assert (answer.status_code, answer.json()["code"], answer.json()["owed"]) == (
        422,
        "account_owes",
        "10.00",
    )


def test_a_collection_is_not_taken_back(admin, rich):
    owed = claim(rich, "10")
    [row] = admin.get(f"/api/v1/transactions?account={rich.id}&type=WITHDRAW").json()["results"]
    assert row["claim"] == str(owed.id)
    answer = admin.post(f"/api/v1/transactions/{row['id']}/reverse", {"id": str(new_id()), "reason": "oops"})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_reversible")


def test_a_bound_token_claims_no_more_than_it_may(account):
    bound = make_client("api-admin", types=["WITHDRAW"], amount_max=Decimal(20))
    assert open_claim(bound, account, amount="20").status_code == 201
    assert open_claim(bound, account, amount="21").json()["code"] == "token_bound"
    payee = str(AccountFactory().id)
    assert open_claim(bound, account, amount="2", destination=payee).json()["code"] == "token_bound"


def test_the_rest_of_a_capture_is_collected(admin, rich):
    placed = hold(rich, "60")
    claim(rich, "100")
    assert figures(rich) == (60, 60, 60)
    answer = admin.post(f"/api/v1/holds/{placed.id}/capture", {"id": str(new_id()), "amount": "10"})
    assert answer.status_code == 201
    assert [each["amount"] for each in answer.json()["collected"]] == ["50.00"]
    assert withdraw(rich, "1").decline_reason == "insufficient_funds"
