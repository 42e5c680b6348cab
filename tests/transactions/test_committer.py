"""Group commit: requests posted in one commit are answered as if each had been alone."""

from decimal import Decimal

import pytest
from django.db.transaction import atomic, set_rollback

from accounts.errors import AccountNotFound, HoldNotFound, IdempotencyKeyReused
from events.models import Event
from tests.asking import capture_of
from tests.cast import AccountFactory, OrderFactory, deposit, hold, hold_that_expires, new_id, transfer
from tests.transactions.committing import (
    ask,
    count_statuses,
    find_outcome,
    gathering,
    group_commit,  # noqa: F401, a fixture
    post_in_one_group,
    require_own,
    rows_of,
    share,
    wait_for_all,
    watch_groups,
)
from tests.transactions.test_concurrency import in_hand, require_sound
from transactions.errors import CurrencyMismatch
from transactions.models import Transaction
from transactions.posting import committer
from transactions.posting.commands import Capture, Reversal, Transfer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def groups(monkeypatch):
    return watch_groups(monkeypatch)


def move(account, type, amount, **fields):
    return OrderFactory(account=account, type=type, amount=Decimal(amount), **fields)


def capture_of_no_hold(account):
    return Capture(id=new_id(), hold_id=new_id(), account_id=account.id)


def make_one_of_each_kind():
    """A request of every kind of command, over two accounts; all of them can be posted."""
    here, there = AccountFactory(), AccountFactory(funds="100")
    taken_back = deposit(here, "500")
    legs = list(Transaction.objects.filter(transfer=transfer(here, there, "50").id).order_by("-type"))
    placed = hold(here, "20")
    return [
        ask(move(here, "DEPOSIT", "7")),
        ask(move(there, "WITHDRAW", "7")),
        ask(Transfer(id=new_id(), source_id=here.id, destination_id=there.id, amount=Decimal(30))),
        ask(capture_of(placed, Decimal(5), final=False)),
        ask(capture_of(placed)),
        ask(Reversal(id=new_id(), reason="wrong", rows=legs)),
        ask(*[move(account, "DEPOSIT", "1") for account in (here, there, here)], all_or_nothing=True),
        ask(*[move(account, "DEPOSIT", "2") for account in (there, here, there)], each=True),
        ask(*[move(account, "WITHDRAW", "1") for account in (there, here)]),
        ask(Reversal(id=new_id(), reason="never was", rows=[taken_back])),
    ]


def test_requests_of_every_kind_in_one_group_keep_their_answers_actors_and_request_ids(groups):
    requests = make_one_of_each_kind()
    outcomes = post_in_one_group(*requests)
    assert groups == [requests]
    for request, outcome in zip(requests, outcomes, strict=True):
        require_own(request, outcome)
        assert set(count_statuses(rows_of(outcome))) <= {"POSTED", "insufficient_funds"}
    assert count_statuses(rows_of(outcomes[-1])) == {"insufficient_funds": 1}
    captured = Event.objects.filter(type="hold.captured").order_by("sequence")
    assert [event.request_id for event in captured] == [
        requests[3].caller.request_id,
        requests[4].caller.request_id,
    ]


def test_holds_that_ended_are_events_of_the_first_request_on_their_account(groups):
    accounts = [AccountFactory(funds="100") for _ in range(3)]
    for account in accounts:
        hold_that_expires(account, "10")
    requests = [ask(move(accounts[number], "WITHDRAW", "95")) for number in (0, 1, 0)]
    outcomes = post_in_one_group(*requests)
    assert count_statuses(rows_of([answer for outcome in outcomes for answer in outcome])) == {
        "POSTED": 2,
        "insufficient_funds": 1,
    }
    ended = Event.objects.filter(type="hold.expired")
    assert {each.stream: (each.actor, each.actor_kind, each.request_id) for each in ended} == {
        account.id: (request.commands[0].id, "ledger", request.caller.request_id)
        for account, request in zip(accounts, requests[:2], strict=False)
    }
    assert len(ended) == 2


def test_holds_of_an_account_whose_request_waits_end_with_that_request():
    locked, half, free = (AccountFactory(funds="100") for _ in range(3))
    hold_that_expires(half, "10")
    waiting = ask(Transfer(id=new_id(), source_id=locked.id, destination_id=half.id, amount=Decimal(1)))
    with gathering(2), in_hand(lambda: deposit(locked, "1"), commit=True):
        later, now = share([waiting, ask(move(free, "DEPOSIT", "1"))])
        wait_for_all([now])
        assert not later.done()
        assert not Event.objects.filter(type="hold.expired").exists()
    wait_for_all([later])
    assert Event.objects.get(type="hold.expired").request_id == waiting.caller.request_id


