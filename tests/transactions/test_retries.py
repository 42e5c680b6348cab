"""Lost connections, races and commits: a posting runs again with the same ids and ends with one row."""

from contextlib import contextmanager, suppress
from functools import partial
from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, IntegrityError, OperationalError, connection
from django.db.transaction import atomic, set_rollback

from accounts.models import User
from events.models import Event
from ledger.callers import Caller
from tests import asking
from tests.cast import OrderFactory, deposit, new_id
from tests.database import execute
from tests.transactions import disturbing
from tests.transactions.disturbing import (
    another_connection,
    end_early,
    fail_with,
    kill_connection,
    lose_the_answer,
    write_failure,
)
from tests.transactions.test_concurrency import count_retries, require_problem
from transactions import posting
from transactions.errors import CommitNotConfirmed, RequestInProgress
from transactions.models import Transaction
from transactions.posting import engine

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """The seconds that postings would have slept; as many as the counter of retries counts."""
    asked, before = [], count_retries()
    monkeypatch.setattr(engine, "time", SimpleNamespace(sleep=asked.append))
    yield asked
    assert count_retries() - before == len(asked)


@pytest.fixture
def disturb_writes(monkeypatch):
    return partial(disturbing.disturb_writes, monkeypatch)


@pytest.fixture
def require_second_attempt(account, disturb_writes, pauses):
    """Whatever disturbs the first write, the posting is run again, once, and there is one row."""

    def post(**disturbance):
        writes = disturb_writes(**disturbance)
        row = deposit(account, "100")
        assert (len(writes), len(pauses)) == (2, 1)
        require_one_deposit(account, row)

    return post


@pytest.fixture
def require_failure(account, disturb_writes, pauses):
    """Of so many attempts that there is nothing left of."""

    def post(error, words=None, attempts=1, **disturbance):
        writes = disturb_writes(times=99, **disturbance)
        with pytest.raises(error, match=words):
            deposit(account, "100")
        assert (len(writes), len(pauses)) == (attempts, attempts - 1)
        require_nothing(account)

    return post


def require_one_deposit(account, row):
    account.refresh_from_db()
    assert list(Transaction.objects.filter(account=account)) == [row]
    assert (account.balance, account.version) == (100, 1)
    assert Event.objects.filter(stream=account.id, type="transaction.posted").count() == 1


def require_nothing(account):
    account.refresh_from_db()
    assert not Transaction.objects.filter(account=account).exists()
    assert (account.balance, account.version, account.event_sequence) == (0, 0, 1)


# Inside a caller's transaction


def test_a_posting_is_undone_with_the_transaction_of_its_caller(account):
    with pytest.raises(ZeroDivisionError), atomic():
        User.objects.create(username="of the caller")
        assert deposit(account, "100").status == "POSTED"
        raise ZeroDivisionError
    require_nothing(account)
    assert not User.objects.filter(username="of the caller").exists()


def test_a_posting_is_committed_with_the_rows_of_its_caller(account):
    with atomic():
        User.objects.create(username="of the caller")
        row = deposit(account, "100")
        with another_connection() as other, other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM transactions_transaction")
            assert cursor.fetchall() == []
    require_one_deposit(account, row)
    assert User.objects.filter(username="of the caller").exists()


def test_inside_a_callers_transaction_nothing_is_run_again(account, disturb_writes, pauses):
    writes = disturb_writes(before=lambda: fail_with("40P01"))
    with pytest.raises(OperationalError, match="on purpose"), atomic():
        deposit(account, "100")
    assert (len(writes), pauses) == (1, [])
    require_nothing(account)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_another_isolation_level_is_refused(account, level):
    with pytest.raises(ImproperlyConfigured, match=level), atomic():
        execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        deposit(account, "100")
    require_nothing(account)


# The commit witness


def break_quietly():
    """A statement has failed and nobody was told: what comes at the end is a ROLLBACK, whatever is asked."""
    with suppress(Error):
        fail_with("22012")


@pytest.mark.parametrize(
    "end", [break_quietly, end_early, lambda: set_rollback(True), lambda: connection.connection.close()]
)
def test_a_transaction_that_ends_quietly_without_a_commit_is_run_again(require_second_attempt, end):
    require_second_attempt(between=end)


def test_a_commit_that_is_never_confirmed_is_an_error(require_failure):
    require_failure(CommitNotConfirmed, attempts=engine.ATTEMPTS_MAX, between=break_quietly)


