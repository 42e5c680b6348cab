"""What the ledger decided and refused, in words for staff."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from accounts.errors import DECLINES as HOLD_DECLINES
from accounts.models import Hold
from ledger.errors import LedgerError
from office.actions import Refusal
from office.links import link
from office.templatetags.ledger import moment, money
from transactions.errors import DECLINES
from transactions.models import Transaction

RULES = {
    "held": gettext_lazy("the most that an account may hold"),
    "hold": gettext_lazy("what is left of the hold"),
    "withdraw_max": gettext_lazy("the most that one withdrawal may take"),
    "withdraw_day_max": gettext_lazy("the most that a day's withdrawals may take"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence, and the extensions under it: each a label and a text or HTML."""

    sentence: str
    extensions: list[tuple[str, Any]]


def explain(row: Transaction | Hold) -> str:
    """Why the row was declined, in one sentence; nothing, if it was not."""
    reason = row.decline_reason or ""
    sentences = DECLINES if isinstance(row, Transaction) else HOLD_DECLINES
    return gettext(sentences[reason]) if reason in sentences else reason


def describe_decline(row: Transaction | Hold | None, currency: str) -> Words | None:
    """Why the row was declined; None, if it was not. `currency` is that of its account."""
    if row is None or not row.decline_reason:
        return None
    return Words(
        explain(row),
        [
            _describe_particular(name, text, currency)
            for name, text in (row.decline_details or {}).items()
            if isinstance(text, str)
        ],
    )


def _describe_particular(name: str, text: str, currency: str) -> tuple[str, Any]:
    if name not in PARTICULARS:
        return name, text
    label, show = PARTICULARS[name]
    try:
        return str(label), show(text, currency)
    except (ValueError, InvalidOperation):  # whatever stands in the row is shown
        return str(label), text


def _show_amount(text: str, currency: str) -> str:
    return money(Decimal(text), currency)


def _show_moment(text: str, currency: str) -> str:
    return moment(datetime.fromisoformat(text))


def _show_text(text: str, currency: str) -> str:
    return text


def _show_rule(text: str, currency: str) -> str:
    return str(RULES.get(text, text))


def _show_hold_status(text: str, currency: str) -> str:
    return str(Hold.Status(text).label)


def _link(text: str, currency: str) -> str:
    return link("transactions_transaction", text, text)


PARTICULARS: dict[str, tuple[Any, Callable[[str, str], str]]] = {
    "available": (gettext_lazy("available"), _show_amount),
    "required": (gettext_lazy("required"), _show_amount),
    "instant": (gettext_lazy("first moment it would break"), _show_moment),
    "rule": (gettext_lazy("limit that was passed"), _show_rule),
    "limit": (gettext_lazy("limit"), _show_amount),
    "withdrawn": (gettext_lazy("withdrawn that day before"), _show_amount),
    "balance": (gettext_lazy("balance"), _show_amount),
    "expected_version": (gettext_lazy("expected version"), _show_text),
    "version": (gettext_lazy("version"), _show_text),
    "hold_status": (gettext_lazy("status of the hold"), _show_hold_status),
    "reversed_by": (gettext_lazy("reversed by"), _link),
    "culprit": (gettext_lazy("because of"), _link),
}

REFUSALS = {
    "amount_invalid": gettext_lazy("An amount is plain digits, like 1234.50."),
    "amount_not_positive": gettext_lazy("An amount is more than zero."),
    "amount_too_large": gettext_lazy("The amount is more than the ledger takes."),
    "amount_scale": gettext_lazy("The amount has more decimals than its currency has."),
    "account_closed": gettext_lazy("The account is closed."),
    "not_found": gettext_lazy("There is no such thing any more."),
    "idempotency_key_reused": gettext_lazy(
        "This form was sent before, with other contents, and that counts. Open it again for another "
        "correction."
    ),
}


@contextmanager
def refusals() -> Iterator[None]:
    """What the domain refuses becomes the form's; its own text is marked with `gettext_noop`."""
    try:
        yield
    except LedgerError as error:
        raise Refusal(REFUSALS.get(error.code) or gettext(error.detail), error.field) from error
