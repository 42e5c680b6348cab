from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from accounts.models import Account, ClockTimestamp, Hold
from rest.filters import TextFilter, UUIDFilter


class UserFilter(django_filters.FilterSet):
    external_id = TextFilter()
    name = TextFilter()


class AccountFilter(django_filters.FilterSet):
    user = UUIDFilter(field_name="user_id")
    currency = TextFilter()
    status = django_filters.ChoiceFilter(choices=Account.Status.choices)
    name = TextFilter()


class HoldFilter(django_filters.FilterSet):
    account = UUIDFilter(field_name="account_id")
    user = UUIDFilter(field_name="account__user_id")
    status = django_filters.ChoiceFilter(choices=Hold.Status.choices, method="have_status")

    def have_status(self, holds: QuerySet[Hold], name: str, value: Any) -> QuerySet[Hold]:
        """A hold that is due is found as expired, whether or not its end is written yet."""
        due = Q(status=Hold.Status.OPEN, expires_at__lte=ClockTimestamp())
        if value == Hold.Status.OPEN:
            return holds.filter(Q(status=value) & (Q(expires_at=None) | Q(expires_at__gt=ClockTimestamp())))
        if value == Hold.Status.EXPIRED:
            return holds.filter(Q(status=value) | due)
        return holds.filter(status=value)
