"""Taking back money that came in as a claim: what is not there any more is owed."""

from decimal import Decimal

import pytest

from accounts.models import Claim
from tests import asking
from tests.cast import AccountFactory, deposit, new_id, transfer, withdraw
from tests.claims import figures
from tests.conftest import make_client
from tests.dry_runs import require_same_decision, try_out
from tests.test_guards import execute, refused_by
from tests.transactions.conftest import require_clean
from transactions.models import Transaction

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db):
    return make_client("api-admin")


def take_back(client, row, *, claim=True, **fields):
    body = {"id": str(new_id()), "reason": "a chargeback", "claim": claim} | fields
    return client.post(f"/api/v1/transactions/{row.id}/reverse", body)


def read(client, id):
    return client.get(f"/api/v1/transactions/{id}").json()


def test_what_is_there_is_taken_and_the_rest_is_owed(admin, account):
    row = deposit(account, "100")
    withdraw(account, "70")
    answer = take_back(admin, row)
    shown = answer.json()
    assert answer.status_code == 201
    assert (shown["amount"], shown["collected"], shown["remaining"]) == ("100.00", "30.00", "70.00")
    assert (shown["reverses"], shown["destination"], shown["reason"]) == (str(row.id), None, "a chargeback")
    assert figures(account) == (0, 0, 70)
    seen = read(admin, row.id)
    assert (seen["reversed"], seen["reversed_by"]) == ("100.00", [shown["id"]])
    require_clean()


@pytest.mark.parametrize("leg", ["source", "destination"])
def test_of_a_transfer_the_source_is_paid_what_is_really_taken(admin, rich, leg):
    other = AccountFactory()
    row = transfer(rich, other, "60")
    withdraw(other, "50")
    named = row if leg == "source" else Transaction.objects.get(transfer=row.id, type="DEPOSIT")
    shown = take_back(admin, named).json()
    assert (shown["account"], shown["destination"]) == (str(other.id), str(rich.id))
    assert (shown["reverses"], shown["collected"]) == (str(row.id), "10.00")
    assert (figures(rich), figures(other)) == ((50, 0, 0), (0, 0, 50))
    deposit(other, "45")
    assert (figures(rich), figures(other)) == ((95, 0, 0), (0, 0, 5))
    for id in (row.id, Transaction.objects.get(transfer=row.id, type="DEPOSIT").id):
        seen = read(admin, id)
        assert (seen["reversed"], seen["reversed_by"]) == ("60.00", [shown["id"]])
    require_clean()


def test_parts_and_claims_together_never_exceed_the_original(admin, account):
    row = deposit(account, "100")
    deposit(account, "500")
    assert take_back(admin, row, claim=False, amount="30").status_code == 201
    assert take_back(admin, row, amount="50").json()["collected"] == "50.00"
    for claim in (True, False):
        too_much = take_back(admin, row, amount="21", claim=claim).json()
        assert (too_much["code"], too_much["left"]) == ("reversal_too_large", "20.00")
    assert take_back(admin, row).json()["amount"] == "20.00"
    for claim in (True, False):
        assert take_back(admin, row, claim=claim).json()["code"] == "already_reversed"
    assert read(admin, row.id)["reversed"] == "100.00"
    require_clean()


def test_a_waived_claim_gives_nothing_back_to_take(admin, account):
    row = deposit(account, "100")
    withdraw(account, "100")
    shown = take_back(admin, row).json()
    assert admin.post(f"/api/v1/claims/{shown['id']}/waive", {"reason": "x"}).status_code == 200
    assert take_back(admin, row).json()["code"] == "already_reversed"
    require_clean()


def test_a_repetition_is_compared_with_what_was_asked(admin, account):
    row = deposit(account, "100")
    withdraw(account, "100")
    id = str(new_id())
    first = take_back(admin, row, id=id, amount="100").json()
    again = take_back(admin, row, id=id, amount="100")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first, "true")
    for change in ({"amount": None}, {"amount": "99"}, {"reason": "another"}):
        fields = {"id": id, "amount": "100"} | change
        differs = take_back(admin, row, **{k: v for k, v in fields.items() if v}).json()
        assert (differs["code"], differs["differs"]) == ("idempotency_key_reused", list(change))


def test_an_id_of_a_reversal_is_no_claims(admin, account):
    row = deposit(account, "100")
    id = str(new_id())
    assert take_back(admin, row, id=id, claim=False, amount="10").status_code == 201
    refused = take_back(admin, row, id=id, amount="10").json()
    assert (refused["code"], refused["differs"]) == ("idempotency_key_reused", ["claim"])


