"""What columns and their constraints are made of, and how much fits into them."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models.lookups import Exact

BALANCE_MAX = Decimal(10) ** 15
NAME_LENGTH_MAX = 150
REASON_LENGTH_MAX = 500
REFERENCE_LENGTH_MAX = 200


class ClockTimestamp(models.Func):
    """The database's clock at this very moment, not at the start of the transaction."""

    function = "clock_timestamp"
    output_field = models.DateTimeField()


class HeldDue(models.Func):
    """What due holds of an account still have of its `held`. Written by hand, since the ORM is slow to."""

    template = (
        "(SELECT coalesce(sum(amount - captured), 0) FROM accounts_hold"
        " WHERE account_id = %(expressions)s AND status = 'OPEN' AND expires_at <= clock_timestamp())"
    )
    output_field = models.DecimalField()


class Is(models.Func):
    """Whether a column has this value, which stands in the text of the statement.

    As a parameter it would be unknown to a plan that is kept, which could not use an index of such rows then.
    """

    template = "%(expressions)s = '%(value)s'"
    output_field = models.BooleanField()


class IsFinite(models.Func):
    """False for PostgreSQL's `infinity`, which no datetime can hold."""

    function = "isfinite"
    output_field = models.BooleanField()


class JSONType(models.Func):
    function = "jsonb_typeof"
    output_field = models.TextField()


def metadata_is_an_object() -> Exact:
    return Exact(JSONType(models.F("metadata")), models.Value("object"))


class MoneyField(models.DecimalField):
    """`numeric(28,8)`: wide enough for every currency; its currency says how many decimals count."""

    def __init__(self, verbose_name: Any = None, **options: Any) -> None:
        super().__init__(verbose_name, **{**options, "max_digits": 28, "decimal_places": 8})
