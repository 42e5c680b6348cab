"""Corrections, many at once in real threads: decided once, posted once, and never past the limit."""

import os
import subprocess
import sys

import pytest
from django.db.models import F

from accounts.errors import IdempotencyKeyReused
from tests.cast import deposit, new_id
from tests.servers import PROJECT
from tests.transactions.correcting import (
    POSTED,
    WAITING,
    adjust,
    approve,
    balance,
    reject,
    reverse_all,
    status,
)
from tests.transactions.test_concurrency import require_sound, run_at_once
from tests.transactions.test_import_kills import find_database
from transactions.errors import CorrectionDecided
from transactions.models import Correction, derive_item_id

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("limits")]


def test_of_two_approvals_at_once_one_posts(account, maker, checker):
    made = adjust(account, maker, "500")
    answers = run_at_once(*[lambda: approve(made, checker)] * 4)
    assert sorted(type(answer).__name__ for answer in answers) == ["Correction"] + ["CorrectionDecided"] * 3
    assert balance(account) == 500
    require_sound(account)


def test_of_an_approval_and_a_rejection_at_once_one_counts(account, maker, checker):
    deposit(account, "1")  # so that there is a row, even if all of them are rejected
    for _ in range(5):
        before = balance(account)
        made = adjust(account, maker, "500")
        answers = run_at_once(lambda id=made: approve(id, checker), lambda id=made: reject(id, maker))
        assert sum(isinstance(answer, CorrectionDecided) for answer in answers) == 1
        assert balance(account) - before == (500 if status(made) == POSTED else 0)
    require_sound(account)


def test_two_small_ones_at_once_do_not_pass_the_limit_together(account, maker):
    answers = run_at_once(*[lambda: adjust(account, maker, "60")] * 4)
    assert sorted(answer.status for answer in answers) == [POSTED] + [WAITING] * 3
    assert balance(account) == 60


def test_the_same_form_sent_at_once_is_posted_once(account, maker, checker):
    id = new_id()
    answers = run_at_once(
        *[lambda: adjust(account, maker, id=id)] * 3, lambda: adjust(account, checker, id=id)
    )
    refused = [answer for answer in answers if isinstance(answer, IdempotencyKeyReused)]
    assert len(refused) in (1, 3)  # one maker's form is everybody else's refusal
    assert (Correction.objects.count(), balance(account)) == (1, 10)
    assert not Correction.objects.filter(checker=F("maker")).exists()


def test_of_two_approvals_of_a_list_at_once_one_posts_all_of_it(account, maker, checker):
    made = reverse_all([deposit(account, "60"), deposit(account, "70")], maker)
    answers = run_at_once(*[lambda id=each: approve(id, checker) for each in (*made, *made)])
    assert sorted(type(answer).__name__ for answer in answers) == ["Correction"] + ["CorrectionDecided"] * 3
    assert balance(account) == 0
    require_sound(account)


def test_the_same_list_sent_at_once_is_posted_once(account, maker):
    rows, id = [deposit(account, "30"), deposit(account, "40")], new_id()
    answers = run_at_once(*[lambda: reverse_all(rows, maker, id=id)] * 4)
    assert {tuple(each.id for each in made) for made in answers} == {tuple(made.id for made in answers[0])}
    assert {each.status for made in answers for each in made} == {POSTED}
    assert (Correction.objects.count(), balance(account)) == (2, 0)
    require_sound(account)


KILLED = """
import os, sys, uuid
import django
django.setup()
from ledger.callers import ActorKind, Caller
from transactions import corrections
from transactions.corrections import deciding
at, id, maker, rows = sys.argv[1], *map(str, sys.argv[2:4]), sys.argv[4:]
real = getattr(deciding, at)
def die(*asked, **how):
    if at != "_decide":
        real(*asked, **how)
    os._exit(9)
setattr(deciding, at, die)
corrections.reverse_all(id=uuid.UUID(id), transaction_ids=[uuid.UUID(row) for row in rows],
    reason="a file sent twice", caller=Caller(uuid.UUID(maker), ActorKind.STAFF, "test"))
"""


@pytest.mark.parametrize("at", ["_decide", "_post", "record_making"])
def test_killed_in_the_middle_nothing_is_there_and_sent_again_all_of_it_is(account, maker, at):
    rows, id = [deposit(account, "30"), deposit(account, "40")], new_id()
    arguments = [at, str(id), str(maker.id), *(str(row.id) for row in rows)]
    environment = {**os.environ, "DATABASE_URL": find_database(), "APPROVAL_ABOVE": "USD=100"}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], cwd=PROJECT, env=environment, check=False
    )
    assert killed.returncode == 9
    assert (Correction.objects.count(), balance(account)) == (0, 70)
    made = reverse_all(rows, maker, id=id)
    assert [each.id for each in made] == [derive_item_id(id, place) for place in range(2)]
    assert ({each.status for each in made}, balance(account)) == ({POSTED}, 0)
    require_sound(account)
