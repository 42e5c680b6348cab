"""What is searched follows the feed: late, killed, beside others; nobody who was forgotten comes back."""

import threading
from uuid import UUID

import pytest
from django.db import connection
from django.db.transaction import atomic

from events import feed
from tests.accounts.erasing import forget
from tests.cast import AccountFactory, UserFactory, day, deposit, hold, new_id, withdraw
from tests.database import execute
from tests.searching import find_names, find_references, follow, read_tables
from tests.transactions.conftest import run_command
from tests.transactions.test_concurrency import in_hand
from transactions import search
from transactions.models import (
    SearchedAmount,
    SearchedPerson,
    SearchedReference,
    SearchedTerm,
    SearchState,
)
from transactions.search import following
from transactions.search.listing import find_few

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch):
    monkeypatch.setattr(following, "EVENTS", 3)
    monkeypatch.setattr(following, "ROWS", 2)


def make_some(count=3):
    """People with money, holds and declines; what is in the search tables when all is known."""
    for number in range(count):
        account = AccountFactory(name=f"Petrov {number}", funds="10", external_id=f"crm-{number}-{new_id()}")
        metadata = {"order": str(number), "shop": "one"}
        withdraw(account, "3", reference=f"order {number}", metadata=metadata)
        withdraw(account, "9999", reference=f"too much {number}")
        hold(account, "1", reference=f"booking {number}")


def count_tables():
    return tuple(
        each.objects.count() for each in (SearchedPerson, SearchedReference, SearchedAmount, SearchedTerm)
    )


def require_everything_known():
    """That the tables are what the ledger says, and that nobody is behind."""
    known = read_tables()
    execute("DELETE FROM transactions_searchedperson")
    execute("DELETE FROM transactions_searchedreference")
    execute("DELETE FROM transactions_searchedamount")
    execute("DELETE FROM transactions_searchedterm")
    search.begin_rebuilding()
    follow()
    assert read_tables() == known
    knowledge = search.read_knowledge()
    assert (knowledge.behind_seconds, knowledge.behind_events, knowledge.is_rebuilding) == (0, 0, False)


def test_every_event_is_followed_once_and_the_ledger_says_the_same():
    make_some()
    assert follow() > 5
    assert count_tables() == (3, 9, 12, 9)
    require_everything_known()
    assert follow() == 0


def test_who_is_killed_between_reading_and_the_commit_has_done_nothing(monkeypatch):
    make_some()
    follow()
    make_some(1)
    feed.place_pending()
    before, position = read_tables(), SearchState.objects.get().position

    def die(*values):
        raise KeyboardInterrupt

    monkeypatch.setattr(following, "_write_references", die)
    with pytest.raises(KeyboardInterrupt):
        follow()
    monkeypatch.undo()
    assert SearchState.objects.get().position == position
    assert read_tables() == before
    follow()
    require_everything_known()


def test_what_goes_wrong_is_logged_and_tried_again(monkeypatch):
    make_some(1)
    feed.place_pending()
    with monkeypatch.context() as patched:
        patched.setattr(following, "_follow", lambda *values: 1 / 0)
        assert search.attempt() is False
    follow()
    require_everything_known()


def test_a_transaction_that_commits_late_is_not_lost():
    late, soon = AccountFactory(), AccountFactory()
    with in_hand(lambda: deposit(late, "1", reference="late one"), commit=True):
        deposit(soon, "1", reference="soon one")
        follow()
        assert find_references("one") == ["soon one"]
    follow()
    assert sorted(find_references("one")) == ["late one", "soon one"]


def test_while_somebody_else_follows_nothing_is_done():
    follow()
    make_some(1)
    feed.place_pending()
    with in_hand(lambda: following._lock(), commit=True):
        assert search.follow_some() is False
    assert follow() > 0


def test_how_far_behind_it_is_is_known():
    make_some(1)
    knowledge = search.read_knowledge()
    assert knowledge.behind_seconds > 0
    assert knowledge.known_at < knowledge.now
    follow()
    knowledge = search.read_knowledge()
    assert (knowledge.behind_seconds, knowledge.behind_events) == (0, 0)
    assert knowledge.known_at == knowledge.now


def test_what_comes_while_all_is_made_anew_is_not_lost():
    make_some()
    follow()
    search.begin_rebuilding()
    for number in range(4):
        search.follow_some()
        account = AccountFactory(name=f"Sidorov {number}")
        deposit(account, "5", reference=f"meanwhile {number}")
        feed.place_pending()
    follow()
    assert len(find_names("sidorov")) == len(find_references("meanwhile")) == 4
    require_everything_known()


def test_what_is_in_flight_when_it_begins_anew_is_followed_after_its_commit():
    make_some(1)
    follow()
    account = AccountFactory(name="Sidorov")
    with in_hand(lambda: deposit(account, "1", reference="in flight"), commit=True):
        search.begin_rebuilding()
        follow()
        assert not search.read_knowledge().is_rebuilding
    follow()
    assert find_references("in flight") == ["in flight"]


