"""The movements of money, what staff put right, and what is known about all of it."""

from transactions.models.batches import BATCH_TABLE, Batch, derive_item_id
from transactions.models.constraints import EFFECTIVE_AT_MIN
from transactions.models.corrections import Correction
from transactions.models.figures import AuditRun, Figures, HourlyTotal
from transactions.models.search import (
    SearchedAmount,
    SearchedPerson,
    SearchedReference,
    SearchedTerm,
    SearchState,
)
from transactions.models.transactions import (
    COLUMNS,
    TABLE,
    Transaction,
    derive_destination_id,
    derive_part_id,
)

__all__ = [
    "BATCH_TABLE",
    "COLUMNS",
    "EFFECTIVE_AT_MIN",
    "TABLE",
    "AuditRun",
    "Batch",
    "Correction",
    "Figures",
    "HourlyTotal",
    "SearchState",
    "SearchedAmount",
    "SearchedPerson",
    "SearchedReference",
    "SearchedTerm",
    "Transaction",
    "derive_destination_id",
    "derive_item_id",
    "derive_part_id",
]
