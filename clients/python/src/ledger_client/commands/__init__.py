"""Commands: values that say what is to be done, to be stored, sent (`Ledger.post`) and put into batches.

What moves money, or sets it aside, takes an `id`: made with `new_id` and stored with your own order before
the first try. What has no id is known by what it asks for: done again it changes nothing.
"""

from ledger_client.commands.batches import batch, reverse_batch
from ledger_client.commands.command import Command
from ledger_client.commands.holds import capture, capture_split, capture_to, change_hold, hold, release
from ledger_client.commands.money import (
    claim,
    deposit,
    reverse,
    reverse_as_claim,
    reverse_transfer,
    transaction,
    transfer,
    waive_claim,
    withdraw,
)
from ledger_client.commands.rules import (
    change_account,
    change_user,
    close,
    create_user,
    freeze,
    open_account,
    remove_limits,
    set_limits,
    set_threshold,
    unfreeze,
)

__all__ = [
    "Command",
    "batch",
    "capture",
    "capture_split",
    "capture_to",
    "change_account",
    "change_hold",
    "change_user",
    "claim",
    "close",
    "create_user",
    "deposit",
    "freeze",
    "hold",
    "open_account",
    "release",
    "remove_limits",
    "reverse",
    "reverse_as_claim",
    "reverse_batch",
    "reverse_transfer",
    "set_limits",
    "set_threshold",
    "transaction",
    "transfer",
    "unfreeze",
    "waive_claim",
    "withdraw",
]
