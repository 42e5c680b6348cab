"""People who are forgotten, and the two who decide it."""

from accounts import erasing
from ledger.callers import ActorKind, Caller
from tests.office.staff import make_staff

REASON = "asked for in a letter of 3 May"


def call(member):
    return Caller(member.pk, ActorKind.STAFF, "test")


def forget(user, *, maker=None, checker=None, reason=REASON):
    """Two members of staff forget the user. Returns the erasure."""
    maker, checker = maker or make_staff("operations"), checker or make_staff("operations")
    asked = erasing.ask(user_id=user.pk, reason=reason, caller=call(maker))
    return erasing.approve(id=asked.pk, caller=call(checker))
