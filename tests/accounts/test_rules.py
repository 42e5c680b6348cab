"""The rules of an account: limits, freeze, unfreeze, close; each change is told once."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.models import BALANCE_MAX, Account, Token
from events.models import Event
from ledger.callers import Caller
from tests import asking
from tests.cast import AccountFactory, deposit, hold, hold_that_expires, new_id, transfer, withdraw
from tests.conftest import make_client
from tests.office.staff import make_staff
from tests.transactions.test_audit import harm
from tests.transactions.told import read_events
from transactions import posting
from transactions.posting import PostingRequest, engine
from transactions.posting.commands import NewHold, Reversal, SetLimits

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db):
    return make_client("api-admin")


@pytest.fixture
def rule(admin, account):
    def send(name, to=account, **body):
        return admin.post(f"/api/v1/accounts/{to.id}/{name}", body)

    return send


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


@pytest.mark.django_db(transaction=True)
def test_the_highest_credit_limit_is_kept_also_of_several_that_are_set_in_one_commit(account):
    commands = [SetLimits(account_id=account.id, limits={"credit_limit": Decimal(each)}) for each in (9, 4)]
    requests = [PostingRequest(commands=[each], caller=Caller(new_id())) for each in commands]
    assert not any(isinstance(each, Exception) for each in engine.post_group(requests))
    account.refresh_from_db()
    assert (account.credit_limit, account.credit_limit_max) == (4, 9)


def test_credit_that_is_used_cannot_be_taken_away(rule, account):
    rule("limits", credit_limit="50")
    withdraw(account, "20")
    hold(account, "5")
    answer = rule("limits", credit_limit="24.99")
    assert (answer.status_code, answer.json()["code"]) == (422, "credit_limit_in_use")
    assert (answer.json()["used"], answer.json()["errors"][0]["pointer"]) == ("25.00", "/credit_limit")
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
    details = {"rule": "withdraw_max", "limit": "30.00", "required": "30.01"}
    row = withdraw(account, "30.01")
    assert (row.decline_reason, row.decline_details) == ("limit_exceeded", details)
    assert withdraw(account, "30").status == "POSTED"
    assert rule("limits", withdraw_max=None).json()["withdraw_max"] is None
    assert withdraw(account, "70").status == "POSTED"


def reverse(row):
    return asking.ask(Reversal(id=new_id(), reason="mistake", rows=[row])).transaction


def test_a_days_withdrawals_take_at_most_the_limit_and_a_reversal_gives_nothing_back(rule, account):
    deposit(account, "100")
    first = withdraw(account, "20")
    rule("limits", withdraw_day_max="50")
    assert reverse(first).status == "POSTED"
    assert transfer(account, AccountFactory(), "25").status == "POSTED"
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
    harm("UPDATE accounts_account SET withdrawn_on = %s WHERE id = %s", date(2023, 1, 1), account.id)
    assert withdraw(account, "1").status == "POSTED"
    assert Account.objects.get(id=account.id).withdrawn == 1


def test_a_deposit_is_reversed_whatever_the_limits_of_withdrawals(rule, account):
    row = deposit(account, "100")
    rule("limits", withdraw_max="1", withdraw_day_max="1")
    assert reverse(row).status == "POSTED"
    assert Account.objects.get(id=account.id).withdrawn == 0


def test_limits_are_amounts_of_the_currency(rule):
    for name, limit, code in [
        ("credit_limit", "-1", "amount_not_positive"),
        ("credit_limit", "1000000000000001", "amount_too_large"),
        ("withdraw_max", "0.001", "amount_scale"),
    ]:
        refused = rule("limits", **{name: limit}).json()
        assert (refused["code"], refused["errors"][0]["pointer"]) == (code, f"/{name}")
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
    events = Event.objects.filter(stream=account.id).order_by("sequence")
    assert [event.type for event in events] == [
        "account.opened",
        "account.frozen",
        "account.limits_changed",
        "account.closed",
    ]
    assert read_events(type="account.frozen")[0].data["status_reason"] == "look"


def test_only_an_empty_account_is_closed_and_then_for_ever(rule, account):
    deposit(account, "100")
    hold(account, "10")
    refused = rule("close", reason="done")
    assert (refused.status_code, refused.json()["code"]) == (422, "account_not_empty")
    assert (refused.json()["balance"], refused.json()["held"]) == ("100.00", "10.00")
    other = AccountFactory()
    assert rule("close", to=other, reason="done").json()["status"] == "CLOSED"
    assert deposit(other, "1").decline_reason == "account_closed"


def test_an_expected_version_is_the_one_that_is_locked(account):
    assert deposit(account, "1", expected_version=0).status == "POSTED"
    declined = deposit(account, "1", expected_version=0)
    assert declined.decline_details == {"expected_version": 0, "version": 1}


def test_no_more_is_held_than_a_balance_may_be(rule, account):
    rule("limits", credit_limit=str(BALANCE_MAX))
    most = Decimal(10) ** 12
    thousand = [NewHold(id=new_id(), account_id=account.id, amount=most) for _ in range(1000)]
    posting.post(thousand, caller=Caller(account.user_id, request_id="test"))
    declined = hold(account, "1")
    assert (declined.decline_reason, declined.decline_details["rule"]) == ("limit_exceeded", "held")


def test_metadata_that_are_so_already_are_told_once(admin, account):
    opened = Event.objects.get(stream=account.id)
    for metadata in ({}, {"a": "b"}, {"a": "b"}, {"a": "c", "d": ""}):
        answer = admin.patch(f"/api/v1/accounts/{account.id}", {"metadata": metadata})
        assert (answer.status_code, answer.json()["metadata"]) == (200, metadata)
    _, *told = read_events(stream=account.id)
    assert [(event.type, event.data["metadata"]) for event in told] == [
        ("account.changed", {"a": "b"}),
        ("account.changed", {"a": "c", "d": ""}),
    ]
    assert told[-1].data == answer.json()
    assert opened.recorded_at < told[0].recorded_at < told[1].recorded_at
    account.refresh_from_db()
    assert (account.event_sequence, account.last_recorded_at) == (3, told[-1].recorded_at)
    assert account.metadata == {"a": "c", "d": ""}


@pytest.mark.parametrize("status", ["FROZEN", "CLOSED"])
def test_metadata_of_an_account_are_changed_whatever_its_status(admin, account, status):
    asking.set_status(id=account.id, status=Account.Status(status), reason="done", request_id="")
    answer = admin.patch(f"/api/v1/accounts/{account.id}", {"metadata": {"a": "b"}})
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert read_events(type="account.changed")[0].data == answer.json()


def test_a_change_of_metadata_ends_the_holds_that_are_due_and_both_are_told(admin, account):
    deposit(account, "5")
    hold_that_expires(account, "5")
    answer = admin.patch(f"/api/v1/accounts/{account.id}", {"metadata": {"a": "b"}})
    assert (answer.json()["held"], answer.json()["available"]) == ("0.00", "5.00")
    *_, ended, changed = Event.objects.filter(stream=account.id).order_by("sequence")
    assert [ended.type, changed.type] == ["hold.expired", "account.changed"]
    assert (ended.actor, ended.actor_kind) == (None, "ledger")  # a command about rules has no id


@pytest.mark.parametrize("kind", ["service", "staff", "holder"])
def test_each_change_tells_who_did_it_as_what_and_in_which_request(account, kind):
    user = {"staff": make_staff(), "holder": account.user}.get(kind)
    client = make_client("api-admin", user=user)
    caller = Token.objects.get().user
    headers = {"X-Request-Id": "look-1"}
    address = f"/api/v1/accounts/{account.id}"
    client.patch(address, {"metadata": {"a": "b"}}, headers=headers)
    client.post(f"{address}/limits", {"credit_limit": "5"}, headers=headers)
    for name in ("freeze", "unfreeze", "close"):
        client.post(f"{address}/{name}", {"reason": "look"}, headers=headers)
    _, *told = Event.objects.filter(stream=account.id).order_by("sequence")
    assert [event.type.removeprefix("account.") for event in told] == [
        "changed",
        "limits_changed",
        "frozen",
        "unfrozen",
        "closed",
    ]
    for event in told:
        assert (event.actor, event.actor_kind, event.request_id) == (caller.id, kind, "look-1")