# Lost connections


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ("before", kill_connection),
        ("between", kill_connection),
        ("beside", ["SELECT pg_terminate_backend(pg_backend_pid())"]),  # while they are under way
    ],
)
def test_a_connection_killed_around_the_write_loses_and_doubles_nothing(require_second_attempt, when, what):
    require_second_attempt(**{when: what})


@pytest.mark.parametrize("lose", [kill_connection, lambda: connection.connection.close()])
def test_a_connection_lost_between_two_postings_is_replaced_before_it_is_used(account, pauses, lose):
    lose()
    require_one_deposit(account, deposit(account, "100"))
    assert pauses == []


@pytest.mark.parametrize("lose", [kill_connection, lambda: connection.connection.close()])
def test_it_is_so_for_an_app_in_process_whose_actor_was_not_seen_before(account, pauses, lose):
    lose()
    result = posting.post_or_raise(OrderFactory(account=account), caller=Caller(account.user_id))
    require_one_deposit(account, result.transaction)
    lose()
    with posting.posted(OrderFactory(account=account), caller=Caller(account.user_id)) as result:
        assert result.transaction.balance_after == 200


def test_a_commit_whose_answer_is_lost_is_found_out(account, disturb_writes, pauses):
    writes = disturb_writes(after=lose_the_answer)
    answer = asking.ask(OrderFactory(account=account))
    assert (answer.replayed, len(writes), len(pauses)) == (True, 1, 1)
    require_one_deposit(account, answer.transaction)


def test_a_commit_that_never_arrives_is_run_again(account, disturb_writes, pauses):
    writes = disturb_writes(between=lose_the_answer)
    answer = asking.ask(OrderFactory(account=account))
    assert (answer.replayed, len(writes), len(pauses)) == (False, 2, 1)
    require_one_deposit(account, answer.transaction)


def test_a_posting_after_a_rollback_prepares_its_statements_again(account, pauses):
    """After one, psycopg makes the server forget all prepared statements."""
    first = deposit(account, "100")
    with suppress(ZeroDivisionError), atomic():
        for _ in range(10):
            User.objects.count()
        raise ZeroDivisionError
    replay = asking.ask(OrderFactory(account=account, id=first.id))
    assert (replay.replayed, pauses) == (True, [])
    require_one_deposit(account, first)


# Errors of the database


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "23505", "08006", "57P01"])
def test_an_error_that_passes_by_itself_is_run_again(require_second_attempt, sqlstate):
    require_second_attempt(before=lambda: fail_with(sqlstate))


def test_a_statement_that_fails_between_the_write_and_its_commit_takes_both_with_it(require_failure):
    require_failure(Error, "division by zero", beside=["SELECT 1 / 0"])


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_a_posting_gives_up_after_its_last_attempt(require_failure, sqlstate):
    attempts = engine.ATTEMPTS_MAX
    require_failure(OperationalError, "on purpose", attempts, before=lambda: fail_with(sqlstate))


def test_the_last_attempt_may_still_succeed(account, disturb_writes):
    writes = disturb_writes(times=engine.ATTEMPTS_MAX - 1, before=lambda: fail_with("40001"))
    row = deposit(account, "100")
    assert len(writes) == engine.ATTEMPTS_MAX
    require_one_deposit(account, row)


@pytest.mark.parametrize("sqlstate", ["23514", "23503", "23502", "22003", "25P02", "42501", "53100", "57014"])
def test_an_error_that_stays_comes_out_at_once(require_failure, sqlstate):
    kind = IntegrityError if sqlstate.startswith("23") else Error
    require_failure(kind, "on purpose", before=lambda: fail_with(sqlstate))


def test_a_lock_that_the_write_waits_for_in_vain_is_the_same_id_in_other_hands(require_failure):
    require_failure(RequestInProgress, beside=[write_failure("55P03")])


# No database at all


@contextmanager
def database_away(folder):
    """Nobody listens where the database was."""
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "HOST", str(folder))
        yield


@pytest.mark.parametrize("token_is_known", [True, False])
def test_without_a_database_every_request_is_answered_and_afterwards_served(
    service, account, tmp_path, token_is_known
):
    read = f"/api/v1/accounts/{account.id}/balance"
    body = {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "100.00"}
    if token_is_known:
        assert service.get(read).status_code == 200
    with database_away(tmp_path):
        require_problem(service.get(read), 503, "database_unavailable")
        require_problem(service.post("/api/v1/transactions", body), 503, "database_unavailable")
    assert service.post("/api/v1/transactions", body).status_code == 201
    require_one_deposit(account, Transaction.objects.get(id=body["id"]))
