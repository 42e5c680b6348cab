from typing import Any

import orjson

from accounts import erasing
from accounts.models import Staff, User
from ledger.callers import ActorKind, Caller
from ledger.errors import LedgerError
from rest.fields import TextField, UUIDField
from transactions.exchange import people
from transactions.management.options import StrictCommand, failure


class Command(StrictCommand):
    help = (
        "Forget a user without the back office, as two members of staff have agreed: both are named in the "
        "record. With --list: say what would go and what would stay, and do nothing."
    )

    arguments = {
        "user": {"field": UUIDField(), "help": "the id of the user"},
        "--list": {
            "action": "store_true",
            "help": "what would go, and which texts of bookkeeping would stay",
        },
        "--dry-run": {"action": "store_true", "dest": "list", "help": "the same"},
        "--approved-by": {
            "action": "append",
            "metavar": "NAME",
            "help": "the user name of a member of staff who may forget people; twice, of two people",
        },
        "--reason": {
            "field": TextField(length_min=1, length_max=500),
            "help": "why; without the name of the person",
        },
    }

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            self._list(options["user"])
            return
        names = options["approved_by"] or []
        staff = {each.username: each.pk for each in Staff.objects.filter(is_staff=True, username__in=names)}
        if len(names) != 2 or not options["reason"]:
            raise failure("Say who has approved it (--approved-by, twice), and why (--reason).")
        if unknown := [name for name in names if name not in staff]:
            raise failure(f"No member of staff is called {unknown[0]}.")
        try:
            erasing.erase_at_once(
                user_id=options["user"],
                approvers=(staff[names[0]], staff[names[1]]),
                reason=options["reason"],
                caller=Caller(None, ActorKind.COMMAND),
            )
        except LedgerError as error:
            raise failure(error.detail) from None
        self.stdout.write(
            "The person is forgotten. Of copies outside of the ledger docs/operations/people.md tells."
        )

    def _list(self, user_id: Any) -> None:
        try:
            plan = people.plan_erasure(user_id=user_id)
        except User.DoesNotExist:
            raise failure("There is no such user.") from None
        self.stdout.write("Would be erased:")
        for what, count in plan.goes.items():
            self.stdout.write(f"  {count:>6}  {what}")
        self.stdout.write(
            "Would stay, and mentions the person:" if plan.stays else "Nothing that stays mentions them."
        )
        for table, id, parts in plan.stays:
            self.stdout.write(f"  {table} {id} {orjson.dumps(parts).decode()}")
