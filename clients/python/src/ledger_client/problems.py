"""What can come instead of a good answer: none that is final, or a refusal.

    LedgerError
      Unanswered          nobody knows yet whether it was done: the same again, with the same id
        NotTheLedger      somebody else has answered: a proxy, another service
      Refused             final; `code` says why, `extensions` have the particulars
        Declined          recorded under its id for ever
          InsufficientFunds
        InvalidRequest, NotAuthenticated, PermissionDenied, NotFound, NoSuchAddress, HistoryChanged,
        EventsPruned

A code that this client does not know is the class of its status, or `Refused` itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger_client.wire import read_amount

STANDARD = {"type", "title", "status", "detail", "code", "request_id", "errors"}


class LedgerError(Exception):
    """The base of all that this client raises of itself."""


class Unanswered(LedgerError):
    """No final answer for as long as the client insists. Whether it was done is not known: send the same
    again, with the same id, now or after a restart. A new id would be a new command.

    `retry_after`: the seconds that the ledger has asked to wait, or 0.
    """

    def __init__(self, message: str, *, retry_after: float = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotTheLedger(Unanswered):
    """An answer that is not the ledger's: a redirect, a page, another resource. Look at the address and at
    what is in between; that this very command was done before is as possible as ever."""


@dataclass(frozen=True)
class FieldError:
    """One thing that is wrong. `pointer`: `/amount` in a body, `?at` in a query, or a header's name."""

    pointer: str
    code: str
    detail: str


class Refused(LedgerError):
    """A problem (RFC 9457). `extensions` are its members beside the standard ones, as they came."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = dict(problem)
        self.code = str(problem.get("code", ""))
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", ""))
        self.request_id = str(problem.get("request_id", ""))
        self.errors = tuple(read_field_errors(problem.get("errors")))
        self.extensions = {name: value for name, value in problem.items() if name not in STANDARD}
        super().__init__(f"{status} {self.code}: {self.detail}")

    def __reduce__(self) -> Any:
        return type(self), (self.status, self.problem)

    def get_amount(self, name: str) -> Decimal | None:
        """An amount among the extensions, in the currency of the account; None if it has none."""
        value = self.extensions.get(name)
        return None if value is None else read_amount(value)


class InvalidRequest(Refused):
    """400: malformed; `errors` point to what is wrong. Nothing was recorded."""


class NotAuthenticated(Refused):
    """401: no token, or one that is unknown, revoked or expired."""


class PermissionDenied(Refused):
    """403: the token may not; `permission` names what it would need."""

    @property
    def permission(self) -> str | None:
        return self.extensions.get("permission")


class NotFound(Refused):
    """404: not there, or not the caller's to see."""


class NoSuchAddress(Refused):
    """404 of the address: nothing is said of what was asked for. Look at the `url` of the client."""


class HistoryChanged(Refused):
    """410: the cursor is of a history that a restore or a failover has ended."""


class EventsPruned(Refused):
    """410: older than what the feed keeps."""


class Declined(Refused):
    """Understood, refused, and recorded: the same id is answered the same for ever. Another attempt is
    another id."""

    @property
    def id(self) -> UUID | None:
        """Of the declined transaction, hold or claim."""
        value = self.extensions.get("id")
        return UUID(value) if value else None


class InsufficientFunds(Declined):
    """402: less was there than was needed."""

    @property
    def available(self) -> Decimal | None:
        return self.get_amount("available")

    @property
    def required(self) -> Decimal | None:
        return self.get_amount("required")


BY_CODE: dict[str, type[Refused]] = {
    "insufficient_funds": InsufficientFunds,
    "insufficient_funds_at": InsufficientFunds,
    **dict.fromkeys(
        (
            *("version_mismatch", "sequence_mismatch", "account_frozen", "account_closed"),
            *("balance_limit_exceeded", "limit_exceeded", "already_reversed", "reversal_too_large"),
            *(
                "reversal_too_small",
                "hold_not_open",
                "too_many_claims",
                "transfer_declined",
                "batch_declined",
            ),
        ),
        Declined,
    ),
    "no_such_address": NoSuchAddress,
    "feed_epoch_changed": HistoryChanged,
    "cursor_ahead_of_feed": HistoryChanged,
    "events_pruned": EventsPruned,
}
BY_STATUS: dict[int, type[Refused]] = {
    400: InvalidRequest,
    401: NotAuthenticated,
    402: Declined,
    403: PermissionDenied,
    404: NotFound,
}


def make_refusal(status: int, problem: Mapping[str, Any]) -> Refused:
    """The exception of a problem, whatever its code."""
    kind = BY_CODE.get(problem.get("code", "")) or BY_STATUS.get(status, Refused)
    return kind(status, problem)


def read_field_errors(errors: Any) -> list[FieldError]:
    return [
        FieldError(*(str(each.get(name, "")) for name in ("pointer", "code", "detail")))
        for each in (errors if isinstance(errors, list) else [])
        if isinstance(each, dict)
    ]
