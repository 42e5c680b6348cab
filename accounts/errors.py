"""Why a command about a user, an account or a hold is refused or declined.

The classes are refusals: nothing is recorded, no id is burnt. The constants are declines of holds and of
transactions: answers that depend on the state of the account, recorded under the id for ever.
"""

from typing import TYPE_CHECKING

from events.errors import LedgerError, gettext_noop

if TYPE_CHECKING:
    from accounts.models import Hold

INSUFFICIENT_FUNDS = "insufficient_funds"
ACCOUNT_FROZEN = "account_frozen"
ACCOUNT_CLOSED = "account_closed"
LIMIT_EXCEEDED = "limit_exceeded"

# What a declined hold tells people; its particulars are in `decline_details`.
DECLINES = {
    INSUFFICIENT_FUNDS: gettext_noop("The account has less available than the hold requires."),
    ACCOUNT_FROZEN: gettext_noop("The account is frozen: it accepts no new holds."),
    ACCOUNT_CLOSED: gettext_noop("The account is closed."),
    LIMIT_EXCEEDED: gettext_noop("The account would hold more than a balance may be."),
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


class CurrencyUnknown(LedgerError):
    code = "currency_unknown"
    field = "currency"


class CurrencyRequired(LedgerError):
    """The user has several accounts of that name: say which currency is meant."""

    code = "currency_required"
    field = "currency"


class AccountNotFound(LedgerError):
    code = "not_found"


class HoldNotFound(LedgerError):
    code = "not_found"


class HoldNotOpen(LedgerError):
    """What was captured, declined or has expired cannot be released any more."""

    code = "hold_not_open"


class HoldReused(LedgerError):
    """The id was used before, for another hold; `hold` is that one, which not everybody may see."""

    code = "idempotency_key_reused"

    def __init__(self, hold: "Hold", differs: list[str]) -> None:
        super().__init__("This id was used before, for another hold.", differs=differs)
        self.hold = hold


class ExpiresAtInvalid(LedgerError):
    code = "expires_at_invalid"
    field = "expires_at"


class AccountClosed(LedgerError):
    """Closed is final: neither its status nor its limits change any more."""

    code = ACCOUNT_CLOSED


class AccountNotEmpty(LedgerError):
    code = "account_not_empty"


class CreditLimitInUse(LedgerError):
    """The account has used more credit than the new limit would allow."""

    code = "credit_limit_in_use"
    field = "credit_limit"


class UserNotFound(LedgerError):
    code = "not_found"


class ExternalIdTaken(LedgerError):
    code = "external_id_taken"
    field = "external_id"


class IdentityReused(LedgerError):
    """The identity was used before, for another command. `differs` names the fields that are not the same."""

    code = "idempotency_key_reused"


class IdInvalid(LedgerError):
    code = "id_invalid"
    field = "id"


class IdentityRequired(LedgerError):
    """A command without an identity could not be retried safely."""

    code = "identity_required"
    field = "id"


class TwoIdentities(LedgerError):
    code = "two_identities"
    field = "id"


class IdempotencyKeyInvalid(LedgerError):
    code = "idempotency_key_invalid"
