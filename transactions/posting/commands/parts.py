"""How much a part of a reversal takes: of the leg that was named, and of the other one of a transfer.

The other leg is at the rate of the original, rounded down, and leaves something for the part that takes all
that is left: that one takes all that is left of both. So whatever the parts are and whichever leg they name,
one leg has something left as long as the other has, and in the end both were taken whole.
"""

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from accounts.currencies import AMOUNT_MAX, format_amount, get_decimals
from transactions import errors
from transactions.posting.limits import Decline


class Side(NamedTuple):
    """A leg of what is taken back: the amount that was posted, and how much of it is left."""

    amount: Decimal
    left: Decimal
    currency: str


class Part(NamedTuple):
    """What is taken of the leg that was named and of the other one, or would have been, but for `decline`."""

    named: Decimal
    other: Decimal
    decline: Decline | None = None


def find_part(asked: Decimal | None, named: Side, other: Side) -> Part:
    """`asked` is of the leg `named`; None: all that is left. What is no transfer is its own `other`."""
    if not named.left or not other.left:
        if asked is None:
            return Part(named.amount, other.amount, (errors.ALREADY_REVERSED, {}))
        return _decline(asked, named, other, errors.ALREADY_REVERSED)
    if asked is None or asked == named.left:
        return Part(named.left, other.left)
    if asked > named.left:
        return _decline(asked, named, other, errors.REVERSAL_TOO_LARGE)
    at_rate = min(_convert(asked, named, other), other.left - find_unit(other.currency))
    if at_rate <= 0:
        return _decline(asked, named, other, errors.REVERSAL_TOO_SMALL)
    return Part(asked, at_rate)


def _decline(asked: Decimal, named: Side, other: Side, reason: str) -> Part:
    """A row has an amount that can be one, whatever was asked."""
    at_rate = max(find_unit(other.currency), min(_convert(asked, named, other), AMOUNT_MAX))
    details = {} if reason == errors.ALREADY_REVERSED else {"left": format_amount(named.left, named.currency)}
    return Part(asked, at_rate, (reason, details))


def _convert(asked: Decimal, named: Side, other: Side) -> Decimal:
    """At the rate of the original, rounded down to what the other leg's currency has."""
    exact = Fraction(asked) * Fraction(other.amount) / Fraction(named.amount)
    decimals = get_decimals(other.currency)
    return Decimal(int(exact * 10**decimals)).scaleb(-decimals)


def find_unit(currency: str) -> Decimal:
    """The smallest amount of it."""
    return Decimal(1).scaleb(-get_decimals(currency))