@pytest.mark.parametrize("of_a_transfer", [False, True])
def test_an_id_of_a_claim_is_no_reversals(admin, rich, of_a_transfer):
    other = AccountFactory()
    row = transfer(rich, other, "60") if of_a_transfer else deposit(rich, "60")
    id = str(new_id())
    assert take_back(admin, row, id=id, amount="10").status_code == 201
    for _ in range(2):
        refused = take_back(admin, row, id=id, claim=False, amount="10")
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
        assert refused.json()["differs"] == ["claim"]
    assert read(admin, row.id)["reversed"] == "10.00"
    item = {
        "command": "reversal",
        "id": id,
        "transaction": str(row.id),
        "reason": "a chargeback",
        "amount": "10",
    }
    batch = {"id": str(new_id()), "atomic": True, "commands": [item]}
    assert admin.post("/api/v1/batches", batch).json()["differs"] == ["claim"]
    require_clean()


def test_a_reversal_is_answered_again_though_a_claim_has_its_id_since(admin, account):
    row = deposit(account, "60")
    id = str(new_id())
    first = take_back(admin, row, id=id, claim=False, amount="10").json()
    claim = {"id": id, "amount": "100", "reason": "a fee"}
    assert admin.post(f"/api/v1/accounts/{account.id}/claims", claim).status_code == 201
    again = take_back(admin, row, id=id, claim=False, amount="10")
    assert (again.json()["id"], again.headers["Idempotency-Replayed"]) == (first["id"], "true")
    refused = take_back(admin, row, id=id, amount="10").json()
    assert (refused["code"], refused["differs"]) == (
        "idempotency_key_reused",
        ["amount", "reason", "reverses"],
    )


@pytest.mark.parametrize("of", ["a withdrawal", "an exchange"])
def test_what_cannot_be_owed_is_refused(admin, rich, of):
    if of == "a withdrawal":
        row = withdraw(rich, "10")
    else:
        row = transfer(rich, AccountFactory(currency="EUR"), "10", destination_amount=Decimal(9))
    answer = take_back(admin, row)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_claimable")
    assert not Claim.objects.exists()


@pytest.mark.parametrize("field", ["effective_at", "expected_version"])
def test_a_claim_has_no_moment_of_its_own(admin, account, field):
    value = {"effective_at": "2026-01-01T00:00:00Z", "expected_version": 1}[field]
    answer = take_back(admin, deposit(account, "1"), **{field: value})
    assert (answer.status_code, answer.json()["code"]) == (400, "conflicting_fields")
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"


def test_to_claim_is_a_right_of_its_own(service, account):
    answer = take_back(service, deposit(account, "1"))
    assert (answer.status_code, answer.json()["permission"]) == (403, "accounts.claim_account")


def test_an_item_of_a_batch_claims_too(admin, account):
    row = deposit(account, "100")
    withdraw(account, "60")
    item = {"command": "reversal", "transaction": str(row.id), "reason": "x", "claim": True}
    other = {"command": "reversal", "transaction": str(row.id), "reason": "x", "amount": "10", "claim": True}
    body = {"id": str(new_id()), "atomic": False, "commands": [other, item, item]}
    told = admin.post("/api/v1/batches", body).json()
    first, second, third = told["results"]
    assert [first["claim"]["amount"], second["claim"]["amount"]] == ["10.00", "90.00"]
    assert third["problem"]["code"] == "already_reversed"
    assert [each["amount"] for each in told["collected"]] in (["10.00", "30.00"], ["40.00"])
    assert figures(account) == (0, 0, 60)
    require_clean()


def test_its_dry_run_says_what_it_does(admin, account):
    row = deposit(account, "100")
    withdraw(account, "60")
    path = f"/api/v1/transactions/{row.id}/reverse"
    body = {"id": str(new_id()), "reason": "x", "claim": True}
    dry = try_out(admin, path, body)
    require_same_decision(dry, admin.post(path, body))


def test_a_claim_in_favour_of_a_closed_source_is_declined(admin, account):
    source = AccountFactory(funds="10")
    row = transfer(source, account, "10")
    asking.close(id=source.id, reason="left", request_id="")
    problem = take_back(admin, row).json()
    assert (problem["code"], problem["account"]) == ("account_closed", str(source.id))
    assert read(admin, row.id)["reversed"] == "0.00"
    require_clean()


def test_the_database_holds_what_may_be_taken_back(admin, account):
    row = deposit(account, "100")
    withdraw(account, "100")
    take_back(admin, row, amount="60")
    columns = [field.column for field in Claim._meta.concrete_fields]
    values = {"id": f"'{new_id()}'", "event_sequence": "event_sequence + 1"}
    copied = ", ".join(values.get(name, name) for name in columns)
    with refused_by("takes back what is not left of money that came to its account"):
        execute(
            f"WITH counted AS (UPDATE accounts_account SET owed = 120 WHERE id = '{account.id}')"
            f" INSERT INTO accounts_claim ({', '.join(columns)}) SELECT {copied} FROM accounts_claim"
        )
