"""Any parts of a transfer, by whichever leg they are named: in the end both legs were taken whole."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.currencies import AMOUNT_MAX
from transactions import errors
from transactions.posting.commands.parts import Side, find_part, find_unit

amounts = st.integers(1, 40) | st.integers(1, 10**6) | st.just(10**12)
currencies = st.sampled_from(["USD", "JPY", "BHD"])


@st.composite
def sides(draw):
    """A leg of which nothing was taken yet."""
    currency = draw(currencies)
    amount = min(draw(amounts) * find_unit(currency), AMOUNT_MAX)
    return Side(amount, amount, currency)


@settings(max_examples=400, deadline=None)
@given(source=sides(), destination=sides(), asked=st.lists(st.tuples(st.booleans(), amounts), max_size=12))
def test_any_parts_end_with_both_legs_taken_whole(source, destination, asked):
    legs = [source, destination]
    for is_of_destination, units in [*asked, (False, None), (True, None)]:
        named, other = legs if not is_of_destination else legs[::-1]
        amount = units and min(units * find_unit(named.currency), AMOUNT_MAX)
        part = find_part(amount, named, other)
        if part.decline:
            assert 0 < part.named <= AMOUNT_MAX
            assert 0 < part.other <= AMOUNT_MAX
            assert part.decline[0] in (
                errors.ALREADY_REVERSED,
                errors.REVERSAL_TOO_LARGE,
                errors.REVERSAL_TOO_SMALL,
            )
            assert (part.decline[0] == errors.ALREADY_REVERSED) == (named.left == 0)
            continue
        assert part.named == (named.left if amount is None else amount)
        assert min(part.named, part.other) > 0
        assert part.other % find_unit(other.currency) == 0
        if part.named < named.left:
            assert Fraction(part.other) <= Fraction(part.named) * Fraction(other.amount) / Fraction(
                named.amount
            )
        left = (named.left - part.named, other.left - part.other)
        assert min(left) >= 0
        assert (left[0] == 0) == (left[1] == 0)
        sides_left = [named._replace(left=left[0]), other._replace(left=left[1])]
        legs = sides_left if not is_of_destination else sides_left[::-1]
    assert [leg.left for leg in legs] == [0, 0]


@settings(max_examples=200, deadline=None)
@given(leg=sides(), asked=st.lists(amounts, max_size=12))
def test_within_one_currency_both_legs_always_take_as_much(leg, asked):
    left = leg.left
    for units in asked:
        amount = min(units * find_unit(leg.currency), AMOUNT_MAX)
        side = leg._replace(left=left)
        part = find_part(amount, side, side)
        assert part.named == part.other
        assert part.decline is None or part.decline[0] != errors.REVERSAL_TOO_SMALL
        left -= Decimal(0) if part.decline else part.named
    assert left >= 0
