"""What a hold has set aside goes into other accounts: a transfer, or several, all of them or none."""

from decimal import Decimal

import pytest

from accounts import operations
from accounts.models import Account, Hold
from tests import asking
from tests.cast import CALLER, AccountFactory, hold, new_id
from tests.reference_commands import derive_id
from tests.transactions.conftest import require_clean
from tests.transactions.told import read_events
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

URL = "/api/v1/holds"


@pytest.fixture
def placed(rich):
    return hold(rich, "40")


@pytest.fixture
def shops():
    return [AccountFactory(), AccountFactory(), AccountFactory()]


@pytest.fixture
def capture(service, placed):
    def send(**body):
        return service.post(f"{URL}/{placed.id}/capture", {"id": str(new_id()), **body})

    return send


def split(*parts):
    return [{"destination": str(account.id), "amount": amount} for account, amount in parts]


def read(account):
    return Account.objects.get(id=account.id).balance


def read_hold():
    found = Hold.objects.get()
    return found.status, found.captured, Account.objects.get(id=found.account_id).held


def test_with_a_destination_a_capture_is_a_transfer(service, capture, placed, rich, shops):
    answer = capture(amount="15", destination=str(shops[0].id), reference="order 7", metadata={"k": "v"})
    shown = answer.json()
    assert answer.status_code == 201
    assert shown == service.get(f"/api/v1/transfers/{shown['id']}").json()
    source, destination = shown["source"], shown["destination"]
    belongs = {"transfer": shown["id"], "amount": "15.00", "reference": "order 7", "metadata": {"k": "v"}}
    assert source.items() >= {**belongs, "hold": str(placed.id), "final": True, "id": shown["id"]}.items()
    assert destination.items() >= {**belongs, "hold": None, "final": None, "type": "DEPOSIT"}.items()
    assert source["recorded_at"] == destination["recorded_at"]
    assert (read(rich), read(shops[0]), read_hold()) == (85, 15, ("CAPTURED", 15, 0))
    types = [event.type for event in read_events(stream=rich.id)]
    assert types[-2:] == ["transaction.posted", "hold.captured"]


def test_without_an_amount_all_of_it_goes_there(capture, shops):
    assert capture(destination=str(shops[0].id)).json()["destination"]["amount"] == "40.00"
    assert (read(shops[0]), read_hold()) == (40, ("CAPTURED", 40, 0))


def test_a_user_stands_for_their_main_account_in_the_currency_of_the_hold(capture, placed):
    main = AccountFactory()
    seller = main.user
    operations.create_account(user_id=seller.id, currency="EUR", caller=CALLER)
    assert capture(amount="1", final=False, destination_user=str(seller.id)).status_code == 201
    parts = [{"destination_user": str(seller.id), "amount": "2"}]
    assert capture(destinations=parts).status_code == 201
    assert (read(main), read_hold()) == (3, ("CAPTURED", 3, 0))


def test_a_list_pays_each_of_them_and_gives_back_the_rest(service, capture, placed, rich, shops):
    answer = capture(destinations=split((shops[0], "15"), (shops[1], "5"), (shops[0], "0.5")))
    shown = answer.json()
    assert (answer.status_code, [*shown]) == (201, ["id", "transfers"])
    ids = [shown["id"], *(str(derive_id(f"{shown['id']}\0part\0{number}")) for number in (1, 2))]
    assert [transfer["id"] for transfer in shown["transfers"]] == ids
    for transfer in shown["transfers"]:
        assert transfer == service.get(f"/api/v1/transfers/{transfer['id']}").json()
        assert transfer["source"]["hold"] == str(placed.id)
    assert [read(shop) for shop in shops] == [Decimal("15.5"), 5, 0]
    assert (read(rich), read_hold()) == (Decimal("79.5"), ("CAPTURED", Decimal("20.5"), 0))
    types = [event.type for event in read_events(stream=rich.id)]
    assert types[-6:] == ["transaction.posted", "hold.captured"] * 3
    require_clean()


def test_a_list_that_is_not_final_leaves_the_rest(capture, shops):
    capture(destinations=split((shops[0], "15"), (shops[1], "5")), final=False)
    assert read_hold() == ("OPEN", 20, 20)
    assert capture(destinations=split((shops[0], "20")), final=False).status_code == 201  # there is no rest
    assert read_hold() == ("CAPTURED", 40, 0)


