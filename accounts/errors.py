"""Why a command about a user or an account is refused. None of these is recorded, none burns an id."""

from events.errors import LedgerError


class CurrencyUnknown(LedgerError):
    code = "currency_unknown"
    field = "currency"


class CurrencyRequired(LedgerError):
    """The user has several accounts of that name: say which currency is meant."""

    code = "currency_required"
    field = "currency"


class AccountNotFound(LedgerError):
    code = "not_found"


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
