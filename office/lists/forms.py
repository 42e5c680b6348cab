"""What a list is narrowed by: a form above it, which reads the address and says what may not be asked."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ledger.values import MICROSECOND
from office.lists.fields import Choice, Moment
from office.lists.walks import LOOKED_AT_MAX, Walk

PERIOD_MAX = timedelta(days=31)
Lookup = str | Callable[[Any], Q]


class NarrowingForm(forms.Form):
    """A form above a list, which says what it narrows it by."""

    @property
    def used(self) -> list[tuple[forms.BoundField, str]]:
        """The fields that somebody has filled in, each with its value as one reads it."""
        return [(self[name], self._show(name)) for name in self.fields if self.data.get(name)]

    def _show(self, name: str) -> str:
        value, field = self.data.get(name, ""), self.fields[name]
        if isinstance(field, Moment):
            return field.show(value)
        return str(dict(getattr(field, "choices", ())).get(value, value))


class ListForm(NarrowingForm):
    """The filters of a list.

    `carried` are those that an index carries: the name of each, and the condition on the rows. `tried` are
    those that are tried on each row. A condition is the name of a lookup, or makes a `Q` of the value.
    """

    carried: ClassVar[Mapping[str, Lookup]] = {}
    tried: ClassVar[Mapping[str, Lookup]] = {}
    orders: ClassVar[Mapping[str, tuple[Any, tuple[str, ...]]]] = {}  # the title of each, and its fields
    looked_at_max = LOOKED_AT_MAX

    def __init__(self, request: HttpRequest, data: QueryDict) -> None:
        self.is_search = bool(data.get("q"))
        super().__init__(data)
        if self.orders:
            self.fields["order"] = Choice(
                [(name, title) for name, (title, _fields) in self.orders.items()],
                label=_("Order"),
                any=_("newest first"),
            )
        for field in self.fields.values():
            field.widget.attrs.pop("autofocus", None)

    @classmethod
    def list_names(cls) -> list[str]:
        """The parameters of addresses that are its."""
        return [*cls.base_fields, *(["order"] if cls.orders else [])]

    def get(self, name: str) -> Any:
        """What was asked for under this name; None if nothing was, or nothing that can be."""
        value = self.cleaned_data.get(name)
        return None if value == "" else value

    def make_walk(self, rows: QuerySet[Any], order: tuple[str, ...]) -> Walk:
        """Along the rows, whose order that is if nobody asks for another one. The form must be valid."""
        conditions = list(self._make_conditions(self.tried))
        chosen = self.find_order(order)  # which may bound it closer
        return Walk(
            rows=self.carry(rows),
            order=chosen,
            fits=Q(*conditions) if conditions else None,
            looked_at_max=self.looked_at_max,
        )

    def carry(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that an index leads to."""
        return rows.filter(*self._make_conditions(self.carried))

    def find_order(self, order: tuple[str, ...]) -> tuple[str, ...]:
        """The one that was asked for, or that of the index which carries what was asked for; else `order`."""
        chosen = self.get("order")
        return self.orders[chosen][1] if chosen else order

    def _make_conditions(self, lookups: Mapping[str, Lookup]) -> Iterator[Q]:
        for name, lookup in lookups.items():
            value = self.get(name)
            if value is not None:
                yield lookup(value) if callable(lookup) else Q(**{lookup: value})


class PeriodForm(ListForm):
    """With a period of at most 31 days: of today, if nobody asks for another one.

    What is `at_home` in one place, like the rows of one account, needs none.
    """

    since = Moment(label=_("From"))
    until = Moment(label=_("To"), is_end=True)
    at_home: ClassVar[tuple[str, ...]] = ()

    def __init__(self, request: HttpRequest, data: QueryDict) -> None:
        needs_period = not data.get("q") and not any(data.get(name) for name in self.at_home)
        self.is_today = needs_period and not (data.get("since") or data.get("until"))
        if self.is_today:
            data = data.copy()
            data["since"] = data["until"] = timezone.localdate().isoformat()
        self.needs_period = needs_period
        super().__init__(request, data)

    def clean(self) -> dict[str, Any]:
        """With both ends, where there must be any."""
        asked: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = asked.get("since"), asked.get("until")
        if self.errors or not (since or until):
            return asked
        if since and until and until < since:
            self.add_error("until", _("The end is before the beginning."))
        elif self.needs_period:
            asked["since"], asked["until"] = since, until = complete_period(since, until)
            if until - since >= PERIOD_MAX + timedelta(hours=1):  # clocks are turned
                self.add_error("until", _("At most 31 days at a time."))
        return asked


class OptionalPeriodForm(ListForm):
    """Of what is recorded in `column`, from and to; any without them."""

    since = Moment(label=_("From"))
    until = Moment(label=_("To"), is_end=True)
    column: ClassVar[str] = "created_at"

    def carry(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        for name, lookup in (("since", "gte"), ("until", "lte")):
            if (moment := self.get(name)) is not None:
                rows = rows.filter(**{f"{self.column}__{lookup}": moment})
        return super().carry(rows)


def complete_period(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """Both ends, of which one is there: as long as may be."""
    length = PERIOD_MAX - MICROSECOND
    if until is None:
        return since, since + length  # type: ignore[return-value,operator]
    return since or until - length, until


def within(column: str, value: Any) -> Q:
    """That the column has this value, said so that no plan forgets that it is in the order.

    Where a column is known to be one value, an index of another order is as good to PostgreSQL, and it may go
    through the rows of everybody.
    """
    return Q(**{f"{column}__gte": value, f"{column}__lte": value})
