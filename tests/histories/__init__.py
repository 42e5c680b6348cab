"""What histories at random are made of: a clock, two doors to the ledger, and the rules of each part."""

import pytest

PARTS = """
world movements holding claiming lists selling spending watching reading verdict over_http lists_over_http
"""
pytest.register_assert_rewrite(
    *(f"{__name__}.{module}" for module in PARTS.split())
)  # so that failures show values
