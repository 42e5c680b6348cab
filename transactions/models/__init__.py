"""The movements of money, what staff put right, and what is known about all of it."""

from transactions.models.audits import AuditRun
from transactions.models.corrections import Correction
from transactions.models.figures import Figures, HourlyTotal
from transactions.models.transactions import EFFECTIVE_AT_MIN, Transaction

__all__ = ["EFFECTIVE_AT_MIN", "AuditRun", "Correction", "Figures", "HourlyTotal", "Transaction"]
