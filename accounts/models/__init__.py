"""Users, the accounts that hold their money, and what is set aside of it."""

from accounts.models.accounts import MAIN, Account
from accounts.models.claims import CLAIM_TABLE, CLAIMS_MAX, Claim
from accounts.models.columns import (
    BALANCE_MAX,
    NAME_LENGTH_MAX,
    REASON_LENGTH_MAX,
    REFERENCE_LENGTH_MAX,
    ClockTimestamp,
    Folded,
    HeldDue,
    Is,
    IsFinite,
    MoneyField,
    metadata_has_texts,
)
from accounts.models.erasures import Erasure
from accounts.models.holds import HOLD_TABLE, Hold
from accounts.models.notes import Note
from accounts.models.staff import SecondFactor, Staff, make_url, read_secret, seal_secret
from accounts.models.tables import Column, Kind, Table, make_row, replace_row, write_changes
from accounts.models.thresholds import (
    THRESHOLD_TABLE,
    THRESHOLDS_MAX,
    Threshold,
    find_nearest,
)
from accounts.models.tokens import Token
from accounts.models.users import User

__all__ = [
    "BALANCE_MAX",
    "CLAIMS_MAX",
    "CLAIM_TABLE",
    "HOLD_TABLE",
    "MAIN",
    "NAME_LENGTH_MAX",
    "REASON_LENGTH_MAX",
    "REFERENCE_LENGTH_MAX",
    "THRESHOLDS_MAX",
    "THRESHOLD_TABLE",
    "Account",
    "Claim",
    "ClockTimestamp",
    "Column",
    "Erasure",
    "Folded",
    "HeldDue",
    "Hold",
    "Is",
    "IsFinite",
    "Kind",
    "MoneyField",
    "Note",
    "SecondFactor",
    "Staff",
    "Table",
    "Threshold",
    "Token",
    "User",
    "find_nearest",
    "make_row",
    "make_url",
    "metadata_has_texts",
    "read_secret",
    "replace_row",
    "seal_secret",
    "write_changes",
]
