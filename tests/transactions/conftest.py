"""Files for the commands of this package, and the commands as a terminal runs them."""

import csv
import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.cast import UserFactory, day, new_id
from tests.database import execute
from tests.office.staff import make_staff
from tests.roles import commanding
from transactions.proof import audit
from transactions.reading import statistics

COLUMNS = ("key", "external_id", "type", "amount", "effective_at", "reference")


@pytest.fixture
def anna(db):
    return UserFactory(name="Anna", external_id="anna").accounts.get()


@pytest.fixture
def write(tmp_path):
    def write(rows, columns=COLUMNS, name="rows.csv"):
        path = tmp_path / name
        if isinstance(rows, bytes):
            path.write_bytes(rows)
        elif name.endswith(".jsonl"):
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            with path.open("w", newline="") as file:
                csv.writer(file).writerows([columns, *rows])
        return str(path)

    return write


@pytest.fixture
def command(capfd):
    """Run a command that ends with that status; all that it says."""

    def run(status, name, *arguments, **options):
        try:
            call_command(name, *arguments, **options)
            ended, detail = 0, ""
        except CommandError as error:
            ended, detail = error.returncode, str(error)
        said = "".join(capfd.readouterr()) + detail
        assert ended == status, said
        return said

    return run


def run_command(name, *arguments):
    """The exit status of a command that ends by itself, and what it prints."""
    output = StringIO()
    try:
        call_command(name, *arguments, stdout=output, stderr=output)
    except SystemExit as end:
        return end.code, output.getvalue()
    return 0, output.getvalue()


@pytest.fixture
def run(command):
    """Import a file."""

    def run(path, status, source="old", **options):
        return command(status, "import_transactions", path, source=source, **options)

    return run


def make_history(chance, names, count):
    """By chance, out of order, with withdrawals that are not covered and some without a moment."""
    rows = []
    for number in range(count):
        moment = day("2023-01-01") + timedelta(hours=chance.randrange(24 * 200))
        rows.append(
            (
                number,
                chance.choice(names),
                chance.choice(["DEPOSIT", "WITHDRAW"]),
                f"{chance.randint(1, 5000) / 100:.2f}",
                "" if chance.random() < 0.05 else moment.isoformat(),
                f"row {number}",
            )
        )
    return rows


@pytest.fixture
def maker(db):
    """Somebody who corrects."""
    return make_staff("operations")


@pytest.fixture
def checker(db):
    """Somebody else, who approves."""
    return make_staff("operations")


@pytest.fixture
def limits(settings):
    settings.APPROVAL_ABOVE = {"USD": Decimal(100), "JPY": Decimal(1000)}


@pytest.fixture
def impatient():
    """Whoever waits for a lock gives up soon."""
    execute("SET lock_timeout = '100ms'")
    yield
    execute("RESET lock_timeout")


@pytest.fixture
def small_steps(monkeypatch):
    """The figures are counted with few rows a slice, and wait for nothing but postings in flight."""
    monkeypatch.setattr(statistics, "ROWS", 3)
    monkeypatch.setattr(statistics, "SETTLED_AFTER", timedelta(0))


def require_clean():
    """An audit of everything finds nothing."""
    with commanding():
        result, _ = audit.run(audit.Scope())
    assert result.findings == []


@pytest.fixture
def reverse(service):
    """Takes a transaction back, or a part of it."""

    def send(pk, amount=None, **changes):
        asked = {"id": str(new_id()), "reason": "a mistake", "amount": amount, **changes}
        body = {name: value for name, value in asked.items() if value is not None}
        return service.post(f"/api/v1/transactions/{pk}/reverse", body)

    return send
