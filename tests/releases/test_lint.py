"""Migrations after the first ones are read by squawk: what would hold up a table in use is found."""

import re
import subprocess
import sys

import pytest

from tests.releases.next_release import APP, STEPS, make_copy, plant

# Operations that no release may have, with the rule that finds each.
FORBIDDEN = {
    "index_of_all": (
        'migrations.AddIndex("transaction", models.Index(fields=["amount"], name="transaction_by_amount"))',
        "require-concurrent-index-creation",
    ),
    "constraint_at_once": (
        'migrations.AddConstraint("transaction", models.CheckConstraint('
        'condition=models.Q(amount__gt=0), name="transaction_amount_is_positive"))',
        "constraint-missing-not-valid",
    ),
    "not_null_with_a_default_for_each_row": (
        'migrations.AddField("transaction", "nonce",'
        ' models.UUIDField(db_default=models.Func(function="gen_random_uuid")))',
        "adding-field-with-default",
    ),
    "required_of_the_release_before": (
        'migrations.AddField("transaction", "place", models.CharField(max_length=20, default="web"))',
        "required-column-without-db-default",
    ),
    "another_name": ('migrations.RenameField("transaction", "reference", "memo")', "renaming-column"),
    "another_name_of_all": ('migrations.RenameModel("HourlyTotal", "Total")', "renaming-table"),
    "another_type": (
        'migrations.AlterField("transaction", "version", models.IntegerField(null=True))',
        "changing-column-type",
    ),
    "null_no_more": (
        'migrations.AlterField("transaction", "transfer", models.UUIDField())',
        "adding-not-nullable-field",
    ),
    "a_column_less": ('migrations.RemoveField("transaction", "hold")', "ban-drop-column"),
}


def run_lint(copy):
    run = subprocess.run(
        [sys.executable, "-m", "tests.releases.lint"], cwd=copy, capture_output=True, text=True
    )
    found = re.findall(rf"/{APP}\.\d{{4}}_(\w+)\.sql:\d+:\d+: \w+: (\S+)", run.stdout)
    return run, found


def test_the_first_migrations_are_not_looked_at_and_need_no_database(tmp_path):
    run, _ = run_lint(make_copy(tmp_path))
    assert (run.returncode, run.stdout) == (0, "There are no migrations but the first ones.\n")


@pytest.mark.serve
def test_a_release_as_contributing_wants_it_passes_and_every_other_one_is_found(tmp_path):
    copy = make_copy(tmp_path)
    plant(copy, STEPS | {name: operation for name, (operation, _) in FORBIDDEN.items()})
    run, found = run_lint(copy)
    assert run.returncode == 1, run.stdout + run.stderr
    assert {(name, rule) for name, (_, rule) in FORBIDDEN.items()} <= set(found), run.stdout
    assert {name for name, _ in found} == set(FORBIDDEN)
