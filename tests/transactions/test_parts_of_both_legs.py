"""Any parts of a transfer, by whichever leg they are named: in the end both legs were taken whole."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.currencies import AMOUNT_MAX
from transactions import errors
from transactions.posting.commands.parts import Side, find_part, find_unit

currencies = st.sampled_from(["USD", "JPY", "BHD"])
units = st.integers(1, 60) | st.integers(1, 60) | st.integers(1, 10**6) | st.just(10**12)
shares = st.none() | st.integers(1, 9)  # ninths of what is left, or all of it
parts = st.lists(st.tuples(st.booleans(), shares), max_size=12)


@st.composite
def sides(draw):
    """A leg of which nothing was taken yet."""
    currency = draw(currencies)
    amount = min(draw(units) * find_unit(currency), AMOUNT_MAX)
    return Side(amount, amount, currency)


def find_share(side, ninths):
    """Rounded to an amount of its currency, up now and then, so that it may be more than is left."""
    unit = find_unit(side.currency)
    return max(unit, min((side.left * ninths / 8 // unit) * unit, AMOUNT_MAX))


@settings(max_examples=1000, deadline=None)
@given(source=sides(), destination=sides(), asked=parts)
def test_any_parts_end_with_both_legs_taken_whole(source, destination, asked):
    legs = [source, destination]
    for is_turned, ninths in [*asked, (False, None), (True, None)]:
        named, other = legs[::-1] if is_turned else legs
        amount = ninths and find_share(named, ninths)
        part = find_part(amount, named, other)
        assert min(part.named, part.other) > 0
        assert max(part.named, part.other) <= AMOUNT_MAX
        assert part.other % find_unit(other.currency) == 0
        if part.decline:
            reason = part.decline[0]
            assert (reason == errors.ALREADY_REVERSED) == (named.left == 0)
            assert (reason == errors.REVERSAL_TOO_LARGE) == (0 < named.left < (amount or 0))
            continue
        assert part.named == (amount or named.left)
        left = named.left - part.named, other.left - part.other
        assert min(left) >= 0
        assert (left[0] == 0) == (left[1] == 0)
        if left[0]:
            rate = Fraction(other.amount) / Fraction(named.amount)
            assert Fraction(part.other) <= Fraction(part.named) * rate
        legs = [named._replace(left=left[0]), other._replace(left=left[1])]
        legs = legs[::-1] if is_turned else legs
    assert [leg.left for leg in legs] == [0, 0]


@settings(max_examples=200, deadline=None)
@given(leg=sides(), asked=parts)
def test_within_one_currency_both_legs_always_take_as_much(leg, asked):
    for _, ninths in asked:
        part = find_part(ninths and find_share(leg, ninths), leg, leg)
        assert part.named == part.other
        if not part.decline:
            leg = leg._replace(left=leg.left - part.named)
        assert part.decline is None or part.decline[0] != errors.REVERSAL_TOO_SMALL
