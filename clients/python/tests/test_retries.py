"""The whole rule, with a real ledger at the other end of a network that goes wrong."""

import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from itertools import pairwise

import pytest

from ledger_client import Ledger, NotTheLedger, Refused, Unanswered, commands, new_id, sending
from ledger_client.resources import Transaction, User
from ledger_client.testing import BadNetwork, Fate, find_free_port

MakeUser = Callable[..., User]
Connect = Callable[..., Ledger]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    waits: list[float] = []
    monkeypatch.setattr("ledger_client.sending.time.sleep", waits.append)
    return waits


def deposit(user: User, amount: str = "5.00") -> commands.Command[Transaction]:
    return commands.deposit(id=new_id(), user=user.id, amount=Decimal(amount))


def read_balance(ledger: Ledger, user: User) -> Decimal:
    return ledger.get_user_balance(user.id).balance


@pytest.mark.parametrize("fate", Fate)
def test_cut_off_anywhere_it_sends_the_same_again_and_the_money_moves_once(
    distant: Ledger, bad_network: BadNetwork, make_ledger_user: MakeUser, fate: Fate
) -> None:
    petya = make_ledger_user()
    bad_network.suffer(fate, times=3)
    posted = distant.post(deposit(petya))
    assert (posted.status, posted.amount) == ("POSTED", Decimal("5.00"))
    assert bad_network.done == {fate: 3}
    assert len(bad_network.seen) == 4
    assert len(set(bad_network.seen)) == 1
    assert read_balance(distant, petya) == Decimal("5.00")


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_what_passes_by_itself_is_asked_again(
    distant: Ledger, bad_network: BadNetwork, make_ledger_user: MakeUser, status: int
) -> None:
    bad_network.answer(status, times=2)
    distant.post(deposit(make_ledger_user()))
    assert len(bad_network.seen) == 3


@pytest.mark.parametrize("body", [b"", b"[]", b"not JSON", b'{"id": '], ids=["empty", "list", "text", "half"])
def test_a_good_status_without_an_object_is_no_answer(
    distant: Ledger, bad_network: BadNetwork, make_ledger_user: MakeUser, body: bytes
) -> None:
    bad_network.answer(201, body)
    distant.post(deposit(make_ledger_user()))
    assert len(bad_network.seen) == 2


def test_an_earlier_run_is_answered_by_its_stored_command(
    hasty: Ledger, ledger: Ledger, bad_network: BadNetwork, make_ledger_user: MakeUser
) -> None:
    petya = make_ledger_user()
    command = deposit(petya)
    stored = json.dumps({"path": command.path, "body": command.body})
    bad_network.suffer(Fate.NOT_ANSWERED)
    with pytest.raises(Unanswered, match="It may have been done"):
        hasty.post(command)
    again = commands.Command(**json.loads(stored), kind=Transaction)
    assert ledger.post(again).id == command.id
    assert read_balance(ledger, petya) == Decimal("5.00")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_and_never_success(
    distant: Ledger, ledger: Ledger, bad_network: BadNetwork, make_ledger_user: MakeUser, status: int
) -> None:
    petya, list_of_others = make_ledger_user(), f"{bad_network.url}/api/v1/transactions"
    bad_network.answer(status, b"", Location=list_of_others)
    with pytest.raises(NotTheLedger, match=f"{status} to {list_of_others}"):
        distant.post(deposit(petya))
    assert len(bad_network.seen) == 1
    assert read_balance(ledger, petya) == 0


@pytest.mark.parametrize(
    "body",
    [{"results": [], "next": None}, {"id": str(new_id())}, {"id": None}],
    ids=["list", "other", "none"],
)
def test_an_answer_of_something_else_is_not_known(
    distant: Ledger, bad_network: BadNetwork, make_ledger_user: MakeUser, body: dict[str, object]
) -> None:
    bad_network.answer(200, json.dumps(body).encode())
    with pytest.raises(NotTheLedger, match="200, but of"):
        distant.post(deposit(make_ledger_user()))


