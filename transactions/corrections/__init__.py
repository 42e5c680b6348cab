"""What staff put right: deposits and withdrawals of their own, reversals, and what accounts owe.

Above a limit a second person must approve. The correction's id is that of what it becomes, so it is posted
once, whatever happens; a claim is waived once by itself.
"""

from transactions.corrections.asking import adjust, claim, claim_back, draft, reverse, waive
from transactions.corrections.commands import make_batch, make_commands
from transactions.corrections.deciding import approve, reject
from transactions.corrections.finding import (
    count_waiting,
    find_about,
    find_claim,
    find_decline,
    find_of_account,
    find_taken_back,
    find_transactions,
    find_waiting,
    find_waiting_reversals,
    find_waiting_waiver,
)
from transactions.corrections.lists import draft_all, find_batch, reverse_all

__all__ = [
    "adjust",
    "approve",
    "claim",
    "claim_back",
    "count_waiting",
    "draft",
    "draft_all",
    "find_about",
    "find_batch",
    "find_claim",
    "find_decline",
    "find_of_account",
    "find_taken_back",
    "find_transactions",
    "find_waiting",
    "find_waiting_reversals",
    "find_waiting_waiver",
    "make_batch",
    "make_commands",
    "reject",
    "reverse",
    "reverse_all",
    "waive",
]
