"""What a deployment may set, and what of it is secret."""

import re

from tests.servers import PROJECT

# Not the ledger's: libpq's, and what the image has for Python.
OF_OTHERS = {"PGSERVICE", "PGSERVICEFILE", "BACKUPS", "KEEP_DAYS", "SLOT"}
SECRETS = {
    "SECRET_KEY", "SECRET_KEY_FALLBACKS", "CHAIN_KEY", "CHAIN_KEY_FALLBACKS", "WEBHOOK_KEY", "ANCHOR_KEY",
    "SECOND_FACTOR_KEY", "SECOND_FACTOR_KEY_FALLBACKS", "DATABASE_URL", "MIGRATION_DATABASE_URL",
    "AUDIT_DATABASE_URL", "BROKER_URL",
}  # fmt: skip
NEEDED = {
    "SECRET_KEY", "CHAIN_KEY", "WEBHOOK_KEY", "ANCHOR_KEY", "SECOND_FACTOR_KEY", "DATABASE_URL",
}  # fmt: skip
SECRETS_FOLDER = "/etc/ledger/secrets/"


def read_settings() -> set[str]:
    """The names in .env.example, and those of the files of secrets."""
    listed = re.findall(r"^#?(\w+)=", (PROJECT / ".env.example").read_text(), flags=re.M)
    return {*listed, *(f"{name}_FILE" for name in SECRETS)}


def find_wrong_settings(environment: dict[str, str]) -> list[str]:
    """What no deployment should be told in its environment."""
    known = read_settings() | OF_OTHERS
    wrong = [f"{name} is no setting" for name in environment if name not in known]
    wrong += [f"{name} is a secret: give it as {name}_FILE" for name in environment if name in SECRETS]
    wrong += [
        f"{name} is not where secrets are: {value}"
        for name, value in environment.items()
        if name.removesuffix("_FILE") in SECRETS and name.endswith("_FILE")
        if not value.startswith(SECRETS_FOLDER)
    ]
    return wrong
