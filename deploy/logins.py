"""Gives the database's roles the passwords that stand in the addresses they log in with.

    python deploy/logins.py FILE…

Each file has an address, `postgres://ledger_app:password@…`. The roles are made by `database_roles --apply`;
who may alter them is in MIGRATION_DATABASE_URL_FILE. A password leaves this machine as its SCRAM verifier.
"""

import argparse
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from psycopg import connect, sql


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    asked = parser.parse_args()
    with connect(Path(os.environ["MIGRATION_DATABASE_URL_FILE"]).read_text().strip()) as connection:
        for file in asked.files:
            address = urlsplit(file.read_text().strip())
            role, password = unquote(address.username or ""), unquote(address.password or "")
            verifier = connection.pgconn.encrypt_password(
                password.encode(), role.encode(), b"scram-sha-256"
            ).decode()
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier))
            )


if __name__ == "__main__":
    main()
