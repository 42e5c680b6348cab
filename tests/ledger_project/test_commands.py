"""The commands, in a terminal's place."""

import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, Token, User
from tests.conftest import make_client
from tests.servers import PROJECT
from transactions.models import Transaction


def run(*arguments, **environment):
    variables = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env={**variables, **environment}, capture_output=True, text=True
    )


def test_the_database_is_started_and_stopped_by_itself(tmp_path):
    var = {"LEDGER_VAR": str(tmp_path / "var")}
    for arguments, status, says in [
        (("db", "status"), 3, "not running"),
        (("db", "start"), 0, "running"),
        (("migrate", "--verbosity=0"), 0, ""),
        (("issue_token", "svc", "--group", "api-post"), 0, ""),
        (("db", "status"), 0, "running"),
        (("db", "stop"), 0, "not running"),
        (("db", "stop"), 0, "not running"),
    ]:
        done = run(*arguments, **var)
        assert done.returncode == status, done.stderr
        assert says in done.stdout
    refused = run("db", "start", DATABASE_URL="postgres://x@localhost/x", **var)
    assert refused.returncode == 1
    assert "DATABASE_URL is set" in refused.stderr


def test_any_other_command_without_a_database_says_in_one_line_what_to_run(tmp_path):
    for arguments in (("issue_token", "x"), ("migrate",), ("seed_demo",)):
        done = run(*arguments, LEDGER_VAR=str(tmp_path / "var"))
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "make run" in done.stderr
        away = run(*arguments, DATABASE_URL="postgres://nobody@127.0.0.1:1/x", LEDGER_VAR=str(tmp_path))
        assert away.returncode == 1
        assert "The database of DATABASE_URL does not answer" in away.stderr
        assert "Traceback" not in away.stderr


def test_with_a_database_of_its_own_secrets_must_be_given(tmp_path, monkeypatch):
    for name in ("SECRET_KEY", "CHAIN_KEY"):
        monkeypatch.delenv(name)
    done = run("check", DATABASE_URL="postgres://x@localhost/x", LEDGER_VAR=str(tmp_path))
    assert done.returncode == 1
    assert "SECRET_KEY" in done.stderr


@pytest.mark.django_db
def test_a_token_alone_goes_to_stdout(capsys):
    call_command("issue_token", "shop", group=["api-post"])
    token = capsys.readouterr().out
    assert token.count("\n") == 1
    client = make_client(user=User.objects.get(username="shop"))
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token.strip()}")
    assert client.get("/api/v1/users").status_code == 200
    call_command("issue_token", "shop")
    assert User.objects.filter(username="shop").count() == 1
    assert Token.objects.filter(user__username="shop").count() == 3


@pytest.mark.django_db
def test_a_token_for_a_group_that_is_not_there_is_refused_by_name():
    with pytest.raises(CommandError, match="api-poster"):
        call_command("issue_token", "shop", group=["api-poster"])
    with pytest.raises(CommandError, match="days"):
        call_command("issue_token", "shop", days=0)
    assert not User.objects.filter(username="shop").exists()


@pytest.mark.django_db
def test_an_account_holder_gets_a_token_by_id(petya, capsys):
    call_command("issue_token", str(petya.id))
    token = capsys.readouterr().out.strip()
    client = make_client(user=petya)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert [user["id"] for user in client.get("/api/v1/users").json()["results"]] == [str(petya.id)]


@pytest.mark.django_db
def test_demo_data_go_through_the_engine(capsys):
    call_command("seed_demo", users=5, transactions=700)
    assert "posted" in capsys.readouterr().out
    assert Transaction.objects.filter(reference__startswith="demo ").count() == 700
    for account in Account.objects.all():
        rows = Transaction.objects.filter(account=account, status="POSTED")
        assert sum(row.change for row in rows) == account.balance >= 0
