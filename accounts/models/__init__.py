"""Users, the accounts that hold their money, and what is set aside of it."""

from accounts.models.accounts import MAIN, Account
from accounts.models.columns import (
    BALANCE_MAX,
    NAME_LENGTH_MAX,
    REASON_LENGTH_MAX,
    REFERENCE_LENGTH_MAX,
    ClockTimestamp,
    HeldDue,
    Is,
    IsFinite,
    JSONType,
    MoneyField,
    make_row,
    metadata_is_an_object,
    replace_row,
)
from accounts.models.holds import HOLD_TABLE, Hold
from accounts.models.users import Staff, Token, User

__all__ = [
    "BALANCE_MAX",
    "HOLD_TABLE",
    "MAIN",
    "NAME_LENGTH_MAX",
    "REASON_LENGTH_MAX",
    "REFERENCE_LENGTH_MAX",
    "Account",
    "ClockTimestamp",
    "HeldDue",
    "Hold",
    "Is",
    "IsFinite",
    "JSONType",
    "MoneyField",
    "Staff",
    "Token",
    "User",
    "make_row",
    "metadata_is_an_object",
    "replace_row",
]
