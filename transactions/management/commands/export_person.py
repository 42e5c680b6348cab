from pathlib import Path
from typing import Any

from accounts.models import User
from ledger.callers import ActorKind, Caller
from rest.fields import UUIDField
from transactions.exchange import people
from transactions.management.options import StrictCommand, failure
from transactions.management.people import write_csv, write_json


class Command(StrictCommand):
    help = (
        "Write everything that the ledger has of a user, for that person: user, accounts, transactions, "
        "holds, events, tokens, corrections, erasures, and who looked at them. It is in the record."
    )

    arguments = {
        "user": {"field": UUIDField(), "help": "the id of the user"},
        "--format": {"choices": ("json", "csv"), "default": "json", "help": "csv: a folder of files"},
        "--output": {"required": True, "type": Path, "help": "a new file, or folder, that only you may read"},
    }

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["output"]
        if path.exists():
            raise failure(f"{path} is there already: name a new one.")
        try:
            tables = people.export(user_id=options["user"], caller=Caller(None, ActorKind.COMMAND))
            (write_json if options["format"] == "json" else write_csv)(tables, path)
        except User.DoesNotExist:
            raise failure("There is no such user.") from None
        except OSError as error:
            raise failure(f"{path}: {error.strerror}.") from None
        self.stdout.write(f"Everything that the ledger has of this user is in {path}.")