def test_the_command_makes_all_anew_and_whoever_kills_it_leaves_the_rest_to_the_relay(monkeypatch):
    make_some()
    follow()
    known = read_tables()
    execute("DELETE FROM transactions_searchedreference")
    execute("DELETE FROM transactions_searchedamount")
    steps = iter(range(2))

    def die(state):
        next(steps)
        return make_anew(state)

    make_anew = following._rebuild_some
    with monkeypatch.context() as patched:
        patched.setattr(following, "_rebuild_some", die)
        with pytest.raises(StopIteration):
            run_command("rebuild_search")
    assert search.read_knowledge().is_rebuilding
    assert read_tables() != known
    run_command("relay_events", "--once")
    assert read_tables() == known
    assert run_command("rebuild_search") == (0, "What is searched is made anew.\n")
    assert read_tables() == known


def test_a_feed_that_was_pruned_before_it_was_read_begins_it_anew():
    make_some()
    feed.place_pending()
    execute("ALTER TABLE events_feed_state DISABLE TRIGGER feed_goes_forward")
    execute("UPDATE events_feed_state SET pruned_through = last_position")
    execute("ALTER TABLE events_feed_state ENABLE ALWAYS TRIGGER feed_goes_forward")
    follow()
    assert count_tables() == (3, 9, 12, 9)
    require_everything_known()


def test_in_another_epoch_of_the_feed_it_goes_on():
    make_some(1)
    follow()
    assert feed.begin_epoch(force=True)
    make_some(1)
    follow()
    require_everything_known()


def test_the_relay_keeps_it():
    make_some(1)
    run_command("relay_events", "--once")
    assert find_names("petrov") == ["Petrov 0"]
    require_everything_known()


def test_who_is_forgotten_is_not_found_by_anything_of_theirs():
    user = UserFactory(
        name="Ivan Konstantinov", external_id="crm-4711", metadata={"email": "ivan@example.com"}
    )
    account = user.accounts.with_held_due().get()
    deposit(account, "12.34", reference="for Konstantinov", metadata={"for": "Konstantinov"})
    deposit(account, "1", metadata={"for": "Konstantinov"}, effective_at=day("2023-01-01"))
    hold(account, "1", reference="Konstantinov, room 7")
    follow()
    asked = ("konstantinov", "konstantinof", "crm-4711", "4711", "ivan@example.com")
    assert all(find_names(words) for words in asked)
    assert len(find_references("konstantinov")) == 2
    theirs = [search.look_up_term("metadata.for", "Konstantinov")]
    assert len(find_few(theirs)) == 2
    forget(user)
    assert find_few(theirs) == set()
    assert not SearchedPerson.objects.filter(user_id=user.pk).exists()
    assert find_references("konstantinov") == []
    deposit(account, "1", reference="again for Konstantinov", metadata={"for": "Konstantinov"})
    follow()
    for _ in range(2):
        assert not any(find_names(words) for words in asked)
        assert find_references("konstantinov") == []
        assert find_few(theirs) == set()
        assert find_references("12.34 today") == ["for Konstantinov"]  # bookkeeping
        search.begin_rebuilding()
        follow()
    assert "konstantinov" not in str(read_tables())


def test_a_step_that_has_read_the_person_ends_before_they_are_forgotten():
    """The erasure waits for the step, and takes away what that has written."""
    follow()
    user = UserFactory(name="Ivan Konstantinov")

    def write_what_was_read():
        following._lock()
        following._write_people([user.pk])

    def forget_beside():
        forget(user)
        connection.close()

    with in_hand(write_what_was_read, commit=True):
        erasing = threading.Thread(target=forget_beside)
        erasing.start()
        erasing.join(0.3)
        assert erasing.is_alive()
    erasing.join(30)
    assert not SearchedPerson.objects.filter(user_id=user.pk).exists()


def test_an_erasure_that_is_rolled_back_takes_nothing_away():
    user = UserFactory(name="Ivan Konstantinov")
    follow()
    with pytest.raises(ZeroDivisionError), atomic():
        search.forget(UUID(str(user.pk)))
        raise ZeroDivisionError
    assert find_names("konstantinov") == ["Ivan Konstantinov"]


def test_a_movement_stands_at_both_its_moments_under_what_is_on_it():
    account = AccountFactory(funds="10")
    follow()
    empty = count_tables()
    deposit(account, "1")
    follow()
    assert count_tables() == (*empty[:2], empty[2] + 1, empty[3])
    deposit(account, "1", metadata={"a": "b"})
    follow()
    assert count_tables() == (*empty[:2], empty[2] + 2, empty[3] + 1)
    moved = deposit(account, "2", metadata={"c": "d", "e": "f"}, effective_at=day("2023-01-01"))
    follow()
    assert count_tables() == (*empty[:2], empty[2] + 4, empty[3] + 6)
    amounts = SearchedAmount.objects.filter(id=moved.id).values_list("at", flat=True)
    assert set(amounts) == {moved.recorded_at, moved.effective_at}
    require_everything_known()
