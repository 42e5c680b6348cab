"""The filters of what moves money, sets it aside or asks for it: along which index, and what is tried."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.errors import DECLINES as DECLINES_OF_HOLDS
from accounts.models import Claim, ClockTimestamp, Erasure, Hold
from ledger.callers import ActorKind
from ledger.sql import fetch
from office.lists.fields import Caller, Choice, Id, Moment, Number, Text, YesOrNo
from office.lists.forms import ListForm, Lookup, OptionalPeriodForm, PeriodForm, within
from transactions.errors import DECLINES
from transactions.models import Correction, Transaction

# Of what is asked of its account, a row needs a look of its own: so many rows are some six hundred pages.
LOOKED_AT_MAX_WITH_ACCOUNTS = 150

# The last number of an account by then; as `reading.queries.write_known`, but of declined rows too.
FIND_NUMBER = """
SELECT seq FROM transactions_transaction WHERE account_id = ANY(ARRAY[%s]) AND recorded_at <= %s
ORDER BY account_id DESC, recorded_at DESC LIMIT 1
"""


def translate(sentences: Mapping[str, str]) -> list[tuple[str, Any]]:
    """As choices."""
    return [(code, _(sentence)) for code, sentence in sentences.items()]


def be_set(column: str) -> Lookup:
    """Whether the column has a value."""
    return lambda yes: Q(**{f"{column}__isnull": not yes})


class OfAccounts(ListForm):
    """Of what happens on accounts: in whose currency an amount is, their rows say."""

    def read_currency(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked.get("currency"):
            self.looked_at_max = LOOKED_AT_MAX_WITH_ACCOUNTS
            asked["currency"] = asked["currency"].upper()
        return asked


class TransactionForm(OfAccounts, PeriodForm):
    """Over all accounts along `transaction_by_recording`, of one account along its own rows."""

    axis = Choice([("effective", _("effective"))], label=_("Dates are"), any=_("recorded"))
    status = Choice(Transaction.Status.choices, label=_("Status"))
    decline_reason = Choice(translate(DECLINES), label=_("Why declined"))
    type = Choice(Transaction.Type.choices, label=_("Type"))
    currency = Text(label=_("Currency"))
    amount_min = Number(label=_("Amount from"))
    amount_max = Number(label=_("Amount to"))
    reference = Text(label=_("Part of the reference"))
    account = Id(label=_("Id of the account"))
    actor = Caller(label=_("Requested by (user name or id)"))
    actor_kind = Choice(ActorKind.choices, label=_("Kind of requester"))
    late = YesOrNo(label=_("Late"))
    reversal = YesOrNo(label=_("Reversal"))
    transfer = YesOrNo(label=_("Transfer"))
    claim = YesOrNo(label=_("Collected for a claim"))

    at_home = ("account",)
    orders = {"oldest": (_("oldest first"), ("recorded_at", "id"))}
    tried = {
        "status": "status",
        "decline_reason": "decline_reason",
        "type": "type",
        "currency": "account__currency",
        "amount_min": "amount__gte",
        "amount_max": "amount__lte",
        "reference": "reference__icontains",
        "actor": "actor",
        "actor_kind": "actor_kind",
        "late": "late",
        "reversal": be_set("reverses"),
        "transfer": be_set("transfer"),
        "claim": be_set("claim"),
        "effective_since": "effective_at__gte",
        "effective_until": "effective_at__lte",
    }

    def clean(self) -> dict[str, Any]:
        asked = super().clean()
        if asked.get("axis") and not self.errors:
            # What was effective then was recorded then or later.
            asked["effective_since"], asked["effective_until"] = asked.get("since"), asked.pop("until", None)
        return self.read_currency(asked)

    def carry(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        since, until, account = self.get("since"), self.get("until"), self.get("account")
        if account is None:
            rows = rows.filter(recorded_at__gte=since) if since else rows
            return rows.filter(recorded_at__lte=until) if until else rows
        rows = rows.filter(within("account_id", account))
        if since:
            rows = rows.filter(seq__gte=find_number(account, since), recorded_at__gte=since)
        return rows.filter(seq__lte=find_number(account, until)) if until else rows

    def find_order(self, order: tuple[str, ...]) -> tuple[str, ...]:
        """Of an effective period the first recorded first: they are most of it."""
        if self.get("account"):
            return ("account_id", "seq") if self.get("order") else ("-account_id", "-seq")
        return self.orders["oldest"][1] if self.get("axis") else super().find_order(order)


def find_number(account: UUID, moment: Any) -> int:
    """The number of the account's last row that was recorded by then; 0 if there was none."""
    return next((seq for (seq,) in fetch(FIND_NUMBER, [account, moment])), 0)


