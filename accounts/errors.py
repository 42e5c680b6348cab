"""Why a command about a user, an account or a hold is refused or declined.

The classes are refusals: nothing is recorded, no id is burnt. The constants are declines of holds and of
transactions: answers that depend on the state of the account, recorded under the id for ever.
"""

from uuid import UUID

from ledger.errors import LedgerError, gettext_noop

INSUFFICIENT_FUNDS = "insufficient_funds"
ACCOUNT_FROZEN = "account_frozen"
ACCOUNT_CLOSED = "account_closed"
LIMIT_EXCEEDED = "limit_exceeded"
BATCH_DECLINED = "batch_declined"
SEQUENCE_MISMATCH = "sequence_mismatch"
TOO_MANY_CLAIMS = "too_many_claims"

# What a declined hold tells people; its extensions are in `decline_details`.
DECLINES = {
    INSUFFICIENT_FUNDS: gettext_noop("The account has less available than the hold requires."),
    ACCOUNT_FROZEN: gettext_noop("The account is frozen: it accepts no new holds."),
    ACCOUNT_CLOSED: gettext_noop("The account is closed."),
    LIMIT_EXCEEDED: gettext_noop("The account would hold more than a balance may be."),
    SEQUENCE_MISMATCH: gettext_noop("The account is not at the expected sequence."),
    BATCH_DECLINED: gettext_noop("Another command of the atomic batch was declined."),
}
# And a declined claim.
DECLINES_OF_CLAIMS = {
    ACCOUNT_CLOSED: gettext_noop("The account, or the one that would be paid, is closed."),
    "already_reversed": gettext_noop("Nothing is left to be taken back of the transaction."),
    "reversal_too_large": gettext_noop("More is asked for than is left of the transaction."),
    TOO_MANY_CLAIMS: gettext_noop("There are as many open claims on the account as there may be."),
    BATCH_DECLINED: gettext_noop("Another command of the atomic batch was declined."),
}


class AmountInvalid(LedgerError, code="amount_invalid", field="amount"):
    """The amount is no finite decimal number."""


class AmountNotPositive(LedgerError, code="amount_not_positive", field="amount"):
    """The amount is zero or less."""


class AmountTooLarge(LedgerError, code="amount_too_large", field="amount"):
    """The amount is above `AMOUNT_MAX`."""


class AmountScale(LedgerError, code="amount_scale", field="amount"):
    """The amount has more decimals than the currency has. It is never rounded."""


class CurrencyUnknown(LedgerError, code="currency_unknown", field="currency"):
    """The ledger has no such currency."""


class CurrencyClosed(LedgerError, code="currency_closed", field="currency"):
    """The currency is known, but no new account can have it."""


class CurrencyRequired(LedgerError, code="currency_required", field="currency"):
    """The user has several accounts of that name: say which currency is meant."""


class AccountNotFound(LedgerError, code="not_found"):
    """No account has this id, the `account_id`, or no account of the user has this currency and name."""

    account_id: UUID | None = None


class HoldNotFound(LedgerError, code="not_found"):
    """No hold has this id."""


class ThresholdNotFound(LedgerError, code="not_found"):
    """No threshold has this id."""


class TooManyThresholds(LedgerError, code="limit_reached"):
    """The account has `THRESHOLDS_MAX` thresholds already."""


class HoldNotOpen(LedgerError, code="hold_not_open"):
    """What was captured, declined or has expired cannot be changed or released any more."""


class AmountCaptured(LedgerError, code="amount_captured", field="amount"):
    """A hold that stays open holds more than was captured of it: to end it, release it."""


class ClaimNotFound(LedgerError, code="not_found"):
    """No claim has this id."""


class ClaimNotOpen(LedgerError, code="claim_not_open"):
    """What was collected or declined cannot be waived any more."""


class ExpiresAtInvalid(LedgerError, code="expires_at_invalid", field="expires_at"):
    """A hold must expire later than now."""


class AccountClosed(LedgerError, code=ACCOUNT_CLOSED):
    """Closed is final: neither its status nor its limits change any more."""


class SequenceMismatch(LedgerError, code=SEQUENCE_MISMATCH):
    """More has happened on the account than the command expects; of a hold it is a decline."""


class EtagMismatch(LedgerError, code="etag_mismatch"):
    """What would be changed is not as any of the ETags says that `If-Match` names."""


class AccountNotEmpty(LedgerError, code="account_not_empty"):
    """An account that has a balance or holds cannot be closed."""


class AccountOwes(LedgerError, code="account_owes"):
    """An account with open claims cannot be closed."""


class CreditLimitInUse(LedgerError, code="credit_limit_in_use", field="credit_limit"):
    """The account has used more credit than the new limit would allow."""


class UserNotFound(LedgerError, code="not_found"):
    """No user has this id."""


class UserErased(LedgerError, code="user_erased"):
    """The person was forgotten: nobody is made, and nothing changed, in their place."""


class ErasureRefused(LedgerError):
    """Of the back office and the commands alone: no request to the API is answered with one of these."""


class NotAHolder(ErasureRefused, code="not_a_holder"):
    """Staff and services are not forgotten: their names stand on what they did."""


class ErasureWaiting(ErasureRefused, code="erasure_waiting"):
    """Somebody has asked to forget this person already."""


class ErasureDecided(ErasureRefused, code="erasure_decided"):
    """It was approved or rejected before."""


class SameEraser(ErasureRefused, code="same_approver"):
    """Whoever asked to forget a person cannot approve it."""


class EraserNotPermitted(ErasureRefused, code="eraser_not_permitted"):
    """The approver is no active member of staff who may do this."""


class ExternalIdTaken(LedgerError, code="external_id_taken", field="external_id"):
    """Another user has this external id."""


class IdempotencyKeyReused(LedgerError, code="idempotency_key_reused"):
    """The identity was used before, for another command; `differs` names the parts that are not the same.

    They are `confidential_to` the owner of what was made then, and to whoever has the permission to see it.
    """


class IdInvalid(LedgerError, code="id_invalid", field="id"):
    """The id is nil, max, or of version 8, which belongs to ids that the ledger derives."""


class IdentityRequired(LedgerError, code="identity_required", field="id"):
    """A command without an identity could not be retried safely."""


class TwoIdentities(LedgerError, code="two_identities", field="id"):
    """The command came with both an id and an `Idempotency-Key`."""


class IdempotencyKeyInvalid(LedgerError, code="idempotency_key_invalid"):
    """The `Idempotency-Key` is empty, too long, or not printable ASCII."""
