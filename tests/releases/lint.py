"""`python -m tests.releases.lint`: what the migrations of the next release would do to a table in use.

squawk reads the SQL of every migration but the first ones of an app, whose tables nobody uses yet. They are
applied meanwhile, on an empty ledger of its own: what a migration does may depend on what is there. Each rule
is explained at https://squawkhq.com/docs/rules; .squawk.toml says which are not asked for. One more is ours:
Django takes the default of a new column away again, and then the release before cannot insert any more.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django

PROJECT = Path(__file__).parents[2]
APPS = ("events", "accounts", "transactions")
WITHOUT_DEFAULT = re.compile(r'ADD COLUMN "(\w+)" [^;]*NOT NULL[^;]*;\s[^;]*ALTER COLUMN "\1" DROP DEFAULT')
RULE = (
    "required-column-without-db-default The release before does not know {}: give it a db_default, or null."
)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="ledger-lint-") as folder:
        Path(folder).chmod(0o755)
        os.environ |= {"LEDGER_VAR": folder, "DJANGO_SETTINGS_MODULE": "ledger_project.settings"}
        os.environ.pop("DATABASE_URL", None)
        django.setup()
        from django.conf import settings
        from django.db.migrations.loader import MigrationLoader

        disk = MigrationLoader(None).disk_migrations
        later = {key for key, migration in disk.items() if key[0] in APPS and not migration.initial}
        if not later:
            print("There are no migrations but the first ones.")  # noqa: T201
            return 0
        server = settings.EMBEDDED_POSTGRES
        assert server is not None
        server.start()
        try:
            server.ensure_database("ledger")
            files = list(write_sql(later, Path(folder)))
        finally:
            server.stop()
        squawk = Path(sys.executable).parent / "squawk"
        wrong = subprocess.run([squawk, "--reporter", "gcc", *files], cwd=PROJECT).returncode
        for file in files:
            for column in WITHOUT_DEFAULT.findall(file.read_text()):
                print(f"{file}:0:0: warning: {RULE.format(column)}")  # noqa: T201
                wrong = 1
        return wrong


def write_sql(later: set[tuple[str, str]], folder: Path) -> Iterator[Path]:
    """A file for each of these, as `sqlmigrate` prints it, in the order in which they are applied."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        plan = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
        keys = [(migration.app_label, migration.name) for migration in plan]
        executor.migrate([key for key in keys if key not in later])
        for migration, key in zip(plan, keys, strict=True):
            if key in later:
                executor.loader.build_graph()
                lines = executor.loader.collect_sql([(migration, False)])
                file = folder / f"{'.'.join(key)}.sql"
                file.write_text("\n".join(["BEGIN;", *lines, "COMMIT;"] if migration.atomic else lines))
                yield file
                executor.migrate([key])
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
