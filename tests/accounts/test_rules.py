"""The rules of an account: limits, freeze, unfreeze, close; each change is told once."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from accounts.models import BALANCE_MAX, Account
from events.models import Event
from tests.cast import AccountFactory, deposit, hold, hold_that_expires, new_id, withdraw
from tests.conftest import make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db):
    return make_client("api-admin")


@pytest.fixture
def rule(admin, account):
    def send(name, **body):
        return admin.post(f"/api/v1/accounts/{account.id}/{name}", body)

    return send


def list_events(account):
    events = Event.objects.filter(account_id=account.id).order_by("account_sequence")
    return [event.type for event in events]


def test_a_credit_limit_lets_the_balance_go_below_zero(rule, account):
    answer = rule("limits", credit_limit="50")
    assert (answer.status_code, answer.json()["available"]) == (200, "50.00")
    assert withdraw(account, "50").balance_after == -50
    assert withdraw(account, "0.01").decline_reason == "insufficient_funds"


def test_the_highest_credit_limit_is_kept(rule, account):
    for limit in ("50", "20", "30"):
        rule("limits", credit_limit=limit)
    account = Account.objects.get(id=account.id)
    assert (account.credit_limit, account.credit_limit_max) == (30, 50)


def test_credit_that_is_used_cannot_be_taken_away(rule, account):
    rule("limits", credit_limit="50")
    withdraw(account, "20")
    hold(account, "5")
    answer = rule("limits", credit_limit="24.99")
    assert (answer.status_code, answer.json()["code"]) == (422, "credit_limit_in_use")
    assert answer.json()["used"] == "25.00"
    assert rule("limits", credit_limit="25").status_code == 200


def test_a_due_hold_uses_no_credit_and_keeps_no_account_open(rule, account):
    rule("limits", credit_limit="50")
    hold_that_expires(account, "50")
    assert rule("limits", credit_limit="0").status_code == 200
    assert rule("close", reason="done").status_code == 200


def test_a_late_withdrawal_may_use_the_credit_limit_in_the_past(rule, account):
    deposit(account, "100")
    rule("limits", credit_limit="50")
    assert withdraw(account, "50", effective_at=account.created_at.replace(year=2023)).status == "POSTED"
    declined = withdraw(account, "0.01", effective_at=account.created_at.replace(year=2023))
    assert declined.decline_reason == "insufficient_funds_at"


def test_one_withdrawal_takes_at_most_the_limit(rule, account):
    deposit(account, "100")
    rule("limits", withdraw_max="30")
    row = withdraw(account, "30.01")
    assert row.decline_reason == "limit_exceeded"
    assert row.decline_details == {"rule": "withdraw_max", "limit": "30.00", "required": "30.01"}
    assert withdraw(account, "30").status == "POSTED"
    assert rule("limits", withdraw_max=None).json()["withdraw_max"] is None
    assert withdraw(account, "70").status == "POSTED"


def test_a_days_withdrawals_take_at_most_the_limit_and_a_reversal_gives_nothing_back(rule, service, account):
    deposit(account, "100")
    first = withdraw(account, "20")
    rule("limits", withdraw_day_max="50")
    reversal = service.post(
        f"/api/v1/transactions/{first.id}/reverse", {"id": str(new_id()), "reason": "mistake"}
    )
    assert reversal.status_code == 201
    other = AccountFactory()
    transfer = {"source": str(account.id), "destination": str(other.id), "id": str(new_id())}
    assert service.post("/api/v1/transfers", {**transfer, "amount": "25"}).status_code == 201
    declined = withdraw(account, "5.01")
    assert declined.decline_details == {
        "rule": "withdraw_day_max",
        "limit": "50.00",
        "withdrawn": "45.00",
        "required": "5.01",
    }
    assert withdraw(account, "5").status == "POSTED"


def test_yesterdays_withdrawals_count_no_more(rule, account):
    deposit(account, "100")
    withdraw(account, "50")
    rule("limits", withdraw_day_max="50")
    assert withdraw(account, "1").decline_reason == "limit_exceeded"
    Account.objects.filter(id=account.id).update(withdrawn_on=date(2023, 1, 1))
    assert withdraw(account, "1").status == "POSTED"
    assert Account.objects.get(id=account.id).withdrawn == 1


def test_a_deposit_is_reversed_whatever_the_limits_of_withdrawals(rule, service, account):
    row = deposit(account, "100")
    rule("limits", withdraw_max="1", withdraw_day_max="1")
    body = {"id": str(new_id()), "reason": "mistake"}
    assert service.post(f"/api/v1/transactions/{row.id}/reverse", body).status_code == 201
    assert Account.objects.get(id=account.id).withdrawn == 0


def test_limits_are_amounts_of_the_currency(rule):
    assert rule("limits", credit_limit="-1").json()["code"] == "amount_not_positive"
    assert rule("limits", credit_limit="1000000000000001").json()["code"] == "amount_too_large"
    refused = rule("limits", withdraw_max="0.001").json()
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("amount_scale", "/withdraw_max")
    assert rule("limits", withdraw_day_max="0").status_code == 200


def test_a_frozen_account_accepts_money_and_gives_none(rule, account):
    deposit(account, "100")
    shown = rule("freeze", reason="chargeback 12").json()
    assert (shown["status"], shown["status_reason"]) == ("FROZEN", "chargeback 12")
    assert withdraw(account, "1").decline_reason == "account_frozen"
    assert deposit(account, "1").status == "POSTED"
    assert rule("unfreeze", reason="settled").json()["status"] == "ACTIVE"
    assert withdraw(account, "1").status == "POSTED"


def test_what_is_so_already_changes_nothing_and_tells_nothing(rule, account):
    rule("unfreeze", reason="never was")
    for _ in range(2):
        rule("freeze", reason="look")
    rule("limits", credit_limit="0")
    rule("limits")
    for limit in ("5", "5"):
        rule("limits", credit_limit=limit)
    for _ in range(2):
        rule("close", reason="done")
    assert list_events(account) == [
        "account.opened",
        "account.frozen",
        "account.limits_changed",
        "account.closed",
    ]
    assert Event.objects.get(type="account.frozen").data["status_reason"] == "look"


def test_only_an_empty_account_is_closed_and_then_for_ever(rule, account):
    deposit(account, "100")
    hold(account, "10")
    refused = rule("close", reason="done")
    assert (refused.status_code, refused.json()["code"]) == (422, "account_not_empty")
    assert (refused.json()["balance"], refused.json()["held"]) == ("100.00", "10.00")
    other = AccountFactory()
    closing = make_client("api-admin").post
    assert closing(f"/api/v1/accounts/{other.id}/close", {"reason": "done"}).json()["status"] == "CLOSED"
    assert deposit(other, "1").decline_reason == "account_closed"
    for name, body in {
        "freeze": {"reason": "x"},
        "unfreeze": {"reason": "x"},
        "limits": {"credit_limit": "1"},
    }.items():
        answer = closing(f"/api/v1/accounts/{other.id}/{name}", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "account_closed")


def test_an_expected_version_is_the_one_that_is_locked(account):
    row = deposit(account, "1", expected_version=0)
    assert row.status == "POSTED"
    declined = deposit(account, "1", expected_version=0)
    assert declined.decline_details == {"expected_version": "0", "version": "1"}


def test_support_may_freeze_but_neither_close_nor_limit(account):
    support = make_client("support")
    assert support.post(f"/api/v1/accounts/{account.id}/freeze", {"reason": "x"}).status_code == 200
    assert support.post(f"/api/v1/accounts/{account.id}/unfreeze", {"reason": "x"}).status_code == 200
    assert support.post(f"/api/v1/accounts/{account.id}/close", {"reason": "x"}).status_code == 403
    assert support.post(f"/api/v1/accounts/{account.id}/limits", {"credit_limit": "1"}).status_code == 403


def test_a_house_account_keeps_the_same_rules(service, admin):
    house = service.post("/api/v1/users", {"external_id": "house", "name": "house"}).json()
    account = Account.objects.get(id=house["accounts"][0]["id"])
    assert withdraw(account, "1").decline_reason == "insufficient_funds"
    admin.post(f"/api/v1/accounts/{account.id}/limits", {"credit_limit": "1000"})
    assert withdraw(account, "1").balance_after == Decimal(-1)


def test_no_more_is_held_than_a_balance_may_be(service, rule, account):
    rule("limits", credit_limit=str(BALANCE_MAX))
    thousand_holds = """
        WITH placed AS (
            INSERT INTO accounts_hold (
                id, account_id, amount, captured, status, reference, metadata, created_at, actor, request_id
            )
            SELECT gen_random_uuid(), %(account)s, 1e12, 0, 'OPEN', '', '{}', now(), %(account)s, ''
            FROM generate_series(1, 1000)
        )
        UPDATE accounts_account SET held = 1e15 WHERE id = %(account)s
    """
    with connection.cursor() as cursor:
        cursor.execute(thousand_holds, {"account": account.id})
    body = {"id": str(new_id()), "account": str(account.id), "amount": "1"}
    answer = service.post("/api/v1/holds", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "limit_exceeded")
    assert answer.json()["rule"] == "held"
