"""What the ledger decided and refused, in words for staff."""

from contextlib import suppress
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy

from accounts import staff, tokens
from accounts.errors import DECLINES as DECLINES_OF_HOLDS
from accounts.errors import DECLINES_OF_CLAIMS
from accounts.models import Claim, Hold
from events import errors
from ledger.errors import LedgerError
from office.templatetags.ledger import link, moment, money
from transactions.errors import DECLINES
from transactions.models import Transaction

RULES = {
    "held": gettext_lazy("the most that an account may hold"),
    "hold": gettext_lazy("what is left of the hold"),
    "withdraw_max": gettext_lazy("the most that one withdrawal may take"),
    "withdraw_day_max": gettext_lazy("the most that a day's withdrawals may take"),
}
DETAILS = {
    "available": gettext_lazy("available"),
    "required": gettext_lazy("required"),
    "instant": gettext_lazy("first moment it would break"),
    "rule": gettext_lazy("limit that was passed"),
    "limit": gettext_lazy("limit"),
    "withdrawn": gettext_lazy("withdrawn that day before"),
    "balance": gettext_lazy("balance"),
    "captured": gettext_lazy("captured"),
    "amount": gettext_lazy("amount"),
    "expected_version": gettext_lazy("expected version"),
    "version": gettext_lazy("version"),
    "expected_sequence": gettext_lazy("expected number of the last event"),
    "sequence": gettext_lazy("number of the last event"),
    "hold_status": gettext_lazy("status of the hold"),
    "reversed_by": gettext_lazy("reversed by"),
    "left": gettext_lazy("left of it"),
    "culprit": gettext_lazy("because of"),
    "account": gettext_lazy("account"),
    "open": gettext_lazy("open claims"),
}
SENTENCES = {Transaction: DECLINES, Hold: DECLINES_OF_HOLDS, Claim: DECLINES_OF_CLAIMS}


def explain(row: Transaction | Hold | Claim) -> str:
    """Why the row was declined, in one sentence; an empty text, if it was not."""
    reason = row.decline_reason or ""
    sentences = SENTENCES[type(row)]
    return gettext(sentences[reason]) if reason in sentences else reason


def describe_decline(row: Transaction | Hold | Claim | None, currency: str) -> dict[str, Any] | None:
    """Why the row was declined, for `office/decline.html`; None, if it was not.

    `sentence` says it; `extensions` are under it, each a label and a text or HTML. `currency` is that of the
    row's account.
    """
    if row is None or not row.decline_reason:
        return None
    return {
        "sentence": explain(row),
        "extensions": [
            (str(DETAILS.get(name, name)), _show_detail(name, str(value), currency))
            for name, value in (row.decline_details or {}).items()
            if isinstance(value, str | int)
        ],
    }


def _show_detail(name: str, text: str, currency: str) -> str:
    """A detail of a decline in the reader's words; whatever else stands in the row, as it stands there."""
    with suppress(ValueError, InvalidOperation):
        match name:
            case (
                "available" | "required" | "limit" | "withdrawn" | "balance" | "left" | "captured" | "amount"
            ):
                return money(Decimal(text), currency)
            case "instant":
                return moment(datetime.fromisoformat(text))
            case "rule":
                return str(RULES.get(text, text))
            case "hold_status":
                return str(Hold.Status(text).label)
            case "reversed_by" | "culprit":  # a transaction, a claim or a hold
                return format_html(
                    '<a class="text-link" href="{}?q={}">{}</a>', reverse("admin:find"), text, text
                )
            case "account":
                return link("accounts_account", text, text)
    return text


REFUSALS = {
    "amount_invalid": gettext_lazy("An amount is plain digits, like 1234.50."),
    "amount_not_positive": gettext_lazy("An amount is more than zero."),
    "amount_too_large": gettext_lazy("The amount is more than the ledger takes."),
    "amount_scale": gettext_lazy("The amount has more decimals than its currency has."),
    "invalid_text": gettext_lazy("The text has something in it that is no character."),
    "text_control_character": gettext_lazy(
        "The text has a control character, or one that turns the direction of writing. Type it anew."
    ),
    "text_invisible": gettext_lazy("The text has something in it that cannot be seen. Type it anew."),
    "text_padded": gettext_lazy("The text begins or ends with a space."),
    "text_not_normalized": gettext_lazy(
        "The text is composed of characters in an unusual way (not NFC). Type it anew."
    ),
    "account_closed": gettext_lazy("The account is closed."),
    "not_found": gettext_lazy("There is no such thing any more."),
    "limit_reached": gettext_lazy("There are as many of them as there may be."),
    "idempotency_key_reused": gettext_lazy(
        "This form was sent before, with other contents, and that counts. Open it again for another "
        "correction."
    ),
}
# Errors that have words of their own here, and the form's field that each is about.
REFUSALS_BY_CLASS: dict[type[Exception], tuple[Promise, str | None]] = {
    staff.UsernameTaken: (gettext_lazy("There is a user of this name already."), "username"),
    staff.ChangesThemselves: (
        gettext_lazy("Nobody changes themselves here: ask another administrator."),
        None,
    ),
    staff.BeyondOwnPermissions: (gettext_lazy("This is about rights that you do not have yourself."), None),
    staff.LastSuperuser: (
        gettext_lazy("This is the last active superuser: nobody could let anybody in."),
        None,
    ),
    tokens.UserIsStaff: (
        gettext_lazy(
            "This is a member of staff. A token asks for no second factor: make a service of its own."
        ),
        "name",
    ),
    tokens.UserIsInactive: (gettext_lazy("This user is not active: their tokens are not taken."), "name"),
    tokens.GroupsUnknown: (gettext_lazy("There is no such group any more."), "groups"),
    tokens.PermissionsUnknown: (gettext_lazy("There is no such permission any more."), "permissions"),
    tokens.PermissionsBeyondUser: (
        gettext_lazy("The user has not got all of these: choose a group that gives them."),
        "permissions",
    ),
    tokens.AccountNamesInvalid: (
        gettext_lazy("At most 50 names, each of at most 150 characters."),
        "account_names",
    ),
    tokens.AmountMaxInvalid: (
        gettext_lazy("An amount is more than zero, and no more than the ledger takes."),
        "amount_max",
    ),
    errors.FeedStopped: (
        gettext_lazy(
            "The database was restored or has failed over: the feed waits for an operator (new_feed_epoch)."
        ),
        "after",
    ),
    errors.FeedEpochChanged: (
        gettext_lazy("This cursor is of a history that a restore or a failover has ended."),
        "after",
    ),
    errors.CursorAheadOfFeed: (gettext_lazy("This cursor is ahead of the feed."), "after"),
    errors.EventsPruned: (
        gettext_lazy("Events after this cursor are not kept any more. Replay it from a later one."),
        "after",
    ),
    errors.SubscriptionNotFound: (gettext_lazy("There is no such subscription any more."), "after"),
    errors.SubscriptionNotActive: (gettext_lazy("Nothing is sent to it at the moment: resume it."), None),
    errors.Busy: (gettext_lazy("Others are waiting already. Send it again."), "after"),
}
REFUSED: tuple[type[Exception], ...] = (LedgerError, *REFUSALS_BY_CLASS)


def explain_refusal(error: Any) -> tuple[Any, str | None]:
    """What the domain refused, one of `REFUSED`: in the reader's language, and the form's field it is about.

    The text is that of its class or of its code, or else its own, which is then marked with `gettext_noop`.
    """
    if type(error) in REFUSALS_BY_CLASS:
        return REFUSALS_BY_CLASS[type(error)]
    return REFUSALS.get(error.code) or gettext(error.detail), error.field