def test_a_list_of_one_is_answered_as_a_list(capture, shops):
    answer = capture(destinations=split((shops[0], "15"))).json()
    assert len(answer["transfers"]) == 1


def test_a_list_is_for_no_more_than_is_left(capture, rich, shops):
    answer = capture(destinations=split((shops[0], "25"), (shops[1], "15.01")))
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["rule"]) == (422, "limit_exceeded", "hold")
    assert (problem["limit"], problem["required"]) == ("15.00", "15.01")
    assert (read(rich), read(shops[0]), read_hold()) == (100, 0, ("OPEN", 0, 40))


def test_a_closed_destination_declines_everything_and_the_hold_stays(service, capture, rich, shops):
    asking.close(id=shops[1].id, reason="x", request_id="")
    body = {"id": str(new_id()), "destinations": split((shops[0], "15"), (shops[1], "5"), (shops[2], "1"))}
    answer, again = capture(**body), capture(**body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "account_closed")
    assert (again.status_code, again["Idempotency-Replayed"]) == (422, "true")
    assert {name: again.json()[name] for name in ("code", "id")} == {
        name: problem[name] for name in ("code", "id")
    }
    rows = Transaction.objects.filter(status="DECLINED")
    reasons = {row.id: row.decline_reason or "" for row in rows}
    assert len(reasons) == 6
    assert sorted(reasons.values()) == ["account_closed", *["transfer_declined"] * 5]
    culprit = Transaction.objects.get(decline_reason="account_closed")
    assert (str(culprit.id), culprit.account_id) == (problem["id"], shops[1].id)
    assert {row.decline_details.get("culprit") for row in rows} == {None, problem["id"]}
    assert (read(rich), read(shops[0]), read_hold()) == (100, 0, ("OPEN", 0, 40))
    assert capture(destinations=split((shops[0], "15"))).status_code == 201
    require_clean()


def test_a_frozen_destination_is_paid_and_a_frozen_account_pays_nobody(capture, rich, shops):
    asking.freeze(id=shops[0].id, reason="x", request_id="")
    assert capture(amount="1", final=False, destination=str(shops[0].id)).status_code == 201
    asking.freeze(id=rich.id, reason="x", request_id="")
    refused = capture(destination=str(shops[0].id))
    assert (refused.status_code, refused.json()["code"]) == (422, "account_frozen")
    assert read(shops[0]) == 1


def test_what_a_withdrawal_may_take_counts_for_each_and_for_the_day(capture, rich, shops):
    limits = {"withdraw_max": Decimal(10), "withdraw_day_max": Decimal(15)}
    asking.set_limits(id=rich.id, limits=limits, request_id="")
    assert capture(destinations=split((shops[0], "11"))).json()["rule"] == "withdraw_max"
    assert capture(destinations=split((shops[0], "9"), (shops[1], "7"))).json()["rule"] == "withdraw_day_max"
    assert capture(destinations=split((shops[0], "9"), (shops[1], "6"))).status_code == 201


def test_another_currency_is_refused(capture, shops):
    euros = AccountFactory(currency="EUR")
    for body in ({"destination": str(euros.id)}, {"destinations": split((shops[0], "1"), (euros, "1"))}):
        refused = capture(**body)
        assert (refused.status_code, refused.json()["code"]) == (422, "currency_mismatch")
    assert not Transaction.objects.exclude(hold=None).exists()


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"destinations": []}, "required", "/destinations"),
        ({"destinations": {}}, "invalid_type", "/destinations"),
        ({"destinations": ["x"]}, "invalid_type", "/destinations/0"),
        ({"destinations": [{"amount": "1"}]}, "required", "/destinations/0/destination"),
        ({"destinations": [{"destination": "{shop}"}]}, "required", "/destinations/0/amount"),
        (
            {"destinations": [{"destination": "{shop}", "amount": "1"}, {"amount": 1, "x": 1}]},
            "amount_not_text",
            "/destinations/1/amount",
        ),
        (
            {"destinations": [{"destination": "{shop}", "destination_user": "{shop}", "amount": "1"}]},
            "conflicting_fields",
            "/destinations/0/destination",
        ),
        (
            {"destination": "{shop}", "destinations": [{"destination": "{shop}", "amount": "1"}]},
            "conflicting_fields",
            "/destination",
        ),
        (
            {"amount": "1", "destinations": [{"destination": "{shop}", "amount": "1"}]},
            "conflicting_fields",
            "/amount",
        ),
        ({"destination": "{shop}", "destination_user": "{shop}"}, "conflicting_fields", "/destination"),
        (
            {"destinations": [{"destination": "{shop}", "amount": "0.1"}] * 21},
            "too_long",
            "/destinations",
        ),
    ],
    ids=[f"{number}" for number in range(11)],
)
def test_what_is_no_destination_is_refused_with_a_pointer(capture, shops, body, code, pointer):
    def fill(value):
        if isinstance(value, dict):
            return {name: fill(each) for name, each in value.items()}
        if isinstance(value, list):
            return list(map(fill, value))
        return str(shops[0].id) if value == "{shop}" else value

    refused = capture(**fill(body))
    assert refused.status_code == 400
    errors = [(error["code"], error["pointer"]) for error in refused.json()["errors"]]
    assert (code, pointer) in errors
    assert read_hold() == ("OPEN", 0, 40)


