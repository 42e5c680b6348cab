"""Makes every secret that the ledger needs, each in a file of its own that has the name of its setting.

    python deploy/keys.py FOLDER [--host database] [--port 5432]

What is there already stays. The addresses of the database have a password each; `deploy/logins.py` gives it
to the role. Needs nothing but Python.
"""

import argparse
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

KEYS = ("SECRET_KEY", "CHAIN_KEY", "WEBHOOK_KEY", "ANCHOR_KEY", "SECOND_FACTOR_KEY")
# Who logs in where: the service, operators' commands, and who makes the tables and the roles.
ADDRESSES: Mapping[str, str] = {
    "DATABASE_URL": "ledger_app",
    "MAINTENANCE_DATABASE_URL": "ledger_maintenance",
    "MIGRATION_DATABASE_URL": "postgres",
}
PASSWORD = "POSTGRES_PASSWORD"  # noqa: S105, of the superuser: the name of a file
OWNER_ONLY, EVERYBODY = 0o400, 0o444


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", default="database")
    parser.add_argument("--port", type=int, default=5432)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for name in KEYS:
        keep(asked.folder / name, secrets.token_urlsafe(48))
    # The database's own container reads it as another user.
    superuser = keep(asked.folder / PASSWORD, secrets.token_urlsafe(24), EVERYBODY)
    for name, role in ADDRESSES.items():
        password = superuser if role == "postgres" else secrets.token_urlsafe(24)
        keep(asked.folder / name, f"postgres://{role}:{password}@{asked.host}:{asked.port}/ledger")


def keep(file: Path, secret: str, mode: int = OWNER_ONLY) -> str:
    """What the file has; the secret, if there was no file. It appears whole or not at all."""
    if not file.exists():
        draft = file.with_suffix(".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(secret)
        draft.chmod(mode)
        os.replace(draft, file)
    return file.read_text()


if __name__ == "__main__":
    main()
