"""Many transactions in one request and one commit: each for itself, or all or none.

test_batch_commands.py has the other commands, test_batch_identity.py the list as a whole.
"""

import pytest

from accounts.models import Account
from tests.cast import AccountFactory, deposit, new_id, withdraw
from tests.transactions.told import read_events_about
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

URL = "/api/v1/batches"


@pytest.fixture
def item(account):
    def make(type, amount, **changes):
        ids = {"id": str(new_id()), "account": str(account.id)}
        return {**ids, "type": type, "amount": amount, **changes}

    return make


@pytest.fixture
def post(service):
    def send(*items, atomic=False, id=None):
        commands = [{"command": "transaction", **item} for item in items]
        return service.post(URL, {"id": id or str(new_id()), "atomic": atomic, "commands": commands})

    return send


def list_statuses(answer):
    return [result["status"] for result in answer.json()["results"]]


def list_codes(answer):
    return [result.get("problem", {}).get("code") for result in answer.json()["results"]]


def read_balance(account):
    return Account.objects.get(id=account.id).balance


def test_each_transaction_stands_for_itself(post, item, account):
    answer = post(
        item("DEPOSIT", "10"),
        item("WITHDRAW", "50"),
        item("WITHDRAW", "4"),
        item("DEPOSIT", "0.001"),
        item("DEPOSIT", "1", account=str(new_id())),
        item("DEPOSIT", "1", currency="EUR"),
        {"id": "nonsense"},
    )
    assert answer.status_code == 200
    assert list_statuses(answer) == [201, 402, 201, 400, 404, 422, 400]
    assert list_codes(answer)[:-1] == [
        None,
        "insufficient_funds",
        None,
        "amount_scale",
        "not_found",
        "currency_mismatch",
    ]
    assert (read_balance(account), Transaction.objects.count()) == (6, 3)


def test_an_item_is_answered_as_it_would_be_alone(service, post, item):
    items = [item("DEPOSIT", "10", reference="a", metadata={"k": "v"}), item("WITHDRAW", "50")]
    results = post(*items).json()["results"]
    for request, result in zip(items, results, strict=True):
        alone = service.post("/api/v1/transactions", request)
        assert alone["Idempotency-Replayed"] == "true"
        assert alone.status_code == result["status"]
        told = result.get("transaction") or {**result["problem"], "request_id": alone["X-Request-Id"]}
        assert alone.json() == told


def test_an_atomic_batch_is_posted_whole(post, item, account):
    answer = post(item("DEPOSIT", "10"), item("WITHDRAW", "10"), item("DEPOSIT", "1"), atomic=True)
    assert list_statuses(answer) == [201, 201, 201]
    assert read_balance(account) == 1


def test_an_atomic_batch_with_one_decline_posts_nothing_and_records_all(service, post, item, account):
    other = AccountFactory()
    items = [
        item("DEPOSIT", "10"),
        item("DEPOSIT", "5", account=str(other.id)),
        item("WITHDRAW", "50"),
        item("DEPOSIT", "1"),
    ]
    answer = post(*items, atomic=True)
    assert (answer.status_code, answer.json()["code"]) == (422, "batch_declined")
    assert list_codes(answer) == [
        "batch_declined",
        "batch_declined",
        "insufficient_funds",
        "batch_declined",
    ]
    assert answer.json()["results"][0]["problem"]["culprit"] == items[2]["id"]
    assert answer.json()["results"][2]["problem"]["available"] == "10.00"
    assert (read_balance(account), read_balance(other)) == (0, 0)
    for result in answer.json()["results"]:
        problem = result["problem"]
        row = service.get(f"/api/v1/transactions/{problem['id']}").json()
        assert (row["status"], row["decline_reason"]) == ("DECLINED", problem["code"])
        assert problem.items() >= {**row["decline_details"], "status": result["status"]}.items()
        [event] = read_events_about([Transaction.objects.get(id=row["id"])])
        assert (event.type, event.data) == ("transaction.declined", row)


def test_a_declined_batch_stays_declined(post, item, account):
    items = [item("WITHDRAW", "50"), item("DEPOSIT", "1")]
    first = post(*items, atomic=True)
    deposit(account, "100")
    again = post(*items, atomic=True)
    assert (again.status_code, again["Idempotency-Replayed"]) == (422, "true")
    assert list_codes(again) == list_codes(first) == ["insufficient_funds", "batch_declined"]
    assert list_statuses(post(items[1])) == [422]