def test_to_its_own_account_nothing_is_captured(capture, rich, shops):
    for body in ({"destination": str(rich.id)}, {"destinations": split((shops[0], "1"), (rich, "1"))}):
        assert capture(**body).json()["code"] == "same_account"
    assert capture(destination=str(new_id())).status_code == 404


REPEATED = [
    ({}, []),
    ({"amount": "20.00"}, ["amount"]),
    ({"final": False}, ["final"]),
    ({"destination": 1}, ["destination"]),
    ({"destination": None}, ["destination"]),
]


@pytest.mark.parametrize(("change", "differs"), REPEATED, ids=[f"{n}" for n in range(len(REPEATED))])
def test_a_transfer_from_a_hold_is_repeated_as_it_was_asked(capture, shops, change, differs):
    body = {"id": str(new_id()), "destination": 0}
    first = capture(id=body["id"], destination=str(shops[0].id))
    changed = {name: value for name, value in (body | change).items() if value is not None}
    if "destination" in changed:
        changed["destination"] = str(shops[changed["destination"]].id)
    again = capture(**changed)
    if differs:
        assert (again.status_code, again.json()["differs"]) == (422, differs)
    else:
        assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    assert read(shops[0]) == 40


def test_a_list_is_repeated_as_it_was_asked(capture, shops):
    id, first, second = str(new_id()), (shops[0], "15"), (shops[1], "5")
    answer = capture(id=id, destinations=split(first, second), final=False)
    again = capture(id=id, destinations=split(first, second), final=False)
    assert (again.json(), again["Idempotency-Replayed"]) == (answer.json(), "true")
    others = [
        split(first),
        split(first, second, (shops[2], "1")),
        split(first, (shops[1], "6")),
        split(first, (shops[2], "5")),
        split(second, first),
        split((shops[0], "20")),
        split(first, (shops[1], "3"), (shops[1], "2")),
    ]
    for other in others:
        refused = capture(id=id, destinations=other, final=False)
        assert (refused.status_code, refused.json()["differs"]) == (422, ["destinations"])
    assert capture(id=id, amount="15", final=False).json()["differs"] == ["destination", "amount"]
    assert capture(id=id, destinations=split(first, second)).json()["differs"] == ["final"]
    assert [read(shop) for shop in shops] == [15, 5, 0]


def test_a_dry_run_of_a_list_shows_its_transfers(service, placed, shops):
    body = {"id": str(new_id()), "destinations": split((shops[0], "15"), (shops[1], "5"))}
    answer = service.post(f"{URL}/{placed.id}/capture?dry_run=true", body)
    [result] = answer.json()["results"]
    assert (result["status"], len(result["transfers"])) == (201, 2)
    assert read_hold() == ("OPEN", 0, 40)


def test_what_went_into_an_account_is_taken_back_as_a_transfer(service, capture, rich, shops):
    shown = capture(destinations=split((shops[0], "15"), (shops[1], "5"))).json()
    second = shown["transfers"][1]
    body = {"id": str(new_id()), "reason": "sent back"}
    back = service.post(f"/api/v1/transactions/{second['source']['id']}/reverse", body)
    assert (back.status_code, back.json()["destination"]["account"]) == (201, str(rich.id))
    assert (read(rich), read(shops[0]), read(shops[1])) == (85, 15, 0)
    assert read_hold() == ("CAPTURED", 20, 0)  # as it stays
    require_clean()
