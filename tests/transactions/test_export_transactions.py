"""What `export_transactions` writes is read back into an empty ledger, to equal balances at every moment."""

import csv
import json
import re
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from accounts.models import Account
from tests.cast import UserFactory, day, deposit, new_id, withdraw
from tests.database import empty_the_ledger
from tests.roles import commanding
from tests.transactions.conftest import require_clean
from tests.transactions.test_export import make_history, open_accounts
from transactions import reading
from transactions.exchange import movements
from transactions.models import Transaction, derive_destination_id

pytestmark = pytest.mark.django_db(transaction=True)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def export(command, tmp_path):
    def export(name="movements.csv", status=0, **options):
        path = tmp_path / name
        said = command(
            status, "export_transactions", output=str(path), format=path.suffix.removeprefix("."), **options
        )
        return said if status else str(path)

    return export


@pytest.fixture
def read_back(command):
    def read_back(path, **options):
        return command(0, "import_transactions", path, create_users=True, **options)

    return read_back


def list_rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def name_accounts():
    accounts = Account.objects.filter(version__gt=0).select_related("user")
    return {account.id: (account.user_id, account.currency, account.name) for account in accounts}


def read_balances(moments):
    """By account, whatever its id is, and moment; None is now."""
    names = name_accounts()
    wanted = [(id, at, None) for id in names for at in moments]
    return {
        (names[id], at): balance.balance
        for (id, at, _), (balance, _) in reading.read_balances_at(wanted).items()
    }


def list_moments():
    """When anything took effect, and right before."""
    found = Transaction.objects.filter(status="POSTED").values_list("effective_at", flat=True).distinct()
    return [None, *(at - before for at in found for before in (0 * MICROSECOND, MICROSECOND))]


@pytest.mark.parametrize("name", ["movements.csv", "movements.jsonl"])
def test_an_empty_ledger_that_reads_it_has_equal_balances_at_every_moment(export, read_back, name):
    chance = Random(11)
    accounts = open_accounts()
    UserFactory(external_id="ana-1", name='Ana "A", Lima')
    deposit(Account.objects.get(user__external_id="ana-1"), "3", metadata={"a": 'b, "c"\n', "d": ""})
    withdraw(accounts[1], "100000")  # declined
    make_history(chance, accounts)
    kinds = Transaction.objects.filter(status="POSTED")
    assert all(kinds.exclude(**{kind: None}).exists() for kind in ("transfer", "reverses", "hold"))
    assert kinds.filter(late=True).count() > 20
    path = export(name)
    moments = list_moments()
    before = read_balances(moments)
    lines = sorted(Path(path).read_text().splitlines())
    empty_the_ledger()
    read_back(path)
    assert read_balances(moments) == before
    assert Account.objects.get(user__external_id="ana-1").user.name == 'Ana "A", Lima'
    require_clean()
    # It says the same of what it has read, id by id; and reading it once more changes nothing.
    assert sorted(Path(export(name)).read_text().splitlines()) == lines
    assert re.search(rf"│ {Transaction.objects.count()} +│ there already, posted", read_back(path))
    assert read_balances(moments) == before


def test_only_what_is_new_comes_after_a_position(export, read_back, tmp_path):
    account, position = open_accounts()[0], str(tmp_path / "position")
    first = export("first.csv", position=position)
    rows = [deposit(account, "5", effective_at=day("2023-02-01")), withdraw(account, "7")]
    withdraw(account, "100000")  # declined
    second = export("second.jsonl", position=position)
    said = [json.loads(line)["id"] for line in Path(second).read_text().splitlines()]
    assert said == [str(row.id) for row in rows]
    third = export("third.csv", position=position)
    assert list_rows(third) == []
    moments = list_moments()
    before = read_balances(moments)
    empty_the_ledger()
    for path in (first, second):
        read_back(path)
    assert "0    │ posted" in read_back(third, allow_empty=True)
    assert read_balances(moments) == before


def test_what_is_posted_while_it_begins_comes_with_the_next_one_too(export, read_back, tmp_path, monkeypatch):
    account, position = open_accounts()[0], str(tmp_path / "position")
    read_all = movements.read_all

    def post_then_read():
        deposit(account, "5")
        return read_all()

    monkeypatch.setattr(movements, "read_all", post_then_read)
    first = export("first.csv", position=position)
    monkeypatch.undo()
    second = export("second.csv", position=position)
    [again] = list_rows(second)
    assert again["id"] in Path(first).read_text()
    empty_the_ledger()
    read_back(first)
    assert "1    │ there already, posted" in read_back(second)


def test_an_export_that_fails_keeps_the_position_of_the_last(export, tmp_path, monkeypatch):
    account, position = open_accounts()[0], tmp_path / "position"
    export(position=str(position))
    kept = position.read_text()
    row = deposit(account, "5")

    def fail(values):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(movements, "_describe", fail)
    with pytest.raises(RuntimeError):
        export(position=str(position))
    monkeypatch.undo()
    assert position.read_text() == kept
    assert str(row.id) in Path(export(position=str(position))).read_text()


def test_a_position_that_leads_nowhere_is_said(export, command, tmp_path):
    open_accounts()
    position = tmp_path / "position"
    export(position=str(position))
    with commanding():
        command(0, "new_feed_epoch", force=True)
    assert "another epoch of the feed. Without the file of the position" in export(
        status=2, position=str(position)
    )
    position.write_text("yesterday\n")
    assert "position is not of an export of this ledger." in export(status=2, position=str(position))
    assert "Is a directory" in export(status=2, position=str(tmp_path))


def test_the_other_leg_of_a_transfer_that_was_brought_in_alone_keeps_its_id(service, command, write):
    source, destination = open_accounts()[0:4:3]
    id = new_id()
    columns = ("id", "account", "type", "amount")
    path = write([(derive_destination_id(id), destination.id, "DEPOSIT", "5")], columns)
    command(0, "import_transactions", path)
    body = {"id": str(id), "source": str(source.id), "destination": str(destination.id), "amount": "5.00"}
    answer = service.post("/api/v1/transfers", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
