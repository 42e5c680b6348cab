"""Corrections, many at once in real threads: decided once, posted once, and never past the limit."""

import pytest
from django.db.models import F

from accounts.errors import IdempotencyKeyReused
from tests.cast import deposit, new_id
from tests.transactions.correcting import POSTED, WAITING, adjust, approve, balance, reject, status
from tests.transactions.test_concurrency import require_sound, run_at_once
from transactions.errors import CorrectionDecided
from transactions.models import Correction

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
