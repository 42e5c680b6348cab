"""Ending due holds of accounts that nobody posts to."""

from uuid import UUID

from django.db import connection

from accounts import queries
from ledger.errors import LedgerError
from transactions.posting.commands import Expiry
from transactions.posting.engine import post_request, post_what_is_free
from transactions.posting.requests import PostingRequest, PostingResult

NOBODY = UUID(int=0)


def expire_some(accounts_max: int = 100) -> int:
    """End due holds of so many accounts at most, an account per commit; how many holds there were.

    An account that is being worked on is left alone: who works on it ends its due holds. In a caller's
    transaction it is waited for.
    """
    expired = 0
    for id in queries.find_accounts_with_due_holds(accounts_max):
        request = PostingRequest(commands=[Expiry(account_id=id)], actor=NOBODY)
        outcome = post_request(request) if connection.in_atomic_block else post_what_is_free([request])[0]
        if outcome is not None and not isinstance(outcome, LedgerError):
            expired += sum(len(answer.made) for answer in outcome if isinstance(answer, PostingResult))
    return expired
