"""What leaves the ledger: statements as the API gives them, a journal that hledger adds up to the same."""

import csv
import io
import json
import os
import random
import subprocess
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import pytest

from accounts import operations
from accounts.models import Account
from tests import asking
from tests.cast import CALLER, UserFactory, day, deposit, hold, new_id, transfer, withdraw
from tests.programs import require
from tests.transactions.test_concurrency import run_at_once
from transactions.exchange import exports
from transactions.models import Transaction, derive_destination_id
from transactions.posting.commands import Reversal
from transactions.reading import queries

NAMES = (
    "main",
    "two  spaces",
    "a;b",
    "a:b",
    "a::b",
    "(x)",
    "naïve ☃ 日本",
    "50% = *!",
    "line break|",
    "a%3Ab",
)
REFERENCES = (
    "",
    "invoice 7",
    "rent; ; comment",
    "one line, \"quoted\" 'and' {braces}    outside  999 USD",
    "date:1999-01-01, date2:1999-01-01",
    "[1999-01-01] (1999-01-01=2000-01-01)",
    "spaces  at  no ends",
    "ünïcödé\u00a0日本 שלום ☃ 50%20",
    "= 0.00 USD  2020-01-01 x    a  1 USD    b",
)


@pytest.fixture(scope="module")
def hledger():
    """Run Debian's hledger on a journal, strictly; its output."""
    program = require("hledger", "hledger")

    def run(journal, *arguments):
        done = subprocess.run(
            [program, "--strict", "-f", journal, *arguments],
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def read_balances(hledger, journal, *arguments):
    """By account and currency, as hledger works them out."""
    table = csv.reader(io.StringIO(hledger(journal, "balance", "-N", "--flat", "-O", "csv", *arguments)))
    next(table)
    balances = {}
    for account, cell in table:
        for amount in cell.split(", "):
            number, currency = amount.split(" ") if " " in amount else (amount, "")
            if Decimal(number):
                balances[account, currency.strip('"')] = Decimal(number)
    return balances


def ask_api(reader, at=None):
    """The same, as the API answers."""
    balances = Counter()
    for account in Account.objects.all():
        answer = reader.get(f"/api/v1/accounts/{account.id}/balance", {"at": at} if at else {})
        balance = Decimal(answer.json()["balance"])
        balances["outside", account.currency] -= balance
        balances[exports.name_account(account.user_id, account.currency, account.name), account.currency] = (
            balance
        )
    return {account: balance for account, balance in balances.items() if balance}


def open_accounts():
    """Some of each currency, all with awkward names."""
    accounts = []
    for number, name in enumerate(NAMES):
        currency = ("USD", "JPY", "BHD")[number % 3]
        account, _ = operations.create_account(
            user_id=UserFactory().id, currency=currency, name=name, caller=CALLER
        )
        deposit(account, "300", effective_at=day("2023-01-01"))
        accounts.append(account)
    return accounts


def make_history(chance, accounts):
    """Late rows, transfers, captures, reversals and declines, many at the same moment; ids in no order."""
    decided = [deposit(accounts[0], "1")]
    for _ in range(250):
        account, amount = chance.choice(accounts), str(chance.randint(1, 200))
        asked = {
            "effective_at": day("2023-01-01") + timedelta(hours=6 * chance.randrange(4 * 30)),
            "reference": chance.choice(REFERENCES),
        }
        match chance.choice(["move", "move", "move", "transfer", "transfer", "capture", "reversal"]):
            case "move":
                move = chance.choice([deposit, withdraw, withdraw])
                decided.append(move(account, amount, id=uuid4(), **asked))
            case "transfer":
                others = [a for a in accounts if a.currency == account.currency and a.id != account.id]
                decided.append(transfer(account, chance.choice(others), amount, **asked))
            case "capture":
                asking.ask(asking.capture_of(hold(account, amount), Decimal(1)))
            case "reversal":
                row = chance.choice(decided)
                if row.status == "POSTED":
                    rows = queries.find_whole(Transaction.objects.all(), row.id)
                    asking.ask(Reversal(id=new_id(), reason="test", rows=rows))


@pytest.fixture
def export(command, tmp_path):
    def export(**options):
        path = tmp_path / "ledger.journal"
        command(0, "export_journal", output=str(path), **options)
        return str(path)

    return export


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_hledger_works_out_the_balances_that_the_api_shows(hledger, export, reader, seed):
    chance = random.Random(seed)
    make_history(chance, open_accounts())
    kinds = Transaction.objects.filter(status="POSTED")
    assert kinds.filter(late=True).count() > 20
    assert all(kinds.exclude(**{kind: None}).exists() for kind in ("transfer", "reverses", "hold"))
    journal = export()
    assert read_balances(hledger, journal) == ask_api(reader)
    for number in chance.sample(range(30), 5):
        on, after = (str(date(2023, 1, 1) + timedelta(days=number + more)) for more in (0, 1))
        assert read_balances(hledger, journal, "-e", after) == ask_api(reader, at=on)
    # A part of it has the balances of all of it: what was before is in its opening balances.
    part = export(**{"from": "2023-01-10", "to": "2023-01-20"})
    assert read_balances(hledger, part) == ask_api(reader, at="2023-01-20")
    assert read_balances(hledger, part, "-e", "2023-01-10") == ask_api(reader, at="2023-01-09")


@pytest.mark.django_db(transaction=True)
def test_hledger_agrees_on_the_demo_data(hledger, export, reader, command):
    command(0, "seed_demo", users=5, transactions=500)
    assert read_balances(hledger, export()) == ask_api(reader)


@pytest.mark.django_db(transaction=True)
def test_every_id_and_every_reference_can_be_read_back(hledger, export):
    make_history(random.Random(1), open_accounts())
    journal = export()
    wanted, seen = {}, {}
    for row in Transaction.objects.filter(status="POSTED"):
        wanted[str(row.id)] = (row.effective_at.isoformat(timespec="microseconds")[:-6] + "Z", row.reference)
    for transaction in json.loads(hledger(journal, "print", "-O", "json")):
        tags = dict(transaction["ttags"])
        for entry in transaction["tpostings"]:
            if own := dict(entry["ptags"]):
                seen[own["transaction"]] = (tags["effective_at"], unquote(tags.get("reference", "")))
    assert seen == wanted


@pytest.mark.django_db(transaction=True)
def test_hledger_finds_a_journal_that_was_changed(hledger, export, tmp_path):
    account = open_accounts()[0]
    withdraw(account, "20", effective_at=day("2023-01-05"))
    deposit(account, "7", effective_at=day("2023-01-03"))
    text = Path(export()).read_text()
    assert "  7.00 USD = 307.00 USD  ;" in text
    assert "  -20.00 USD = 287.00 USD  ;" in text
    changed = tmp_path / "changed.journal"
    changed.write_text(text.replace("  7.00 USD =", "  8.00 USD =").replace("  -7.00 USD", "  -8.00 USD"))
    with pytest.raises(AssertionError, match="balance assertion"):
        hledger(str(changed), "balance")


@pytest.mark.django_db(transaction=True)
def test_a_transfer_is_one_transaction_of_both_accounts(export):
    accounts = open_accounts()
    row = transfer(accounts[0], accounts[3], "5", effective_at=day("2023-01-05"), reference="a, b")
    block = Path(export()).read_text().split("\n\n")[-1]
    assert block.splitlines() == [
        "2023-01-05 TRANSFER  ; effective_at:2023-01-05T00:00:00.000000Z, "
        f"transfer:{row.id}, reference:a%2C b",
        f"    users:{accounts[0].user_id}:USD:main  -5.00 USD = 295.00 USD  ; transaction:{row.id}",
        f"    users:{accounts[3].user_id}:USD:a%3Ab  5.00 USD = 305.00 USD  ; "
        f"transaction:{derive_destination_id(row.id)}",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_journal_is_of_one_moment_whatever_is_posted_meanwhile(monkeypatch):
    monkeypatch.setattr(exports, "ROWS_AT_ONCE", 2)
    accounts = open_accounts()
    for _ in range(20):
        deposit(accounts[0], "1", effective_at=day("2023-01-02"))

    pieces = exports.write_journal()
    begun = [next(pieces)]
    for account, at in ((accounts[0], day("2023-01-03")), (accounts[1], day("2023-01-01"))):
        run_at_once(partial(deposit, account, "1000", effective_at=at))
    text = "".join([*begun, *pieces])
    assert "1000.00 USD = " not in text
    assert text.count("\n2023-") == 30
    assert "1000.00 USD = " in "".join(exports.write_journal())


@pytest.mark.django_db
def test_a_statement_is_the_one_of_the_api(command, reader, account, tmp_path):
    deposit(account, "100", effective_at=day("2023-01-31T23:30"), reference="=1+1")
    withdraw(account, "30", effective_at=day("2023-02-02"), reference='a, "b"; c')
    for zone in ("UTC", "Europe/Berlin"):
        query = {"from": "2023-02-01", "to": "2023-02-28", "tz": zone}
        answer = reader.get(f"/api/v1/accounts/{account.id}/statement", query, headers={"Accept": "text/csv"})
        path = tmp_path / "statement.csv"
        asked = [f"--account={account.id}", *(f"--{name}={value}" for name, value in query.items())]
        command(0, "export_statement", *asked, f"--output={path}")
        said = command(0, "export_statement", *asked)
        assert path.read_bytes() == said.encode() == answer.content


@pytest.mark.django_db
def test_what_cannot_be_exported_is_said(command, account, tmp_path):
    days = ["--from=2023-02-01", "--to=2023-02-28"]
    assert "no such account" in command(2, "export_statement", f"--account={new_id()}", *days)
    account = f"--account={account.id}"
    for wrong, says in [
        (["--from=x", days[1]], "--from: Not a day"),
        (["--from=2023-03-01", days[1]], "The last day is before the first."),
        ([*days, "--tz=Mars/Base"], "--tz: Not the name of a time zone"),
        ([*days, "--output=/nowhere/x.csv"], "No such file"),
    ]:
        assert says in command(2, "export_statement", account, *wrong)
    assert "--to: Not a day" in command(2, "export_journal", to="x")
    assert "before the first" in command(2, "export_journal", **{"from": "2023-02-02", "to": "2023-02-01"})


@pytest.mark.django_db(transaction=True)
def test_a_file_is_replaced_when_the_new_one_is_whole(command, tmp_path, monkeypatch):
    open_accounts()
    path = tmp_path / "ledger.journal"
    path.write_text("of yesterday")

    def fail(entries):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(exports, "_write_transaction", fail)
    with pytest.raises(RuntimeError):
        command(0, "export_journal", output=str(path))
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [
        ("ledger.journal", "of yesterday")
    ]
