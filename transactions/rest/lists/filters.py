"""What transactions are asked for: what their rows say decides; what finds them is chosen here."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema_field

from accounts.errors import IdempotencyKeyInvalid
from accounts.idempotency import derive_id
from rest.lists import (
    METADATA,
    METADATA_MAX,
    InstantFilter,
    MetadataFilter,
    StrictFilterBackend,
    TextFilter,
    UUIDFilter,
)
from transactions import errors, search
from transactions.models import Transaction, derive_part_id
from transactions.posting import PARTS_MAX
from transactions.reading.search import find_ids_of_command
from transactions.search import BY_EFFECT, BY_RECORDING, Listing, Lookup

VIEW = "transactions.view_transaction"
AMOUNT = re.compile(r"[0-9]{1,20}(\.[0-9]{1,8})?")
ORDERS = ("-recorded_at", "recorded_at", "-effective_at", "effective_at")
# By these there are few rows, which an index of the ledger finds; and by these it finds them in the order of
# the list, or there may be many.
FEW = {"transfer", "batch", "hold", "claim", "reverses", "idempotency_key"}
SOME = {"account", "user", "reference"}
UNINDEXED = {"currency", "request_id"}
BY_METADATA = OpenApiParameter(
    "metadata",
    {
        "type": "object",
        "additionalProperties": {"type": "string", "minLength": 1},
        "propertyNames": {"pattern": "^metadata\\..+$"},
        "maxProperties": METADATA_MAX,
        "examples": [{"metadata.order": "7"}],
    },
    style="form",
    explode=True,
    description=f"`metadata.KEY=value`, at most {METADATA_MAX}: exactly this value under this key.",
)


class AmountFormField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        if value and not AMOUNT.fullmatch(value):
            raise forms.ValidationError('Not a decimal amount like "100.00".')
        return Decimal(value) if value else None


@extend_schema_field({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"})
class AmountFilter(django_filters.Filter):
    field_class = AmountFormField


class TransactionFilter(django_filters.FilterSet):
    """`…_after` is later than the moment, `…_before` up to and including it; a date is the end of its day."""

    account = UUIDFilter(field_name="account_id")
    user = UUIDFilter(field_name="account__user_id")
    currency = TextFilter(field_name="account__currency")
    type = django_filters.ChoiceFilter(choices=Transaction.Type.choices)
    status = django_filters.ChoiceFilter(choices=Transaction.Status.choices)
    decline_reason = django_filters.ChoiceFilter(choices=[(code, code) for code in errors.DECLINES])
    amount = AmountFilter()
    amount_min = AmountFilter(field_name="amount", lookup_expr="gte")  # both ends are included
    amount_max = AmountFilter(field_name="amount", lookup_expr="lte")
    reference = TextFilter()
    metadata = MetadataFilter()
    request_id = TextFilter()
    idempotency_key = TextFilter(method="have_key", help_text="That you have sent; of nobody else's.")
    transfer = UUIDFilter()
    batch = UUIDFilter()
    hold = UUIDFilter()
    claim = UUIDFilter()
    reverses = UUIDFilter(method="take_back", help_text="What was posted to take this transaction back.")
    recorded_after = InstantFilter(field_name="recorded_at", lookup_expr="gt")
    recorded_before = InstantFilter(field_name="recorded_at", lookup_expr="lte")
    effective_after = InstantFilter(field_name="effective_at", lookup_expr="gt")
    effective_before = InstantFilter(field_name="effective_at", lookup_expr="lte")
    order = django_filters.ChoiceFilter(
        choices=[(name, name) for name in ORDERS],
        method="stay",
        help_text="With a minus the newest first; `-recorded_at` unless you say otherwise.",
    )

    def have_key(self, rows: QuerySet[Transaction], name: str, value: str) -> QuerySet[Transaction]:
        """All that came of the command that was sent with this key."""
        caller: Any = self.request
        try:
            id = derive_id(caller.user.pk, value)
        except IdempotencyKeyInvalid:
            return rows.none()
        parts = [derive_part_id(id, index) for index in range(1, PARTS_MAX)]
        return rows.filter(id__in=find_ids_of_command(id, parts))

    def take_back(self, rows: QuerySet[Transaction], name: str, value: UUID) -> QuerySet[Transaction]:
        return rows.filter(reverses=value, status=Transaction.Status.POSTED)

    def stay(self, rows: QuerySet[Transaction], name: str, value: str) -> QuerySet[Transaction]:
        return rows


class TransactionFilterBackend(StrictFilterBackend):
    """Of a list it makes a `Listing`."""

    def filter_queryset(self, request: Any, queryset: QuerySet[Any], view: Any) -> Any:
        if view.action != "list":
            return super().filter_queryset(request, queryset, view)
        filterset = self.read(request, queryset, view)
        if filterset is None:
            return Listing(rows=queryset, order="recorded_at")
        return make_listing(filterset.qs, filterset.form.cleaned_data, is_own=not request.may(VIEW))


def make_listing(rows: QuerySet[Any], asked: Mapping[str, Any], *, is_own: bool) -> Listing:
    """The list of the rows that have all that was asked for. Who sees only their `own` is not answered by
    what the search knows of others.
    """
    order = asked.get("order") or ORDERS[0]
    listing = Listing(rows=rows, order=order.lstrip("-"), is_newest_first=order.startswith("-"))
    if is_own or asked.keys() & FEW:
        return listing
    lookups = list_lookups(asked)
    if asked.keys() & SOME:
        return replace(listing, lookups=lookups)
    by_effect = listing.order == "effective_at"
    source = BY_EFFECT if by_effect else BY_RECORDING if lookups or asked.keys() & UNINDEXED else None
    since, until = find_bounds(asked, by_effect=by_effect)
    return replace(listing, lookups=lookups, source=source, since=since, until=until)


def find_bounds(asked: Mapping[str, Any], *, by_effect: bool) -> tuple[datetime | None, datetime | None]:
    """Of the column of the order. Nothing takes effect after it was recorded."""
    if by_effect:
        ends = [asked.get("effective_before"), asked.get("recorded_before")]
        return asked.get("effective_after"), min(filter(None, ends), default=None)
    starts = [asked.get("effective_after"), asked.get("recorded_after")]
    return max(filter(None, starts), default=None), asked.get("recorded_before")


def list_lookups(asked: Mapping[str, Any]) -> list[Lookup]:
    lookups = [
        search.look_up_term(name, value)
        for name, value in asked.items()
        if name.startswith(METADATA) or name == "decline_reason"
    ]
    least, most = asked.get("amount_min"), asked.get("amount_max")
    if (amount := asked.get("amount")) is not None:
        lookups.append(search.look_up_amounts(amount, amount))
    if least is not None or most is not None:
        lookups.append(search.look_up_amounts(least, most))
    return lookups
