"""Every command and every question, asked of a real ledger; what it answers is what the resources say."""

# A Decimal equals the whole number that it is.
# mypy: disable-error-code="comparison-overlap"

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

import pytest

from ledger_client import (
    Declined,
    InsufficientFunds,
    InvalidRequest,
    Ledger,
    NoSuchAddress,
    NotAuthenticated,
    NotFound,
    NotTheLedger,
    PermissionDenied,
    Refused,
    commands,
    new_id,
)
from ledger_client.resources import User
from ledger_client.testing import BadNetwork, LedgerServer

MakeUser = Callable[..., User]


def test_money_comes_goes_crosses_and_is_taken_back(ledger: Ledger, make_ledger_user: MakeUser) -> None:
    petya, anna = make_ledger_user("petya"), make_ledger_user("anna")
    [account] = petya.accounts
    came = ledger.post(
        commands.deposit(
            id=new_id(),
            user=petya.id,
            amount=Decimal("1E+2"),
            reference="order-7",
            metadata={"order": "7"},
            effective_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        )
    )
    assert (came.amount, came.balance_after, came.reference) == (100, 100, "order-7")
    assert came.effective_at == datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    assert came.metadata == {"order": "7"}
    went = ledger.post(commands.withdraw(id=new_id(), account=account.id, amount="30.00"))
    moved = ledger.post(
        commands.transfer(id=new_id(), source=account.id, destination_user=anna.id, amount="20.00")
    )
    assert (moved.source.amount, moved.destination.balance_after) == (20, 20)
    back = ledger.post(commands.reverse(id=new_id(), transaction=went.id, reason="a mistake", amount="10.00"))
    assert (back.type, back.amount, back.reverses) == ("DEPOSIT", 10, went.id)
    assert ledger.get_transaction(went.id).reversed == 10
    both = ledger.post(commands.reverse_transfer(id=new_id(), transfer=moved.id, reason="a mistake"))
    assert both.destination.amount == 20
    seen = ledger.get_transfer(moved.id)
    assert (seen.source.account, seen.destination.user) == (account.id, anna.id)
    now = ledger.get_account(account.id)
    assert (now.balance, now.available, now.held, now.version) == (80, 80, 0, 5)
    assert ledger.get_user_balance(petya.id).balance == 80
    then = ledger.get_account_balance(account.id, at=datetime(2026, 1, 3, tzinfo=UTC))
    assert (then.balance, then.held) == (100, None)
    statement = ledger.get_statement(account.id, from_=date(2026, 1, 1), to=date(2026, 1, 31))
    assert (statement.opening_balance, statement.closing_balance) == (0, 100)
    assert [line.amount for line in statement.lines] == [100]


def test_holds_are_placed_changed_captured_and_released(ledger: Ledger, make_ledger_user: MakeUser) -> None:
    petya, anna, shop = (make_ledger_user(name, funds="100.00") for name in ("petya", "anna", "shop"))

    def place(amount: str = "10.00") -> UUID:
        until = datetime.now(UTC) + timedelta(days=1)
        hold = ledger.post(commands.hold(id=new_id(), user=petya.id, amount=amount, expires_at=until))
        assert (hold.status, hold.remaining) == ("OPEN", Decimal(amount))
        return hold.id

    first = place()
    assert ledger.post(commands.change_hold(hold=first, amount="12.00")).amount == 12
    part = ledger.post(commands.capture(id=new_id(), hold=first, amount="5.00", final=False))
    assert (part.amount, part.hold, part.final) == (5, first, False)
    rest = ledger.post(commands.capture(id=new_id(), hold=first))
    assert rest.amount == 7
    assert ledger.get_hold(first).status == "CAPTURED"
    to = anna.accounts[0].id
    across = ledger.post(commands.capture_to(id=new_id(), hold=place(), destination=to))
    assert across.destination.balance_after == 110
    parts = {to: Decimal("3.00"), shop.accounts[0].id: Decimal("4.00")}
    split = ledger.post(commands.capture_split(id=new_id(), hold=place(), destinations=parts))
    assert [each.destination.amount for each in split.transfers] == [3, 4]
    released = ledger.post(commands.release(hold=place(), reason="not needed"))
    assert (released.status, released.closed_at is None) == ("RELEASED", False)
    assert {hold.status for hold in ledger.list_holds(user=petya.id)} == {"CAPTURED", "RELEASED"}


