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

# What a declined hold tells people; its extensions are in `decline_details`.
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


class IdempotencyKeyReused(LedgerError):
    """The identity was used before, for another command; `differs` names the parts that are not the same.

    They are told to the owner of what was made then, and to whoever has the permission to see it.
    """

    code = "idempotency_key_reused"

    def __init__(self, detail: str, differs: list[str], *, owner_id: UUID, permission: str) -> None:
        super().__init__(detail, differs=differs)
        self.confidential_to = (owner_id, permission)


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
