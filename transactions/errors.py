"""Why a command is refused or declined.

The classes are refusals: nothing is written, the id stays free. The constants are declines: answers that
depend on the state of the account, recorded under the id for ever.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.transaction import TransactionManagementError

from accounts.currencies import write_exactly
from accounts.errors import ACCOUNT_CLOSED, ACCOUNT_FROZEN, INSUFFICIENT_FUNDS, LIMIT_EXCEEDED
from accounts.errors import BATCH_DECLINED as BATCH_DECLINED
from ledger.errors import LedgerError
from ledger.errors import gettext_noop as _

if TYPE_CHECKING:
    from accounts.models import Claim, Hold
    from transactions.models import Transaction

INSUFFICIENT_FUNDS_AT = "insufficient_funds_at"
VERSION_MISMATCH = "version_mismatch"
BALANCE_LIMIT_EXCEEDED = "balance_limit_exceeded"
ALREADY_REVERSED = "already_reversed"
REVERSAL_TOO_LARGE = "reversal_too_large"
REVERSAL_TOO_SMALL = "reversal_too_small"
HOLD_NOT_OPEN = "hold_not_open"
TRANSFER_DECLINED = "transfer_declined"

# What a recorded decline tells people; its extensions are in `decline_details`. English here, translated by
# `office.explanations`.
DECLINES = {
    INSUFFICIENT_FUNDS: _("The account has less available than the withdrawal requires."),
    INSUFFICIENT_FUNDS_AT: _(
        "The withdrawal would leave the balance below zero at a later moment in the past."
    ),
    ACCOUNT_FROZEN: _("The account is frozen: it accepts money in, not out."),
    ACCOUNT_CLOSED: _("The account is closed."),
    VERSION_MISMATCH: _("The account is not at the expected version."),
    BALANCE_LIMIT_EXCEEDED: _("The balance would pass the highest a balance may be."),
    LIMIT_EXCEEDED: _("The withdrawal is more than a limit of the account or the hold allows."),
    ALREADY_REVERSED: _("The transaction was reversed before: nothing of it is left."),
    REVERSAL_TOO_LARGE: _("Less of the transaction is left than is to be taken back."),
    REVERSAL_TOO_SMALL: _("The part is so small that nothing would move on the other account."),
    HOLD_NOT_OPEN: _("The hold is not open any more."),
    TRANSFER_DECLINED: _("The other leg of the transfer was declined."),
    BATCH_DECLINED: _("Another command of the atomic batch was declined."),
}


class WouldDecline(Exception):
    """A request that takes no decline would be declined, `row` first. Nothing was written."""

    def __init__(self, row: "Transaction | Hold | Claim") -> None:
        super().__init__(f"{row.id} would be declined: {row.decline_reason}.")
        self.row = row


class Declined(LedgerError):
    """What was asked in process was declined, all of it, and that is committed: new attempts need new ids.

    `code` is the reason, as over HTTP, with the same `detail` and `extensions`. `row` is the transaction,
    the hold or the claim that was declined for a reason of its own, `results` are all results.
    """

    def __init__(self, detail: str, row: "Transaction | Hold | Claim", results: Sequence[Any]) -> None:
        transfer = getattr(row, "transfer", None)
        belongs: dict[str, Any] = {"transfer": str(transfer)} if transfer else {}
        super().__init__(detail, id=str(row.id), **belongs | (row.decline_details or {}))
        self.code, self.row, self.results = row.decline_reason or "", row, results


class InsideTransaction(TransactionManagementError):
    """What must own the outermost transaction was called inside another one. Nothing was asked yet."""


class ChoiceInvalid(LedgerError, code="invalid_choice"):
    """Not one of the values that there are."""


class FieldUnknown(LedgerError, code="unknown_field"):
    """There is no field, or no limit, of that name."""


class DatetimeInvalid(LedgerError, code="datetime_invalid"):
    """Not a moment that knows its offset from UTC."""


class IdTwice(LedgerError, code="duplicate_id", field="id"):
    """Two commands of one posting have the same id."""


class EffectiveAtInFuture(LedgerError, code="effective_at_in_future", field="effective_at"):
    """Money cannot move later than now."""


class EffectiveAtTooEarly(LedgerError, code="effective_at_too_early", field="effective_at"):
    """Nothing is effective before 1970, and nothing is taken back before it moved."""


class CurrencyMismatch(LedgerError, code="currency_mismatch", field="currency"):
    """The account has another currency, or the accounts of a transfer have two and one amount."""


class AmountsDiffer(LedgerError, code="amounts_differ", field="destination_amount"):
    """Between accounts of one currency nothing is lost or won on the way."""


class TransactionNotFound(LedgerError, code="not_found"):
    """No transaction has this id."""


class BatchNotFound(LedgerError, code="not_found"):
    """No batch has this id."""


class SameAccount(LedgerError, code="same_account", field="destination"):
    """A transfer goes from one account to another."""


class NotReversible(LedgerError, code="not_reversible"):
    """What was declined moved nothing; what is itself a reversal stays."""


class NotClaimable(LedgerError, code="not_claimable"):
    """What is taken back cannot be owed: it is no money that came in, or went between two currencies."""


class TokenBound(LedgerError, code="token_bound"):
    """The caller's token is bound to other accounts, other types or smaller amounts, as `bound` says."""


def make_beyond_amount_max(amount_max: Decimal) -> TokenBound:
    """That the token is bound to smaller amounts."""
    largest = write_exactly(amount_max)
    detail = f"The token is bound to amounts up to {largest}."
    return TokenBound(detail, bound="amount_max", allowed=largest)


class CorrectionRefused(LedgerError):
    """Of the back office alone: no request to the API is answered with one of these."""


class CorrectionDecided(CorrectionRefused, code="correction_decided"):
    """It was approved or rejected before."""


class SameApprover(CorrectionRefused, code="same_approver"):
    """Whoever asked for a correction cannot approve it."""


class ListTooLarge(CorrectionRefused, code="list_too_large"):
    """Nothing was chosen to be taken back together, or more than one list may write."""


class RequestInProgress(LedgerError, code="request_in_progress"):
    """Another request with the same id is being posted at this moment."""


class CommitNotConfirmed(Exception):
    """An `atomic()` ended without an error and without a commit; whether anything was written is unknown."""
