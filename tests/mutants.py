"""Can the tests see the faults that matter? `make mutants` plants each, and names the test that saw it.

Each fault goes into a copy of the project. The test named for it passes on the project as it is, and must
fail on the copy. Exit code 1 if one does not.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from tests.servers import PROJECT

CONCURRENCY = "tests/transactions/test_concurrency.py::"
POSTING = "tests/transactions/test_posting.py::"
WORKED = "tests/test_worked_examples.py::"
SECONDS_MAX = 300
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".hypothesis", ".*_cache")


@dataclass(frozen=True)
class Mutant:
    """`old` in `file` becomes `new`, and `test` must see it."""

    name: str
    file: str
    old: str
    new: str
    test: str


MUTANTS = [
    Mutant(
        "no lock",
        "accounts/operations.py",
        'Account.objects.select_for_update(no_key=True, of=("self",))',
        "Account.objects",
        CONCURRENCY + "test_twenty_withdrawals_at_once_spend_the_balance_once",
    ),
    Mutant(
        "lock after read",
        "accounts/operations.py",
        """        cursor.execute(_compile_lock(len(wanted)), wanted)
        accounts = [Account.from_db(DEFAULT_DB_ALIAS, COLUMNS, row) for row in cursor.fetchall()]
""",
        """        cursor.execute(_compile_lock(len(wanted)).partition(" FOR ")[0], wanted)
        accounts = [Account.from_db(DEFAULT_DB_ALIAS, COLUMNS, row) for row in cursor.fetchall()]
        cursor.execute(_compile_lock(len(wanted)), wanted)
""",
        CONCURRENCY + "test_twenty_withdrawals_at_once_spend_the_balance_once",
    ),
    Mutant(
        "locks in no order",
        "accounts/operations.py",
        """    wanted = sorted(set(ids))
    with connection.cursor() as cursor:
        cursor.execute(_compile_lock(len(wanted)), wanted)
""",
        """    wanted = list(dict.fromkeys(ids))
    with connection.cursor() as cursor:
        for id in wanted:
            cursor.execute(_compile_lock(1), [id])
        cursor.execute(_compile_lock(len(wanted)), wanted)
""",
        CONCURRENCY
        + "test_lists_over_the_same_accounts_in_opposite_orders_never_wait_for_each_other_in_a_ring",
    ),
    Mutant(
        "clock before lock",
        "transactions/posting.py",
        "        accounts = operations.lock_accounts(order.account_id for order in open_orders)\n"
        "        seen = ledger_sql.look(ids)\n",
        "        seen = ledger_sql.look(ids)\n"
        "        accounts = operations.lock_accounts(order.account_id for order in open_orders)\n",
        CONCURRENCY + "test_an_answer_for_a_named_moment_stays_true_whatever_is_being_posted",
    ),
    Mutant(
        "no second look",
        "transactions/posting.py",
        "        decided = seen.decided\n",
        "",
        CONCURRENCY + "test_one_id_sent_24_times_at_once_is_decided_once",
    ),
    Mutant(
        "decline not recorded",
        "transactions/posting.py",
        "            new.append(row)\n            happened.append(_describe(row))\n",
        "            if row.version:\n                new.append(row)\n"
        "                happened.append(_describe(row))\n",
        WORKED + "test_a_declined_withdrawal_stays_declined_after_a_top_up",
    ),
    Mutant(
        "check without held",
        "accounts/models.py",
        "return self.balance - self.held + self.credit_limit",
        "return self.balance + self.credit_limit",
        POSTING + "test_what_is_held_or_lent_counts",
    ),
    Mutant(
        "id made by the server",
        "transactions/views.py",
        "order = Order(id=id, ",
        "import uuid\n\n        order = Order(id=uuid.uuid4(), ",
        WORKED + "test_the_story_of_the_original_service",
    ),
    Mutant(
        "guard trigger dropped",
        "transactions/migrations/0002_guards.py",
        "ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER balance_has_its_transactions;\n",
        "DROP TRIGGER balance_has_its_transactions ON accounts_account;\n",
        "tests/transactions/test_guards.py::test_a_balance_or_a_version_alone_is_refused",
    ),
    Mutant(
        "cursor off by one",
        "api/pagination.py",
        'Q(**{f"id__{beyond}": id})',
        'Q(**{f"id__{beyond}e": id})',
        "tests/api/test_lists.py::test_pages_are_newest_first_and_complete",
    ),
    Mutant(
        "past without its bound",
        "transactions/queries.py",
        "AND NOT late AND effective_at <= %(at)s",
        "AND NOT late AND effective_at < %(at)s",
        "tests/transactions/test_balances.py::test_both_bounds_are_inclusive",
    ),
    Mutant(
        "late withdrawals unchecked",
        "transactions/posting.py",
        "    if row.late:\n",
        "    if False:\n",
        WORKED + "test_a_withdrawal_from_before_the_deposit_is_declined_and_names_the_instant",
    ),
    Mutant(
        "a field out of the chain",
        "transactions/chain.py",
        "row.actor, row.request_id)",
        "row.actor)",
        POSTING + "test_the_chain_covers_every_field_of_every_row_in_order",
    ),
]


def run_tests(project: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """The outcome of the tests on that copy, with a database of its own."""
    own = {"DATABASE_URL", "SECRET_KEY", "CHAIN_KEY", "LEDGER_VAR"}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX
    )


def is_seen(mutant: Mutant) -> bool:
    """Plant the fault and run its test: 1 is pytest's exit code for a test that failed."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder) / "ledger"
        shutil.copytree(PROJECT, copy, ignore=NOT_COPIED)
        file = copy / mutant.file
        text = file.read_text()
        if text.count(mutant.old) != 1 or mutant.old == mutant.new:
            raise SystemExit(
                f"{mutant.name}: its line stands {text.count(mutant.old)} times in {mutant.file}"
            )
        file.write_text(text.replace(mutant.old, mutant.new))
        return run_tests(copy, mutant.test).returncode == 1


def main() -> int:
    wanted = sys.argv[1:]
    mutants = [mutant for mutant in MUTANTS if not wanted or mutant.name in wanted]
    sound = run_tests(PROJECT, *{mutant.test for mutant in mutants})
    if sound.returncode:
        raise SystemExit(f"Without any fault the tests fail already:\n{sound.stdout[-2000:]}")
    table = Table("planted fault", "where", Column("seen by", overflow="fold"))
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(is_seen, mutants))
    for mutant, seen in zip(mutants, outcomes, strict=True):
        table.add_row(mutant.name, mutant.file, mutant.test.rpartition("::")[2] if seen else "NOBODY")
    Console().print(table)
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