@pytest.mark.parametrize("atomic", [True, False])
def test_a_batch_repeated_whole_or_in_part_replays(post, item, account, atomic):
    items = [item("DEPOSIT", "10"), item("WITHDRAW", "3"), item("WITHDRAW", "4")]
    id = str(new_id())
    first = post(*items, atomic=atomic, id=id)
    again = post(*items, atomic=atomic, id=id)
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    part = post(items[2], item("DEPOSIT", "1"), items[0], atomic=atomic)
    assert part.json()["results"][::2] == first.json()["results"][::-2]
    assert "Idempotency-Replayed" not in part
    assert read_balance(account) == 4


def test_what_was_declined_before_declines_an_atomic_batch(post, item, account):
    declined = item("WITHDRAW", "50")
    post(declined)
    answer = post(declined, item("DEPOSIT", "1"), atomic=True)
    assert list_codes(answer) == ["insufficient_funds", "batch_declined"]
    assert answer.json()["results"][1]["problem"]["culprit"] == declined["id"]
    assert read_balance(account) == 0


def test_one_wrong_item_refuses_an_atomic_batch_and_burns_no_id(post, item):
    good = item("DEPOSIT", "1")
    assert post(good, item("DEPOSIT", "0.001"), atomic=True).status_code == 400
    assert list_statuses(post(good)) == [201]


def test_a_used_id_refuses_an_atomic_batch_and_only_itself_otherwise(post, item, account):
    used = item("DEPOSIT", "1")
    post(used)
    changed, new = {**used, "amount": "2"}, item("DEPOSIT", "5")
    answer = post(new, changed, atomic=True)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["differs"]) == (
        422,
        "idempotency_key_reused",
        ["amount"],
    )
    assert [error["pointer"] for error in problem["errors"]] == ["/commands/1"]
    assert list_codes(post(new, changed)) == [None, "idempotency_key_reused"]
    assert read_balance(account) == 6


def test_an_id_twice_refuses_any_batch(post, item):
    twice = item("DEPOSIT", "1")
    for atomic in (True, False):
        answer = post(twice, item("DEPOSIT", "1"), twice, atomic=atomic)
        assert (answer.status_code, answer.json()["code"]) == (400, "duplicate_id")
        assert answer.json()["errors"][0]["pointer"] == "/commands/2/id"
    assert Transaction.objects.count() == 0


def test_a_batch_has_one_to_a_thousand_transactions(post, service):
    assert post().json()["errors"][0]["pointer"] == "/commands"
    assert post(*[{}] * 1001).json()["code"] == "batch_too_large"
    assert service.post(URL, {"commands": [{}]}).json()["errors"][0]["pointer"] == "/atomic"


def test_items_may_name_users(service, post, item, petya, account):
    by_user = item("DEPOSIT", "1", user=str(petya.id))
    del by_user["account"]
    service.post("/api/v1/accounts", {"user": str(petya.id), "currency": "EUR"})
    changes = ({}, {"currency": "EUR"}, {"currency": "USD"}, {"user": str(new_id())})
    answer = post(*({**by_user, "id": str(new_id()), **change} for change in changes))
    assert list_codes(answer) == ["currency_required", None, None, "not_found"]
    assert read_balance(account) == 1


def test_a_thousand_transactions_over_many_accounts_in_one_commit(post, item):
    accounts = [AccountFactory() for _ in range(20)]
    items = [item("DEPOSIT", "2", account=str(accounts[n % 20].id)) for n in range(600)]
    items += [item("WITHDRAW", "1", account=str(accounts[n % 20].id)) for n in range(400)]
    answer = post(*items, atomic=True)
    assert list_statuses(answer) == [201] * 1000
    assert {read_balance(account) for account in accounts} == {40}


def test_a_late_withdrawal_of_a_batch_sees_what_the_batch_moved(post, item, account):
    deposit(account, "10")
    answer = post(
        item("DEPOSIT", "10", effective_at="2023-01-01T00:00:00Z"),
        item("WITHDRAW", "6", effective_at="2023-02-01T00:00:00Z"),
        item("WITHDRAW", "6", effective_at="2023-02-01T00:00:00Z"),
    )
    assert list_codes(answer) == [None, None, "insufficient_funds_at"]
    assert withdraw(account, "14").status == "POSTED"
