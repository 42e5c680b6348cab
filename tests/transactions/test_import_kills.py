"""An import that is killed is run again; a large one needs no more memory than a small one.

`LEDGER_ROWS` makes the large one larger; `make soak` asks for a million rows.
"""

import os
import random
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from django.db import connection

from accounts.models import Account, User
from tests.servers import PROJECT
from tests.transactions.conftest import make_history
from transactions.models import Transaction

ROWS = int(os.environ.get("LEDGER_ROWS", "5000"))
# The command in a process of its own, which says in the end how much memory it had at most, in kB.
PROGRAM = """
import re, sys
from django.core.management import execute_from_command_line
try:
    execute_from_command_line(sys.argv)
finally:
    print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1], file=sys.__stdout__)
"""


def find_database():
    at = connection.settings_dict
    where = f"/{at['HOST']}" if at["HOST"].startswith("/") else f"{at['HOST']}:{at['PORT'] or 5432}"
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{where}/{at['NAME']}"


def start(path, *options):
    """Import on the database of the test."""
    arguments = ["-c", PROGRAM, "import_transactions", path, "--source", "old", "--create-users", *options]
    arguments.append("--allow-declines")
    environment = {**os.environ, "DATABASE_URL": find_database()}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.mark.django_db(transaction=True)
def test_whatever_kills_it_the_next_run_does_what_is_left(write, run):
    chance = random.Random(7)
    rows = make_history(chance, [f"user-{number}" for number in range(50)], 6000)
    path = write(rows)
    kills = 0
    for wanted in (1, 1500, 3500):
        process = start(path)
        while Transaction.objects.count() < wanted and process.poll() is None:
            time.sleep(0.01)
        if process.poll() is None:
            time.sleep(chance.random() * 0.1)
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.communicate()
    written = Transaction.objects.count()
    assert kills == 3
    assert 0 < written < len(rows)
    run(path, 1, create_users=True, allow_declines=True)
    assert Transaction.objects.count() == len(rows)
    assert User.objects.filter(external_id__startswith="user-").count() == 50
    for account in Account.objects.filter(version__gt=0):
        posted = Transaction.objects.filter(account=account, status="POSTED").order_by("version")
        assert sum(row.change for row in posted) == account.balance >= 0
        assert all(one.effective_at <= next.effective_at for one, next in pairwise(posted))


def measure(path):
    """The most memory that importing the file takes, in MB."""
    process = start(path)
    said = process.communicate()[0].decode()
    assert process.returncode in (0, 1), said
    return int(said.split()[-1]) / 1024


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(0)
def test_a_large_file_needs_no_more_memory_than_a_small_one(write):
    names = [f"user-{number}" for number in range(max(10, ROWS // 100))]
    chance = random.Random(3)
    small = measure(write(make_history(chance, names, 1000)))
    large = measure(write([(f"more {key}", *row) for key, *row in make_history(chance, names, ROWS)]))
    print(f"{small:.0f} MB for 1,000 rows, {large:.0f} MB for {ROWS:,}")  # noqa: T201
    assert large < small + 25