@pytest.mark.parametrize("status", [400, 403, 404, 413, 422])
def test_a_refusal_of_somebody_in_between_is_not_the_ledgers(
    distant: Ledger, bad_network: BadNetwork, make_ledger_user: MakeUser, status: int
) -> None:
    bad_network.answer(status)
    with pytest.raises(NotTheLedger, match="Somebody else"):
        distant.post(deposit(make_ledger_user()))
    assert len(bad_network.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 410, 412, 413, 415, 422, 451])
def test_a_refusal_is_final(
    distant: Ledger, bad_network: BadNetwork, make_ledger_user: MakeUser, status: int
) -> None:
    bad_network.answer(status, b'{"code": "made_up", "detail": "Some words."}')
    with pytest.raises(Refused, match=f"{status} made_up: Some words") as refused:
        distant.post(deposit(make_ledger_user()))
    assert len(bad_network.seen) == 1
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)  # noqa: S301, our own


def test_pauses_grow_to_a_limit_and_are_never_the_same(
    bad_network: BadNetwork, connect: Connect, waits: list[float]
) -> None:
    bad_network.answer(503, times=12)
    connect(patience=600).who_am_i()
    assert len(waits) == len(set(waits)) == 12
    for number, wait in enumerate(waits):
        assert 0.5 <= wait / min(0.1 * 2**number, 5) <= 1.5
    assert waits[0] < waits[3] < waits[-1]


@pytest.mark.parametrize("kind", ["seconds", "date"])
def test_it_waits_for_as_long_as_it_is_asked_to(
    bad_network: BadNetwork, connect: Connect, waits: list[float], kind: str
) -> None:
    text = (
        "20" if kind == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    )
    bad_network.answer(503, times=2, Retry_After=text)
    connect(patience=60).who_am_i()
    assert all(18 <= wait <= 25 for wait in waits)
    assert len(set(waits)) == 2


def test_what_it_is_asked_to_wait_for_beyond_its_patience_is_told(
    bad_network: BadNetwork, connect: Connect, waits: list[float]
) -> None:
    bad_network.answer(503, Retry_After="120")
    with pytest.raises(Unanswered, match="503") as unanswered:
        connect(patience=60).who_am_i()
    assert unanswered.value.retry_after == 120
    assert waits == []


@pytest.mark.parametrize("text", ["soon", "-5", "nan", "inf", "Mon, 99 Foo 2026", ""])
def test_a_retry_after_that_says_nothing_is_none(text: str) -> None:
    assert sending.read_retry_after(text) == 0


def test_where_nobody_listens_it_says_so() -> None:
    url = f"http://127.0.0.1:{find_free_port()}"
    with Ledger(url, "token", patience=0.3) as ledger, pytest.raises(Unanswered, match="ConnectError"):
        ledger.who_am_i()


def test_a_token_that_changes_is_asked_for_every_try(
    bad_network: BadNetwork, connect: Connect, ledger_token: str
) -> None:
    tokens = ["expired", ledger_token, ledger_token]
    bad_network.answer(503)
    connect(lambda: tokens.pop(0)).who_am_i()
    assert tokens == [ledger_token]


def test_what_must_not_be_done_twice_is_sent_once(
    distant: Ledger, bad_network: BadNetwork, ledger: Ledger
) -> None:
    made = ledger.subscriptions.create_webhook(f"http://127.0.0.1:{find_free_port()}/")
    bad_network.suffer(Fate.NOT_ANSWERED)
    with pytest.raises(Unanswered):
        distant.subscriptions.rotate_secret(made.id)
    assert len(bad_network.seen) == 1
    ledger.subscriptions.delete(made.id)


def test_what_a_lost_try_has_deleted_is_deleted(
    distant: Ledger, bad_network: BadNetwork, ledger: Ledger, make_ledger_user: MakeUser
) -> None:
    account = make_ledger_user().accounts[0]
    threshold = ledger.post(commands.set_threshold(account=account.id, amount="1.00"))
    bad_network.suffer(Fate.NOT_ANSWERED)
    distant.remove_threshold(threshold.id)
    assert list(ledger.list_thresholds(account.id)) == []


def test_ids_are_of_version_7_different_and_in_the_order_of_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}
    times = [each.int >> 80 for each in ids]
    assert all(earlier <= later for earlier, later in pairwise(times))