def test_what_is_owed_is_claimed(ledger: Ledger, make_ledger_user: MakeUser) -> None:
    petya = make_ledger_user(funds="5.00")
    account = petya.accounts[0].id
    came = ledger.list_transactions(account=account).first()
    assert came is not None
    claim = ledger.post(commands.claim(id=new_id(), account=account, amount="8.00", reason="a fee"))
    assert (claim.collected, claim.remaining, claim.status) == (5, 3, "OPEN")
    paid = ledger.post(commands.deposit(id=new_id(), account=account, amount="1.00"))
    assert [(each.claim, each.amount) for each in paid.collected] == [(claim.id, 1)]
    waived = ledger.post(commands.waive_claim(claim=claim.id, reason="a gift"))
    assert (waived.status, waived.waived_reason) == ("WAIVED", "a gift")
    assert ledger.get_claim(claim.id).status == "WAIVED"
    back = ledger.post(commands.reverse_as_claim(id=new_id(), transaction=came.id, reason="charged back"))
    assert (back.remaining, back.reverses) == (5, came.id)
    assert {each.id for each in ledger.list_claims(account=account)} == {claim.id, back.id}


def test_a_batch_is_decided_in_one_commit(ledger: Ledger, make_ledger_user: MakeUser) -> None:
    petya = make_ledger_user()
    items: list[commands.Command[Any]] = [
        commands.deposit(id=new_id(), user=petya.id, amount="10.00"),
        commands.hold(id=new_id(), user=petya.id, amount="4.00"),
        commands.capture(id=new_id(), hold="#1"),
        commands.withdraw(id=new_id(), user=petya.id, amount="7.00"),
    ]
    decided = ledger.post(commands.batch(id=new_id(), atomic=False, commands=items))
    assert [result.status for result in decided.results] == [201, 201, 201, 402]
    assert decided.results[1].hold is not None
    assert decided.results[3].problem is not None
    assert decided.results[3].problem["code"] == "insufficient_funds"
    kept = ledger.get_batch(decided.id)
    assert (len(kept.transactions), len(kept.holds)) == (3, 1)
    back = ledger.post(commands.reverse_batch(id=new_id(), batch=decided.id, reason="a mistake"))
    assert {result.status for result in back.results} <= {200, 201}
    too_much = commands.withdraw(id=new_id(), user=petya.id, amount="70.00")
    with pytest.raises(Declined, match="batch_declined") as declined:
        ledger.post(commands.batch(id=new_id(), atomic=True, commands=[too_much]))
    assert declined.value.extensions["results"]
    with pytest.raises(ValueError, match="cannot be part of a batch"):
        commands.batch(id=new_id(), atomic=True, commands=[commands.freeze(account=new_id(), reason="no")])


def test_users_accounts_and_their_rules(ledger: Ledger) -> None:
    name = f"petya {new_id()}"
    petya = ledger.post(commands.create_user(name="petya", external_id=name))
    assert ledger.post(commands.create_user(name="petya", external_id=name)).id == petya.id
    found = ledger.find_user(name)
    assert found is not None
    assert found.id == petya.id
    assert ledger.find_user(f"nobody {name}") is None
    assert ledger.post(commands.change_user(user=petya.id, name="Peter", metadata={"a": "b"})).name == "Peter"
    with pytest.raises(Refused, match="etag_mismatch"):
        ledger.post(commands.change_user(user=petya.id, name="Pete", etag='"another"'))
    euros = ledger.post(commands.open_account(user=petya.id, currency="EUR", name="holiday"))
    assert (euros.currency, euros.name) == ("EUR", "holiday")
    assert ledger.post(commands.change_account(account=euros.id, metadata={"a": "b"})).metadata == {"a": "b"}
    limited = ledger.post(
        commands.set_limits(account=euros.id, credit_limit="10.00", withdraw_max=Decimal(5), reason="new")
    )
    assert (limited.available, limited.withdraw_max, limited.withdraw_day_max) == (10, 5, None)
    free = ledger.post(commands.remove_limits("withdraw_max", account=euros.id, reason="trusted"))
    assert (free.credit_limit, free.withdraw_max) == (10, None)
    threshold = ledger.post(commands.set_threshold(account=euros.id, amount="1.00"))
    assert [each.id for each in ledger.list_thresholds(euros.id)] == [threshold.id]
    ledger.remove_threshold(threshold.id)
    ledger.remove_threshold(threshold.id)
    assert ledger.post(commands.freeze(account=euros.id, reason="asked for")).status == "FROZEN"
    assert ledger.post(commands.unfreeze(account=euros.id, reason="asked for")).status == "ACTIVE"
    ledger.post(commands.set_limits(account=euros.id, credit_limit="0", reason="closing"))
    assert ledger.post(commands.close(account=euros.id, reason="asked for")).status == "CLOSED"
    assert [each.id for each in ledger.list_accounts(user=petya.id, status="CLOSED")] == [euros.id]
    me = ledger.who_am_i()
    assert (me.kind, "transactions.add_transaction" in me.permissions) == ("service", True)