def have_status(value: str) -> Q:
    """A hold that is due is found as expired, whether or not its end is written yet."""
    clock = ClockTimestamp()
    if value == Hold.Status.OPEN:
        return Q(status=value) & (Q(expires_at=None) | Q(expires_at__gt=clock))
    if value == Hold.Status.EXPIRED:
        return Q(status=value) | Q(status=Hold.Status.OPEN, expires_at__lte=clock)
    return Q(status=value)


class HoldForm(OfAccounts, OptionalPeriodForm):
    """Along the making of all of them, of the open ones or of those of an account; or along their ends."""

    status = Choice(Hold.Status.choices, label=_("Status"))
    decline_reason = Choice(translate(DECLINES_OF_HOLDS), label=_("Why declined"))
    ends_since = Moment(label=_("Ends from"))
    ends_until = Moment(label=_("Ends to"), is_end=True)
    currency = Text(label=_("Currency"))
    amount_min = Number(label=_("Amount from"))
    amount_max = Number(label=_("Amount to"))
    reference = Text(label=_("Part of the reference"))
    account = Id(label=_("Id of the account"))

    carried = {"account": lambda id: within("account_id", id)}
    tried = {
        "status": have_status,
        "decline_reason": "decline_reason",
        "ends_since": "expires_at__gte",
        "ends_until": "expires_at__lte",
        "currency": "account__currency",
        "amount_min": "amount__gte",
        "amount_max": "amount__lte",
        "reference": "reference__icontains",
    }
    orders = {
        "oldest": (_("oldest first"), ("created_at", "id")),
        "end": (_("open ones, by their end"), ("expires_at", "id")),
    }

    def clean(self) -> dict[str, Any]:
        return self.read_currency(super().clean() or self.cleaned_data)

    def carry(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().carry(rows)
        if self.get("order") == "end":
            return rows.filter(status=Hold.Status.OPEN, expires_at__isnull=False)
        return rows.filter(status=Hold.Status.OPEN) if self.get("status") == Hold.Status.OPEN else rows

    def find_order(self, order: tuple[str, ...]) -> tuple[str, ...]:
        if self.get("account") and self.get("order") != "end":
            signs = ("", "") if self.get("order") else ("-", "-")
            return tuple(f"{signs[0]}{name}" for name in ("account_id", "created_at", "id"))
        return super().find_order(order)


class ClaimForm(OfAccounts, OptionalPeriodForm):
    status = Choice(Claim.Status.choices, label=_("Status"))
    currency = Text(label=_("Currency"))
    amount_min = Number(label=_("Amount from"))
    amount_max = Number(label=_("Amount to"))
    reference = Text(label=_("Part of the reference"))
    reason = Text(label=_("Part of the reason"))
    account = Id(label=_("Id of the account"))

    carried = {"account": lambda id: within("account_id", id)}
    tried = {
        "status": "status",
        "currency": "account__currency",
        "amount_min": "amount__gte",
        "amount_max": "amount__lte",
        "reference": "reference__icontains",
        "reason": "reason__icontains",
    }

    def clean(self) -> dict[str, Any]:
        return self.read_currency(super().clean() or self.cleaned_data)

    def carry(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().carry(rows)
        return rows.filter(status=Claim.Status.OPEN) if self.get("status") == Claim.Status.OPEN else rows

    def find_order(self, order: tuple[str, ...]) -> tuple[str, ...]:
        """The open ones in the order of their index, by account and as they are collected."""
        if self.get("status") == Claim.Status.OPEN:
            return ("account_id", "created_at", "id")
        return ("-account_id", "-created_at", "-id") if self.get("account") else order


class CorrectionForm(OptionalPeriodForm):
    status = Choice(Correction.Status.choices, label=_("Status"))
    kind = Choice(Correction.Kind.choices, label=_("Kind"))
    maker = Caller(label=_("Requested by (user name or id)"))
    checker = Caller(label=_("Decided by (user name or id)"))
    account = Id(label=_("Id of the account"))
    reason = Text(label=_("Part of the reason"))

    column = "made_at"
    carried = {"maker": "maker", "account": "account"}
    tried = {"status": "status", "kind": "kind", "checker": "checker", "reason": "reason__icontains"}


class ErasureForm(OptionalPeriodForm):
    status = Choice(Erasure.Status.choices, label=_("Status"))
    maker = Caller(label=_("Requested by (user name or id)"))

    column = "asked_at"
    tried = {"status": "status", "maker": "maker"}
