"""A ledger in which every table has rows, and every status of an account, a hold or a correction is there."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event as Flag

from django.contrib.auth.models import Permission

from accounts import erasing, notes, operations, tokens
from accounts.models import Account, Token
from events import attempts, feed
from events.models import Subscription
from ledger.callers import Caller
from tests import asking
from tests.accounts.erasing import call, forget
from tests.accounts.noting import note_about
from tests.cast import (
    CALLER,
    AccountFactory,
    UserFactory,
    deposit,
    hold,
    hold_that_expires,
    issue_token,
    new_id,
    withdraw,
)
from tests.claims import claim, waive
from tests.events.conftest import subscribe
from tests.office.account_pages import find_address
from tests.office.staff import make_staff, open_office
from tests.searching import follow
from tests.transactions.conftest import run_command
from tests.transactions.correcting import WITHDRAW, adjust, approve, claim_back, reject, reverse, reverse_all
from tests.transactions.correcting import claim as claim_as_staff
from tests.transactions.correcting import waive as waive_as_staff
from tests.transactions.test_audit import make_history
from transactions import posting
from transactions.posting import NewBatch
from transactions.posting.commands import Capture, NewHold, SetMetadata, Transfer
from transactions.reading import statistics

LIMITS = {"credit_limit": Decimal(50), "withdraw_max": Decimal(20), "withdraw_day_max": Decimal(90)}


def make_everything() -> Account:
    """The account with which most has happened; another one with limits and withdrawals of today is the
    last. One event still waits for its place in the feed."""
    account: Account = make_history()
    limited = make_accounts()
    make_holds(account)
    make_thresholds(account)
    make_batches(account)
    make_claims()
    make_corrections(account)
    make_staff_look(account)
    make_notes(account)
    make_tokens()
    make_erasures()
    note_attempt(subscribe("https://8.8.8.8/"))
    follow()
    statistics.refresh(Flag())
    feed.read()
    assert run_command("audit_balances", "--workers", "1")[0] == 0
    deposit(limited, "1")
    account.refresh_from_db()
    return account


def note_attempt(subscription: Subscription) -> None:
    attempt = attempts.begin(subscription, 1)
    attempt.end(204)
    attempts.write(subscription, [attempt])


def make_accounts() -> Account:
    anna = UserFactory(name="Anna", external_id="anna", metadata={"city": "Kazan"})
    operations.change_user(id=anna.id, changes={"metadata": {"city": "Perm"}}, caller=CALLER)
    euros, _ = operations.create_account(user_id=anna.id, currency="EUR", caller=CALLER)
    deposit(euros, "10")
    limited: Account = AccountFactory(funds="70")
    asking.set_limits(id=limited.id, limits=LIMITS, request_id="")
    asking.ask(SetMetadata(account_id=limited.id, metadata={"plan": "gold"}))
    withdraw(limited, "15")
    withdraw(limited, "21")  # declined: more than one may take
    return limited


def make_notes(account: Account) -> None:
    """One that asks for nothing, one that is to be done and one that is."""
    author, other = make_staff("support"), make_staff("support")
    for number, is_task in enumerate((False, True, True)):
        note = note_about(account.user, author, link="https://tickets.example/7", is_task=is_task)
        if number == 2:
            notes.finish(id=note.id, caller=call(other))


def make_tokens() -> None:
    issue_token("api-post")
    bounds = {"account_names": ["main"], "types": ["DEPOSIT"], "amount_max": Decimal("9.50")}
    for token in (issue_token("api-post", **bounds), issue_token("api-read")):
        assert tokens.note_uses({Token.objects.get(token_key=token[:15]).digest: datetime.now(UTC)}) == 1
    assert tokens.revoke(token_key=token[:15], caller=CALLER) == 1


def make_holds(account: Account) -> None:
    deposit(account, "500")
    asking.release_hold(id=hold(account, "3").id)
    hold(account, "4", metadata={"why": "rent"}, reference="7")
    hold(account, "99999")  # declined
    changed = hold(account, "5")
    for amount in ("8", "99999"):  # the second is declined
        asking.change_hold(id=changed.id, changes={"amount": Decimal(amount)})
    parts = [(AccountFactory().id, Decimal(1)), (AccountFactory().id, Decimal(2))]
    asking.ask(asking.capture_of(changed, final=False, destinations=parts))
    asking.ask(asking.capture_of(changed, Decimal(1), destination_id=AccountFactory().id))
    hold_that_expires(account, "2")
    assert posting.expire_some() == 1


def make_claims() -> None:
    """One that was collected in two parts, an open one, one that was waived and one that was declined."""
    debtor, payee = AccountFactory(funds="7"), AccountFactory()
    claim(debtor, "10", reference="case 1", destination=payee)
    deposit(debtor, "3")
    claim(debtor, "4")
    waive(claim(debtor, "5"))
    closed = AccountFactory()
    asking.close(id=closed.id, reason="left", request_id="")
    claim(closed, "6")


def make_thresholds(account: Account) -> None:
    """Below and above what it has, one that was crossed, and one that was removed."""
    crossed, gone, _ = (asking.set_threshold(account, amount, "balance") for amount in ("450", "7", "99999"))
    asking.set_threshold(account, "-5")
    withdraw(account, "200")
    asking.remove_threshold(gone)
    assert crossed.below is False


def make_batches(account: Account) -> None:
    """One whose hold was captured at once, one that was declined, and an exchange."""
    euros = Account.objects.get(currency="EUR", user__external_id="anna")
    placed = NewHold(id=new_id(), account_id=account.id, amount=Decimal(6))
    captured = Capture(id=new_id(), hold_id=placed.id, account_id=account.id, amount=Decimal(2))
    exchange = Transfer(
        id=new_id(),
        source_id=account.id,
        destination_id=euros.id,
        amount=Decimal(5),
        destination_amount=Decimal(4),
    )
    too_much = NewHold(id=new_id(), account_id=account.id, amount=Decimal(99999))
    for number, commands in enumerate(([placed, captured], [exchange, too_much], [exchange])):
        batch = NewBatch(
            id=new_id(), asked=[number], atomic=number < 2, reference="order 7", metadata={"k": "v"}
        )
        if number == 2:
            commands = [replace(exchange, id=new_id())]
        posting.post(commands, caller=Caller(account.user_id), all_or_nothing=batch.atomic, batch=batch)


def make_corrections(account: Account) -> None:
    first, second = make_staff("operations"), make_staff("operations")
    second.user_permissions.add(Permission.objects.get(codename="view_event"))
    adjust(account, first, "5")
    adjust(account, first, "99999", type=WITHDRAW)
    approve(adjust(account, first, "50000"), second)
    approve(adjust(account, first, "60000", type=WITHDRAW), second)  # declined
    reject(adjust(account, first, "70000"), second)
    reverse(deposit(account, "9"), second)
    reverse_all([deposit(account, "7"), deposit(account, "8")], second)
    owing = AccountFactory()
    claim_back(deposit(owing, "8"), second)
    opened = claim_as_staff(owing, first, "6", destination=account)
    waive_as_staff(opened, second)


def make_erasures() -> None:
    first, second = make_staff("operations"), make_staff("operations")
    forget(UserFactory(name="Boris Volkov", external_id="boris-4711"), maker=first, checker=second)
    for number in range(2):
        asked = erasing.ask(user_id=UserFactory().pk, reason="a letter", caller=call(first))
        if number:
            erasing.reject(id=asked.pk, caller=call(second), reason="not his own")


def make_staff_look(account: Account) -> None:
    browser = open_office(make_staff("support"))
    assert browser.get(find_address(account)).status_code == 200
    assert browser.get("/admin/find/", {"q": "Anna"}).status_code in (200, 302)
