"""The load of many kinds of users: what it sees of a service, and what it would see of a wrong one."""

import subprocess
import sys
from copy import deepcopy

import pytest

from benchmarks.told import Told, find_wrongs
from rest.lists import KeysetPagination
from tests.cast import issue_token
from tests.servers import PROJECT

KINDS = ("Payer", "Shopper", "Campaign", "Bookkeeper", "Analyst", "Clerk")
DEPOSIT = {"id": "1", "account": "a", "type": "DEPOSIT", "amount": "5.00", "transfer": None}
LEG = {"id": "2", "account": "a", "type": "WITHDRAW", "amount": "5.00", "transfer": "2"}
TRANSACTIONS = [
    {**DEPOSIT, "status": "POSTED"},
    {**LEG, "status": "DECLINED"},
    {**LEG, "id": "3", "account": "b", "type": "DEPOSIT", "status": "DECLINED"},
    {**DEPOSIT, "id": "5", "type": "WITHDRAW", "status": "POSTED"},
]
HOLDS = [{"id": "4", "account": "a", "amount": "5.00"}]


def hear_all():
    told = Told()
    told.hear("/transactions", DEPOSIT, 201, DEPOSIT)
    told.hear(
        "/transfers", {"id": "2", "source": "a", "destination": "b", "amount": "5.00"}, 402, {"id": "2"}
    )
    told.hear("/holds", HOLDS[0], 201, HOLDS[0])
    told.hear("/holds/4/capture", {"id": "5", "amount": "5.00", "account": "a"}, 201, {"id": "5"})
    told.hear("/transactions", {**DEPOSIT, "id": "6"}, 422, {"code": "amount_scale"})  # refused: no row
    return told


def test_a_ledger_that_is_what_was_told_has_nothing_wrong():
    assert list(find_wrongs(hear_all(), TRANSACTIONS, HOLDS)) == []


def test_of_whoever_got_no_answer_it_is_said():
    told = hear_all()
    told.unknown.append("7")
    assert list(find_wrongs(told, TRANSACTIONS, HOLDS)) == ["7 never got an answer"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda rows: rows.pop(0), "1 was told and is lost", id="lost"),
        pytest.param(lambda rows: rows.append(rows[0]), "1 is there twice", id="doubled"),
        pytest.param(lambda rows: rows.append({**rows[0], "id": "9"}), "nobody was told", id="unasked"),
        pytest.param(lambda rows: rows[0].update(amount="5.01"), "was told as", id="another amount"),
        pytest.param(lambda rows: rows[2].update(status="POSTED"), "was told as", id="half of a transfer"),
    ],
)
def test_a_row_that_is_not_what_was_told_is_found(change, words):
    rows = deepcopy(TRANSACTIONS)
    change(rows)
    assert any(words in wrong for wrong in find_wrongs(hear_all(), rows, HOLDS))


def test_a_hold_that_is_lost_is_found():
    assert list(find_wrongs(hear_all(), TRANSACTIONS, [])) == ["hold 4 was told and is lost"]


def run_users(*arguments):
    command = [sys.executable, "-m", "benchmarks", "users", "--users", "20", "--minutes", "0.1", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)


@pytest.mark.drill
@pytest.mark.serve
def test_every_kind_of_user_is_served_and_the_books_are_right():
    run = run_users()
    assert run.returncode == 0, run.stdout + run.stderr
    for kind in (*KINDS, "Support"):
        assert f"{kind}: " in run.stdout
    assert " 0 failures; " in run.stdout
    assert " 0 of them wrong." in run.stdout
    assert "every balance is proven" in run.stdout


@pytest.mark.drill
@pytest.mark.serve
@pytest.mark.django_db(transaction=True)
def test_of_a_service_elsewhere_that_hides_a_row_of_each_list_it_is_said(live_server, tmp_path, monkeypatch):
    token = tmp_path / "token"
    token.write_text(issue_token("api-admin"))
    whole = KeysetPagination.get_paginated_response
    monkeypatch.setattr(KeysetPagination, "get_paginated_response", lambda self, data: whole(self, data[1:]))
    run = run_users("--url", live_server.url, "--token-file", str(token))
    assert run.returncode == 1, run.stdout + run.stderr
    assert "is lost" in run.stdout
    assert "Support: " not in run.stdout
