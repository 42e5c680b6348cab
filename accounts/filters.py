import django_filters

from accounts.models import Account, User
from api.filters import UUIDFilter


class UserFilter(django_filters.FilterSet):
    external_id = django_filters.CharFilter()
    name = django_filters.CharFilter()

    class Meta:
        model = User
        fields = ()


class AccountFilter(django_filters.FilterSet):
    user = UUIDFilter(field_name="user_id")
    currency = django_filters.CharFilter()
    status = django_filters.ChoiceFilter(choices=Account.Status.choices)
    name = django_filters.CharFilter()

    class Meta:
        model = Account
        fields = ()
