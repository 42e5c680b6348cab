"""A transfer is a withdrawal and a deposit: both or neither, once."""

from decimal import Decimal
from uuid import UUID

import pytest

from accounts.errors import IdempotencyKeyReused
from events.models import Event
from ledger.callers import Caller
from tests import asking
from tests.cast import AccountFactory, OrderFactory, deposit, new_id
from transactions import posting
from transactions.models import derive_destination_id
from transactions.posting.commands import Transfer

pytestmark = pytest.mark.django_db

URL = "/api/v1/transfers"


@pytest.fixture
def source(rich):
    return rich


@pytest.fixture
def destination(db):
    return AccountFactory()


@pytest.fixture
def transfer(service, source, destination):
    def send(amount="30", **changes):
        body = {"id": str(new_id()), "source": str(source.id), "destination": str(destination.id)}
        return service.post(URL, {**body, "amount": amount, **changes})

    return send


def read_balances(*accounts):
    for account in accounts:
        account.refresh_from_db()
    return [str(account.balance.normalize()) for account in accounts]


def test_a_transfer_moves_money_from_one_account_to_another(service, transfer, source, destination):
    answer = transfer(reference="rent", metadata={"month": "11"})
    assert answer.status_code == 201
    body = answer.json()
    other_id = str(derive_destination_id(UUID(body["id"])))
    for leg, type, id in (("source", "WITHDRAW", body["id"]), ("destination", "DEPOSIT", other_id)):
        told = {"id": id, "type": type, "transfer": body["id"]}
        assert body[leg].items() >= {**told, "reference": "rent"}.items()
        assert body[leg]["metadata"] == {"month": "11"}
    assert body["source"]["effective_at"] == body["destination"]["effective_at"]
    assert read_balances(source, destination) == ["7E+1", "3E+1"]
    assert service.get(f"{URL}/{body['id']}").json() == body


def test_a_transfer_repeated_is_answered_again_and_moves_nothing(transfer, source, destination):
    first = transfer()
    again = transfer(id=first.json()["id"])
    assert (again.status_code, again.json(), again["Idempotency-Replayed"]) == (201, first.json(), "true")
    assert read_balances(source, destination) == ["7E+1", "3E+1"]


def test_another_transfer_under_the_same_id_is_refused_in_its_own_words(transfer, source):
    first, other = transfer().json(), AccountFactory()
    for part, value in (("amount", "31"), ("destination", str(other.id)), ("source", str(other.id))):
        assert transfer(id=first["id"], **{part: value}).json()["differs"] == [part]


def test_a_transaction_and_a_transfer_never_share_an_id(service, transfer, source):
    row = deposit(source, "1")
    assert transfer(id=str(row.id)).json()["code"] == "idempotency_key_reused"
    body = {"account": str(source.id), "type": "WITHDRAW", "amount": "30"}
    answer = service.post("/api/v1/transactions", {**body, "id": transfer().json()["id"]})
    assert answer.json()["differs"] == ["transfer"]


def test_a_transfer_without_funds_declines_both_legs(service, transfer, source, destination):
    answer = transfer("100.01")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (402, "insufficient_funds")
    assert problem["available"] == "100.00"
    require_declined_legs(service, problem, "source", "destination")
    assert read_balances(source, destination) == ["1E+2", "0"]


def require_declined_legs(service, problem, culprit, other):
    """Both are recorded and told, and the culprit has the reason."""
    legs = service.get(f"{URL}/{problem['transfer']}").json()
    assert (legs[culprit]["id"], legs[culprit]["decline_reason"]) == (problem["id"], problem["code"])
    assert legs[other]["decline_reason"] == "transfer_declined"
    assert legs[other]["decline_details"] == {"culprit": problem["id"]}
    assert legs[culprit]["status"] == legs[other]["status"] == "DECLINED"
    assert Event.objects.filter(type="transaction.declined").count() == 2


def test_a_transfer_to_a_closed_account_takes_nothing_from_its_source(service, transfer, source, destination):
    asking.close(id=destination.id, reason="gone", request_id="r")
    answer = transfer()
    assert (answer.status_code, answer.json()["code"]) == (422, "account_closed")
    require_declined_legs(service, answer.json(), "destination", "source")
    assert read_balances(source, destination) == ["1E+2", "0"]
    again = transfer(id=answer.json()["transfer"])
    assert (again.json()["code"], again["Idempotency-Replayed"]) == ("account_closed", "true")


def test_a_frozen_account_still_receives_transfers(transfer, source, destination):
    asking.freeze(id=destination.id, reason="look", request_id="r")
    assert transfer().status_code == 201
    asking.freeze(id=source.id, reason="look", request_id="r")
    assert transfer().json()["code"] == "account_frozen"


def test_what_can_never_be_a_transfer_is_refused_and_burns_no_id(transfer, source):
    id = str(new_id())
    euros = AccountFactory(currency="EUR")
    refusals = {
        "same_account": transfer(id=id, destination=str(source.id)),
        "currency_mismatch": transfer(id=id, destination=str(euros.id)),
        "not_found": transfer(id=id, destination=str(new_id())),
        "amount_scale": transfer(id=id, amount="0.001"),
        "amount_not_positive": transfer(id=id, amount="0"),
        "effective_at_in_future": transfer(id=id, effective_at="2999-01-01T00:00:00Z"),
    }
    assert {code: answer.json()["code"] for code, answer in refusals.items()} == {
        code: code for code in refusals
    }
    assert transfer(id=id).status_code == 201


def test_both_legs_are_recorded_at_the_same_moment_after_all_their_accounts_had(source, destination):
    for _ in range(3):
        moving = Transfer(id=new_id(), source_id=source.id, destination_id=destination.id, amount=Decimal(1))
        busy = [OrderFactory(account=destination, amount=Decimal(1)) for _ in range(5)]
        results = posting.post([*busy, moving], caller=Caller(source.user_id))
        rows = [row for result in results for row in result.transactions]
        assert rows[-1].recorded_at == rows[-2].recorded_at > rows[-3].recorded_at
        assert rows[-1].effective_at == rows[-2].effective_at


def test_a_late_transfer_must_leave_every_later_moment_covered(transfer, source, destination):
    answer = transfer(effective_at="2023-01-01T00:00:00Z")
    assert answer.json()["code"] == "insufficient_funds_at"
    assert read_balances(source, destination) == ["1E+2", "0"]


def test_a_transfer_under_a_used_id_is_refused_whole_and_the_others_are_posted(source, destination):
    used = deposit(source, "1")
    moving = Transfer(id=used.id, source_id=source.id, destination_id=destination.id, amount=Decimal(1))
    other = OrderFactory(account=destination)
    request = posting.PostingRequest(commands=[moving, other], caller=Caller(source.user_id), each=True)
    first, second = posting.post_request(request)
    assert isinstance(first, IdempotencyKeyReused)
    assert second.transaction.status == "POSTED"
