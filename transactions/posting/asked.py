"""What a command may be asked with: types, ids, texts, amounts and moments, refused in the words of the API.

Requests were read strictly before. Who asks in process has written Python, in which a text may stand for an
id and a number in metadata: a command refuses it when it is made.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from typing import Any
from uuid import UUID

from accounts.currencies import AMOUNT_MAX
from accounts.errors import AmountInvalid, AmountNotPositive, AmountTooLarge, IdInvalid
from accounts.models import REASON_LENGTH_MAX, REFERENCE_LENGTH_MAX, Account, Threshold
from ledger.text import Rule, TypeInvalid, require_metadata, require_text
from ledger.values import LastMoment, format_time
from transactions import errors
from transactions.models import Transaction

CLOCK_SKEW_MAX = timedelta(minutes=5)
PARTS_MAX = 20  # of one capture
LIMITS = ("credit_limit", "withdraw_max", "withdraw_day_max")

Check = Callable[[Any, str], None]  # of a value, and what the field is called


def require_asked(command: Any) -> None:
    """Refuse what a field of the command cannot be, whatever else is asked. Not of amounts: `require_amount`.

    Raises `TypeInvalid`, `IdInvalid`, `ChoiceInvalid`, `DatetimeInvalid`, `FieldUnknown`, `Amount…`, `Text…`
    and `Metadata…`.
    """
    kind: Any = type(command)
    for name, check in _find_checks(kind):
        check(getattr(command, name), name)


def require_id(value: object, field: str) -> None:
    if type(value) is not UUID:
        error = IdInvalid("Not a uuid.UUID.")
        error.field = field
        raise error


def require_amount(amount: Decimal | None) -> None:
    """Refuse what is no finite number above zero and at most `AMOUNT_MAX`, whatever its currency.

    Raises `AmountInvalid`, `AmountNotPositive`, `AmountTooLarge`.
    """
    if not isinstance(amount, Decimal) or not amount.is_finite():
        raise AmountInvalid("An amount is a finite decimal number.")
    if amount <= 0:
        raise AmountNotPositive("An amount is more than zero.")
    if amount > AMOUNT_MAX:
        raise AmountTooLarge(f"An amount is at most {AMOUNT_MAX}.", limit=str(AMOUNT_MAX))


def require_finite(amount: object) -> None:
    """Refuse what is no finite number, whatever its sign. Raises `AmountInvalid`."""
    if not isinstance(amount, Decimal) or not amount.is_finite():
        raise AmountInvalid("An amount is a finite decimal number.")


def require_begun(asked: datetime, clock: datetime) -> None:
    """Refuse a moment that is yet to come; a day has come when it has begun. Raises `EffectiveAtInFuture`."""
    begins_at = asked.begins_at if isinstance(asked, LastMoment) else None
    if (begins_at or asked) > clock + CLOCK_SKEW_MAX:
        now = format_time(clock)
        raise errors.EffectiveAtInFuture(
            f"Money cannot move later than now, which is {now}. A time without an offset is UTC."
        )


def require_type(kind: type, value: object, field: str) -> None:
    if type(value) is not kind:
        error = TypeInvalid(f"Not a {kind.__name__}.")
        error.field = field
        raise error


def _require_choice(choices: Any, value: object, field: str) -> None:
    if not isinstance(value, str) or value not in choices.values:
        error = errors.ChoiceInvalid(f"One of {', '.join(choices.values)}.")
        error.field = field
        raise error


def _require_moment(value: object, field: str) -> None:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        error = errors.DatetimeInvalid("Not a datetime that knows its offset from UTC.")
        error.field = field
        raise error


def _require_limits(limits: object, field: str) -> None:
    """Of the amounts only that they are some: what a limit may be depends on the account's currency."""
    if not isinstance(limits, Mapping):
        raise TypeInvalid("Limits are a mapping of names to amounts.")
    for name, limit in limits.items():
        error: Any = None
        if name not in LIMITS:
            error = errors.FieldUnknown(f"One of {', '.join(LIMITS)}.")
        elif limit is None and name == "credit_limit":
            error = TypeInvalid("There is always a credit limit; zero is none.")
        elif limit is not None and not (isinstance(limit, Decimal) and limit.is_finite()):
            error = AmountInvalid("An amount is a finite decimal number.")
        if error is not None:
            error.field = str(name)
            raise error


