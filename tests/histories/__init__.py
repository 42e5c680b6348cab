"""What histories at random are made of: a clock, two doors to the ledger, and the rules of each part."""

import pytest

RULES = ("world", "movements", "holding", "claiming", "lists", "spending", "reading", "verdict", "over_http")
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in RULES))  # so that failures show values
