"""A client of the ledger that cannot pay twice.

    from ledger_client import Ledger, commands, new_id

    ledger = Ledger("http://localhost:8080", token)
    ledger.post(commands.deposit(id=order.payment_id, user=petya.id, amount=Decimal("100.00")))

Beside it: `webhooks.verify`, `feed.Consumer`, and `ledger_client.outbox` for Django.
"""

from ledger_client import commands
from ledger_client.commands import Command
from ledger_client.ids import new_id
from ledger_client.ledger import Ledger
from ledger_client.problems import (
    Declined,
    EventsPruned,
    FieldError,
    HistoryChanged,
    InsufficientFunds,
    InvalidRequest,
    LedgerError,
    NoSuchAddress,
    NotAuthenticated,
    NotFound,
    NotTheLedger,
    PermissionDenied,
    Refused,
    Unanswered,
)
from ledger_client.telling import Event

__all__ = [
    "Command",
    "Declined",
    "Event",
    "EventsPruned",
    "FieldError",
    "HistoryChanged",
    "InsufficientFunds",
    "InvalidRequest",
    "Ledger",
    "LedgerError",
    "NoSuchAddress",
    "NotAuthenticated",
    "NotFound",
    "NotTheLedger",
    "PermissionDenied",
    "Refused",
    "Unanswered",
    "commands",
    "new_id",
]
