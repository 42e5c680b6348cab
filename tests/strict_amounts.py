"""Amounts in bodies, and to which accounts they go: as `tests.strict_bodies` says it."""

import re
from decimal import Decimal
from typing import Any

from tests.strict_texts import is_text

AMOUNT = re.compile(r"[0-9]+(\.[0-9]{1,2})?0*")  # of US dollars
is_id = is_text(36, 36, r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_limit(value: Any, maximum: int = 10**15) -> bool:
    is_decimal = type(value) is str and AMOUNT.fullmatch(value)
    return bool(is_decimal) and Decimal(value) <= maximum


def is_signed(value: Any) -> bool:
    return is_limit(value[1:] if type(value) is str and value.startswith("-") else value)


def is_amount(value: Any) -> bool:
    return is_limit(value, 10**12) and Decimal(value) > 0


def is_list_of_destinations(value: Any) -> bool:
    return type(value) is list and 1 <= len(value) <= 20 and all(is_destination(each) for each in value)


def is_destination(value: Any) -> bool:
    """An account or a user, and an amount; null as if not sent."""
    if type(value) is not dict or not value.keys() <= {"destination", "destination_user", "amount"}:
        return False
    sent = {name: each for name, each in value.items() if each is not None}
    is_amount_there = is_amount(sent.pop("amount", None))
    return is_amount_there and len(sent) == 1 and all(map(is_id, sent.values()))