def test_replays_refusals_and_declines_in_a_group_harm_nobody(account, groups):
    other = AccountFactory()
    before, used = deposit(account, "10"), deposit(account, "0.50")
    same = OrderFactory(account=account, id=before.id, amount=Decimal(10))
    requests = [
        ask(move(account, "WITHDRAW", "3")),
        ask(same),
        ask(move(account, "DEPOSIT", "11", id=used.id)),
        ask(move(other, "WITHDRAW", "1")),
        ask(OrderFactory(account=before)),  # there is no such account
        ask(move(account, "DEPOSIT", "4", currency="EUR")),
        ask(move(account, "DEPOSIT", "5"), capture_of_no_hold(account)),
        ask(move(account, "DEPOSIT", "6"), capture_of_no_hold(account), each=True),
        ask(move(account, "WITHDRAW", "13.50")),
    ]
    posted, replayed, reused, declined, nowhere, foreign, refused, each, last = post_in_one_group(*requests)
    assert groups == [requests]
    require_own(requests[0], posted)
    assert (replayed[0].replayed, replayed[0].transaction.id) == (True, before.id)
    assert isinstance(reused, IdempotencyKeyReused)
    assert count_statuses(rows_of(declined)) == {"insufficient_funds": 1}
    assert [type(error) for error in (nowhere, foreign, refused, each[1])] == [
        AccountNotFound,
        CurrencyMismatch,
        HoldNotFound,
        HoldNotFound,
    ]
    assert each[0].transaction.status == "POSTED"
    require_own(requests[-1], last)
    require_sound(account)
    assert (account.balance, account.version) == (0, 5)


@pytest.mark.parametrize("amount", ["100", "200"])
def test_two_orders_of_one_id_are_never_in_one_group_and_are_one_command(account, groups, amount):
    id = new_id()
    first, second = ask(OrderFactory(account=account, id=id)), ask(move(account, "DEPOSIT", amount, id=id))
    neighbour = ask(OrderFactory(account=account))
    with gathering(2):
        futures = share([first, second, neighbour])
        wait_for_all(futures[:1])
        futures += share([ask(OrderFactory(account=account))])  # fills the second group
        wait_for_all(futures)
    assert (groups[0], groups[1][0]) == ([first, neighbour], second)
    require_own(first, futures[0].result())
    again = find_outcome(futures[1])
    if amount == "100":
        assert (again[0].replayed, again[0].transaction.actor) == (True, first.caller.actor)
    else:
        assert isinstance(again, IdempotencyKeyReused)
    require_sound(account)
    assert account.balance == 300


def test_every_list_of_a_group_is_everything_or_nothing_by_itself(account):
    other = AccountFactory()
    requests = [
        ask(move(account, "DEPOSIT", "10"), move(other, "DEPOSIT", "10"), all_or_nothing=True),
        ask(move(other, "DEPOSIT", "5"), move(account, "WITHDRAW", "11"), all_or_nothing=True),
        ask(move(account, "WITHDRAW", "4"), move(other, "WITHDRAW", "4"), all_or_nothing=True),
        ask(move(account, "WITHDRAW", "7"), move(account, "WITHDRAW", "6")),
    ]
    outcomes = post_in_one_group(*requests)
    assert [count_statuses(rows_of(outcome)) for outcome in outcomes] == [
        {"POSTED": 2},
        {"batch_declined": 1, "insufficient_funds": 1},
        {"POSTED": 2},
        {"insufficient_funds": 1, "POSTED": 1},
    ]
    for request, outcome in zip(requests, outcomes, strict=True):
        require_own(request, outcome)
    require_sound(account, other)
    assert (account.balance, other.balance) == (0, 6)


def test_who_comes_first_is_posted_first(account, groups):
    """Even when there are more orders than a group takes."""
    requests = [ask(*[move(account, "DEPOSIT", "1") for _ in range(40)]) for _ in range(30)]
    committer.stop()
    futures = [committer._prompt.ask(request) for request in requests]
    committer.start()
    wait_for_all(futures)
    assert [request for group in groups for request in group] == requests
    assert max(sum(len(request.commands) for request in group) for group in groups) <= committer.COMMANDS_MAX
    rows = [row for future in futures for row in rows_of(future.result())]
    assert [row.version for row in rows] == list(range(1, 1201))
    require_sound(account)


def test_a_request_that_nobody_waits_for_any_more_when_its_group_begins_is_not_posted(account, groups):
    committer.stop()
    requests = [ask(OrderFactory(account=account)) for _ in range(3)]
    futures = [committer._prompt.ask(request) for request in requests]
    assert futures[1].cancel()
    committer.start()
    wait_for_all(futures)
    assert groups == [[requests[0], requests[2]]]
    require_sound(account)
    assert account.version == 2


@pytest.mark.parametrize("commit", [True, False])
def test_in_a_callers_transaction_nothing_is_shared(account, groups, commit):
    with atomic():
        [[answer]] = post_in_one_group(ask(OrderFactory(account=account)))
        set_rollback(not commit)
    assert groups == []
    assert Transaction.objects.filter(id=answer.transaction.id).exists() is commit


def test_what_waits_when_the_service_ends_is_posted(account):
    with gathering(100):
        futures = share(ask(OrderFactory(account=account)) for _ in range(7))
        committer.stop()
    wait_for_all(futures)
    require_sound(account)
    assert account.version == 7
    [[alone]] = post_in_one_group(ask(OrderFactory(account=account)))
    assert alone.transaction.version == 8
