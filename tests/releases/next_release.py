"""A copy of the project with one more release in it: migrations on top of the present ones."""

import re
import shutil
from pathlib import Path

from tests.servers import PROJECT

APP = "transactions"
IGNORED = shutil.ignore_patterns(".git", ".env", ".venv*", ".*_cache", "__pycache__", "var", "runs", "images")
HEAD = """\
from django.contrib.postgres import operations as live
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("{app}", "{before}")]
    operations = [{operation}]
"""
CHECK = """models.CheckConstraint(
    condition=models.Q(channel=None) | models.Q(channel__in=["web", "shop"]),
    name="transaction_channel_is_known",
)"""
COLUMN = "models.CharField(max_length=20, null=True)"
INDEX = 'models.Index(fields=["channel"], name="transaction_by_channel")'
# As CONTRIBUTING wants it: one nullable column, its index, and a constraint that is proven afterwards.
STEPS = {
    "transaction_channel": f'migrations.AddField("transaction", "channel", {COLUMN})',
    "transaction_by_channel": f'live.AddIndexConcurrently("transaction", {INDEX})',
    "transaction_channel_is_known": f'live.AddConstraintNotValid("transaction", {CHECK})',
    "transaction_channel_is_proven": 'live.ValidateConstraint("transaction", "transaction_channel_is_known")',
}
MODEL = f"""
from django.db import models  # noqa: E402

Transaction.add_to_class("channel", {COLUMN})
Transaction._meta.indexes.append({INDEX})
Transaction._meta.constraints.append({CHECK})
"""


def make_copy(folder: Path) -> Path:
    """The project, without its past and its environment."""
    return Path(shutil.copytree(PROJECT, folder / "release", ignore=IGNORED))


def plant(copy: Path, steps: dict[str, str]) -> None:
    """Migrations of these names and operations, each after the one before."""
    folder = copy / APP / "migrations"
    before = max(path.stem for path in folder.glob("[0-9]*.py"))
    for number, (name, operation) in enumerate(steps.items(), start=int(before[:4]) + 1):
        atomic = not re.search("Concurrently|CONCURRENTLY", operation)
        text = HEAD.format(app=APP, before=before, operation=operation, atomic=atomic)
        before = f"{number:04d}_{name}"
        (folder / f"{before}.py").write_text(text)


def make_next_release(folder: Path) -> Path:
    """The copy in which a transaction knows its channel."""
    copy = make_copy(folder)
    plant(copy, STEPS)
    with (copy / APP / "models" / "__init__.py").open("a") as models:
        models.write(MODEL)
    return copy