def _require_changes(changes: object, field: str) -> None:
    """Of a hold."""
    if not isinstance(changes, Mapping):
        raise TypeInvalid("Changes are a mapping of names to values.")
    for name, value in changes.items():
        if name not in ("amount", "expires_at"):
            error = errors.FieldUnknown("One of amount, expires_at.")
            error.field = str(name)
            raise error
        if name == "expires_at" and value is not None:
            _require_moment(value, name)


def _require_destinations(parts: Any, field: str) -> None:
    """Of a capture: pairs of an account and an amount."""
    error: Any = None
    if not isinstance(parts, list | tuple) or len(parts) > PARTS_MAX:
        error = TypeInvalid(f"Not a list of at most {PARTS_MAX} destinations.")
    elif any(not isinstance(part, tuple) or len(part) != 2 or type(part[0]) is not UUID for part in parts):
        error = TypeInvalid("Not pairs of the id of an account and an amount.")
    if error is not None:
        error.field = field
        raise error


def _require_rows(rows: Any, field: str) -> None:
    if not isinstance(rows, list | tuple) or not rows or any(type(row) is not Transaction for row in rows):
        error = TypeInvalid("Not a list of transactions.")
        error.field = field
        raise error


def _require_count(value: object, field: str) -> None:
    require_type(int, value, field)
    if not 0 <= value < 10**18:  # type: ignore[operator]
        error = TypeInvalid("Not a whole number from zero on, of at most 18 digits.")
        error.field = field
        raise error


def _require_tags(value: Any, field: str) -> None:
    if not isinstance(value, list | tuple | set) or any(type(tag) is not str for tag in value):
        error = TypeInvalid("Not a list of texts.")
        error.field = field
        raise error


def _require_reason(value: object, field: str, *, length_min: int) -> None:
    require_text(value, Rule.NOTE, field, length_min=length_min, length_max=REASON_LENGTH_MAX)


def _optional(check: Check) -> Check:
    return lambda value, field: None if value is None else check(value, field)


CHECKS: Mapping[str, Check] = {
    **dict.fromkeys(
        ["id", "account_id", "source_id", "destination_id", "hold_id", "claim_id", "threshold_id"], require_id
    ),
    **dict.fromkeys(
        ["transaction_id", "transfer", "reverses", "hold", "claim", "destination"], _optional(require_id)
    ),
    **dict.fromkeys(["currency", "destination_currency"], _optional(partial(require_type, str))),
    **dict.fromkeys(["final", "if_open", "if_left", "atomic"], partial(require_type, bool)),
    **dict.fromkeys(["effective_at", "expires_at"], _optional(_require_moment)),
    **dict.fromkeys(
        ["expected_version", "expected_destination_version", "expected_sequence"], _optional(_require_count)
    ),
    "changes": _require_changes,
    "destinations": _require_destinations,
    "if_match": _optional(_require_tags),
    "limits": _require_limits,
    "metadata": lambda value, field: require_metadata(value),
    "of": partial(_require_choice, Threshold.Of),
    "reference": lambda value, field: require_text(
        value, Rule.IDENTIFIER, field, length_max=REFERENCE_LENGTH_MAX
    ),
    "rows": _require_rows,
    "status": partial(_require_choice, Account.Status),
    "type": partial(_require_choice, Transaction.Type),
}


@cache
def _find_checks(kind: type) -> list[tuple[str, Check]]:
    return [
        (each.name, check) for each in fields(kind) if each.init and (check := _find_check(each)) is not None
    ]


def _find_check(field: "Field[Any]") -> Check | None:
    """A reason that has no default must say something; what is None by default may be."""
    if field.name == "reason":
        return partial(_require_reason, length_min=int(field.default is MISSING))
    check = CHECKS.get(field.name)
    return _optional(check) if check and field.default is None else check
