import django_filters

from rest.filters import InstantFilter, TextFilter, UUIDFilter
from transactions.models import Transaction


class TransactionFilter(django_filters.FilterSet):
    """`…_after` is later than the moment, `…_before` up to and including it; a date is the end of its day."""

    account = UUIDFilter(field_name="account_id")
    user = UUIDFilter(field_name="account__user_id")
    type = django_filters.ChoiceFilter(choices=Transaction.Type.choices)
    status = django_filters.ChoiceFilter(choices=Transaction.Status.choices)
    reference = TextFilter()
    transfer = UUIDFilter()
    recorded_after = InstantFilter(field_name="recorded_at", lookup_expr="gt")
    recorded_before = InstantFilter(field_name="recorded_at", lookup_expr="lte")
    effective_after = InstantFilter(field_name="effective_at", lookup_expr="gt")
    effective_before = InstantFilter(field_name="effective_at", lookup_expr="lte")
