"""Files for the commands of this package, and the commands as a terminal runs them."""

import csv
import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.cast import UserFactory, day
from tests.office.staff import make_staff

COLUMNS = ("key", "external_id", "type", "amount", "effective_at", "reference")


@pytest.fixture
def anna(db):
    return UserFactory(name="Anna", external_id="anna").accounts.get()


@pytest.fixture
def write(tmp_path):
    def write(rows, columns=COLUMNS, name="rows.csv"):
        path = tmp_path / name
        if isinstance(rows, str | bytes):
            path.write_bytes(rows if isinstance(rows, bytes) else rows.encode())
        elif name.endswith(".jsonl"):
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            with path.open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerows([columns, *rows])
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
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
        yield
        cursor.execute("RESET lock_timeout")