def test_lists_are_read_page_after_page(ledger: Ledger, make_ledger_user: MakeUser) -> None:
    account = make_ledger_user().accounts[0].id
    ids = [new_id() for _ in range(7)]
    for id in ids:
        ledger.post(commands.deposit(id=id, account=account, amount="1.00"))
    listed = ledger.list_transactions(account=account, page_size=3)
    assert [each.id for each in listed] == ids[::-1]
    assert [len(page) for page in listed.read_pages()] == [3, 3, 1]
    assert [each.id for each in islice(listed, 4)] == ids[:2:-1]
    first = listed.first()
    assert first is not None
    assert first.id == ids[-1]
    assert list(ledger.list_transactions(account=account, type="WITHDRAW")) == []


def test_no_page_is_asked_of_another_address(
    distant: Ledger, bad_network: BadNetwork, ledger: Ledger, make_ledger_user: MakeUser
) -> None:
    """A proxy may say another host in `next` than the client calls: the token goes to nobody else."""
    account = make_ledger_user().accounts[0].id
    bad_network.answer(200, b'{"next": "https://elsewhere.example/api/v1/holds?cursor=c", "results": []}')
    with pytest.raises(InvalidRequest, match="invalid_cursor"):
        list(distant.list_holds(account=account))
    assert [path for _, path, _ in bad_network.seen][1:] == [f"/api/v1/holds?account={account}&cursor=c"]


def test_a_decline_says_what_was_there_and_what_was_needed(
    ledger: Ledger, make_ledger_user: MakeUser
) -> None:
    petya, id = make_ledger_user(funds="100.00"), new_id()
    for _ in range(2):
        with pytest.raises(InsufficientFunds, match="less available") as declined:
            ledger.post(commands.withdraw(id=id, user=petya.id, amount="250.00"))
        assert (declined.value.available, declined.value.required) == (100, 250)
        assert (declined.value.id, declined.value.status) == (id, 402)
        assert declined.value.request_id
        ledger.post(commands.deposit(id=new_id(), user=petya.id, amount="1000.00"))


def test_what_is_malformed_is_pointed_to(ledger: Ledger, make_ledger_user: MakeUser) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ledger.post(commands.deposit(id=new_id(), user=make_ledger_user().id, amount="1.001"))
    [error] = refused.value.errors
    assert (error.pointer, error.code) == ("/amount", "amount_scale")


def test_who_may_not_is_told_what_they_would_need(
    ledger_server: LedgerServer, ledger: Ledger, make_ledger_user: MakeUser
) -> None:
    petya = make_ledger_user()
    token = ledger_server.issue_token("reader", "api-read")
    with ledger_server.connect(token=token) as reader:
        assert reader.get_user(petya.id).id == petya.id
        with pytest.raises(PermissionDenied) as denied:
            reader.post(commands.deposit(id=new_id(), user=petya.id, amount="1.00"))
        assert denied.value.permission == "transactions.add_transaction"
    with ledger_server.connect(token="wrong") as stranger, pytest.raises(NotAuthenticated):
        stranger.who_am_i()
    with pytest.raises(NotFound):
        ledger.get_transaction(new_id())
    assert not ledger.has_account(new_id())


def test_a_wrong_address_is_not_taken_for_something_that_is_gone(
    ledger_server: LedgerServer, ledger_token: str
) -> None:
    with Ledger(f"{ledger_server.url}/ledger", ledger_token) as lost, pytest.raises(NotTheLedger):
        lost.remove_threshold(new_id())
    with ledger_server.connect() as ledger, pytest.raises(NoSuchAddress, match="none ends with a slash"):
        ledger.get("/thresholds/")


@pytest.mark.parametrize(
    ("status", "kind"), [(402, Declined), (404, NotFound), (418, Refused), (422, Refused)]
)
def test_a_code_that_is_not_known_yet_is_a_refusal_of_its_status(
    distant: Ledger, bad_network: BadNetwork, status: int, kind: type[Refused]
) -> None:
    bad_network.answer(status, b'{"code": "of_next_year", "detail": "New.", "moon": "full", "cost": "1.50"}')
    with pytest.raises(Refused) as refused:
        distant.who_am_i()
    assert type(refused.value) is kind
    assert (refused.value.code, refused.value.extensions) == (
        "of_next_year",
        {"moon": "full", "cost": "1.50"},
    )
    assert (refused.value.get_amount("cost"), refused.value.get_amount("none")) == (Decimal("1.50"), None)


def test_a_rehearsal_records_nothing(ledger: Ledger, make_ledger_user: MakeUser) -> None:
    petya, id = make_ledger_user(funds="5.00"), new_id()
    told = ledger.rehearse(commands.withdraw(id=id, user=petya.id, amount="6.00"))
    assert told["results"][0]["problem"]["available"] == "5.00"
    assert ledger.post(commands.withdraw(id=id, user=petya.id, amount="4.00")).balance_after == 1
