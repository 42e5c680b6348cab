"""Users, the accounts that hold their money, and what is set aside of it."""

from accounts.models.accounts import MAIN, Account, Staff, Token, User
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
    metadata_is_an_object,
)
from accounts.models.erasures import Erasure
from accounts.models.holds import HOLD_TABLE, Hold
from accounts.models.tables import Column, Kind, Table, make_row, replace_row, write_changes

__all__ = [
    "BALANCE_MAX",
    "HOLD_TABLE",
    "MAIN",
    "NAME_LENGTH_MAX",
    "REASON_LENGTH_MAX",
    "REFERENCE_LENGTH_MAX",
    "Account",
    "ClockTimestamp",
    "Column",
    "Erasure",
    "HeldDue",
    "Hold",
    "Is",
    "IsFinite",
    "JSONType",
    "Kind",
    "MoneyField",
    "Staff",
    "Table",
    "Token",
    "User",
    "make_row",
    "metadata_is_an_object",
    "replace_row",
    "write_changes",
]
