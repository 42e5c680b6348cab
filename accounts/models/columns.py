"""What columns and their constraints are made of, and how much fits into them."""

from decimal import Decimal
from typing import Any

from django.db import models

from ledger import macs
from ledger.text import NOT_IN_IDENTIFIERS

BALANCE_MAX = Decimal(10) ** 15
NAME_LENGTH_MAX = 150
REASON_LENGTH_MAX = 500
REFERENCE_LENGTH_MAX = 200


class ClockTimestamp(models.Func):
    """The database's clock at this very moment, not at the start of the transaction."""

    function = "clock_timestamp"
    output_field = models.DateTimeField()


# Of an account's holds whose time is over, but whose end nobody wrote. By hand, since the ORM is slow to.
OF_DUE_HOLDS = (
    "(SELECT {} FROM accounts_hold"
    " WHERE account_id = %(expressions)s AND status = 'OPEN' AND expires_at <= clock_timestamp())"
)


class HeldDue(models.Func):
    """What due holds of an account still have of its `held`."""

    template = OF_DUE_HOLDS.format("coalesce(sum(amount - captured), 0)")
    output_field = models.DecimalField()


class HoldsDue(models.Func):
    """How many there are: each ends with an event."""

    template = OF_DUE_HOLDS.format("count(*)")
    output_field = models.BigIntegerField()


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


class IsNormalized(models.Func):
    """Whether a text is in Unicode's normal form C."""

    function = "is_normalized"
    output_field = models.BooleanField()


class Folded(models.Func):
    """A text as it is searched: however it is composed, in whatever width, case or form of a letter, and with
    or without joiners. Both sides of a comparison are folded by the database."""

    template = "translate(lower(upper(normalize(%(expressions)s, NFKC))), chr(8204) || chr(8205), '')"
    output_field = models.TextField()


class JSONType(models.Func):
    function = "jsonb_typeof"
    output_field = models.TextField()


def make_etag(*names: str) -> property:
    """The opaque tag of what these attributes are: another one as soon as any of them is another.

    It is keyed, since it is kept where the attributes are not, and names could be guessed from a plain hash.
    """

    def get(row: models.Model) -> str:
        return macs.compute("etag", row.pk, *[getattr(row, name) for name in names])[1:17].hex()

    return property(get)


class HasTexts(models.Func):
    """Whether a JSON value is an object all of whose values are texts."""

    # Strict, since a lax path takes a list for its items.
    template = """NOT jsonb_path_exists(
        %(expressions)s, 'strict $ ? (@.type() <> "object" || exists (@.* ? (@.type() <> "string")))'
    )"""
    output_field = models.BooleanField()


def external_id_is_normalized() -> models.CheckConstraint:
    """What `ledger.text` asks of identifiers, as far as the database can tell.

    For the names of accounts a trigger says the same: a constraint would be asked at every posting.
    """
    condition = models.Q(IsNormalized(models.F("external_id"))) & ~models.Q(
        external_id__regex=NOT_IN_IDENTIFIERS
    )
    return models.CheckConstraint(condition=condition, name="external_id_is_normalized")


def metadata_has_texts() -> HasTexts:
    return HasTexts(models.F("metadata"))


class MoneyField(models.DecimalField):
    """`numeric(28,8)`: wide enough for every currency; its currency says how many decimals count."""

    def __init__(self, verbose_name: Any = None, **options: Any) -> None:
        super().__init__(verbose_name, **{**options, "max_digits": 28, "decimal_places": 8})
