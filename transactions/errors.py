"""Why a command is refused or declined.

The classes are refusals: nothing is written, the id stays free. The constants are declines: answers that
depend on the state of the account, recorded under the id for ever.
"""

from events.errors import LedgerError
from transactions.models import Transaction

INSUFFICIENT_FUNDS = "insufficient_funds"
INSUFFICIENT_FUNDS_AT = "insufficient_funds_at"
ACCOUNT_FROZEN = "account_frozen"
ACCOUNT_CLOSED = "account_closed"
VERSION_MISMATCH = "version_mismatch"
BALANCE_LIMIT_EXCEEDED = "balance_limit_exceeded"

# What a recorded decline tells people; its particulars are in `decline_details`.
DECLINES = {
    INSUFFICIENT_FUNDS: "The account has less available than the withdrawal requires.",
    INSUFFICIENT_FUNDS_AT: "The withdrawal would leave the balance below zero at a later moment in the past.",
    ACCOUNT_FROZEN: "The account is frozen: it accepts money in, not out.",
    ACCOUNT_CLOSED: "The account is closed.",
    VERSION_MISMATCH: "The account is not at the expected version.",
    BALANCE_LIMIT_EXCEEDED: "The balance would pass the highest a balance may be.",
}


class AmountInvalid(LedgerError):
    code = "amount_invalid"
    field = "amount"


class AmountNotPositive(LedgerError):
    code = "amount_not_positive"
    field = "amount"


class AmountTooLarge(LedgerError):
    code = "amount_too_large"
    field = "amount"


class AmountScale(LedgerError):
    """More decimals than the currency has. Never rounded."""

    code = "amount_scale"
    field = "amount"


class EffectiveAtInFuture(LedgerError):
    code = "effective_at_in_future"
    field = "effective_at"


class EffectiveAtTooEarly(LedgerError):
    code = "effective_at_too_early"
    field = "effective_at"


class CurrencyMismatch(LedgerError):
    code = "currency_mismatch"
    field = "currency"


class IdempotencyKeyReused(LedgerError):
    """The id was decided before, for another command. `transaction` is that one; not everybody may see it."""

    code = "idempotency_key_reused"

    def __init__(self, transaction: Transaction, differs: list[str]) -> None:
        super().__init__("This id was used before, for another command.", differs=differs)
        self.transaction = transaction
        self.differs = differs


class RequestInProgress(LedgerError):
    code = "request_in_progress"


class CommitNotConfirmed(Exception):
    """An `atomic()` ended without an error and without a commit; whether anything was written is unknown."""
